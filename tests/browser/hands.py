"""A person at a page, with a mouse or with the keyboard alone, whose acts are counted."""

from playwright.sync_api import Locator, Page, expect

#: Whether the focus is where nobody could miss it: ringed, in sight, under nothing.
_FOCUS = """() => {
  const at = document.activeElement;
  const look = getComputedStyle(at);
  const ring = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
  const box = at.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    what: `${at.outerHTML.slice(0, 120)} ${look.outline}, under ${top?.outerHTML.slice(0, 120)}`,
    isRinged: at.matches(":focus-visible") && (ring || look.boxShadow !== "none"),
    isInSight: Boolean(top) && (at.contains(top) || top.contains(at)),
  };
}"""
_MAX_TABS = 60
_MAX_LOOKS = 40
_LOADED_MS = 15_000


class Mouse:
    """Clicks where things are; types where the focus is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts = 0

    def click(self, target: Locator) -> None:
        """Click in the middle of what stands there, whatever lies on top."""
        expect(target).to_be_visible(timeout=_LOADED_MS)
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.click(*middle)
        self.acts += 1

    def choose(self, target: Locator, file: str) -> None:
        """Open the file dialogue and choose in it: two acts."""
        with self.page.expect_file_chooser() as chooser:
            self.click(target)
        chooser.value.set_files(file)
        self.acts += 1


class Keys:
    """Tabs to things and presses keys on them; the focus must be seen at every stop."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts = 0

    def reach(self, target: Locator) -> None:
        """Tab forwards until the focus is on `target`."""
        expect(target).to_be_visible(timeout=_LOADED_MS)
        for _ in range(_MAX_TABS):
            self.page.keyboard.press("Tab")
            self._see_focus()
            if target.evaluate("(element) => element === document.activeElement"):
                return
        message = f"the Tab key does not lead to {target}"
        raise AssertionError(message)

    def _see_focus(self) -> None:
        """Wait until the page has scrolled to the focus, which it does smoothly."""
        for _ in range(_MAX_LOOKS):
            focus = self.page.evaluate(_FOCUS)
            if focus["isRinged"] and focus["isInSight"]:
                return
            self.page.wait_for_timeout(50)
        message = f"nobody sees that the focus is on {focus}"
        raise AssertionError(message)

    def press(self, key: str = "Enter") -> None:
        """Press a key that does something."""
        self.page.keyboard.press(key)
        self.acts += 1

    def choose(self, target: Locator, file: str) -> None:
        """Open the file dialogue and choose in it: two acts."""
        self.reach(target)
        with self.page.expect_file_chooser() as chooser:
            self.press("Space")
        chooser.value.set_files(file)
        self.acts += 1
