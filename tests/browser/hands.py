"""A person at a page, with a mouse or with the keyboard alone, whose acts are counted."""

import time

from playwright.sync_api import FileChooser, Locator, Page, expect

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


class Hands:
    """What acts on a page, and how often it did."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts = 0
        self._choosers: list[FileChooser] = []
        # From the start: asked for with the act itself, the browser may come to know of
        # it after the act, and opens a dialogue that nobody answers.
        page.on("filechooser", lambda chooser: self._choosers.append(chooser))

    def _choose_in_dialogue(self, file: str) -> None:
        """Choose in the dialogue that has been opened: one more act."""
        deadline = time.monotonic() + _LOADED_MS / 1000
        while not self._choosers:
            assert time.monotonic() < deadline, "no file dialogue was opened"
            self.page.wait_for_timeout(50)
        self._choosers.pop().set_files(file)
        self.acts += 1


class Mouse(Hands):
    """Clicks where things are; types where the focus is."""

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
        self.click(target)
        self._choose_in_dialogue(file)


class Keys(Hands):
    """Tabs to things and presses keys on them; the focus must be seen at every stop."""

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
        self.press("Space")
        self._choose_in_dialogue(file)
