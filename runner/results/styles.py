"""Style attributes of outputs, reduced to a closed list that reads in any theme."""

import re

from PIL import ImageColor

_KEYWORDS = {
    "text-align": {"left", "right", "center", "start", "end", "justify"},
    "vertical-align": {"top", "middle", "bottom", "baseline", "sub", "super"},
    "font-weight": {"normal", "bold", "500", "600", "700"},
    "font-style": {"normal", "italic", "oblique"},
    "text-decoration": {"none", "underline", "line-through"},
    "white-space": {"normal", "nowrap", "pre", "pre-wrap", "pre-line"},
}
_COLOUR = re.compile(r"#[0-9a-f]{3,8}|[a-z]{3,24}|rgba?\([0-9., %]{5,40}\)")
_MIX = re.compile(r"color-mix\(in srgb,(#[0-9a-f]{6}) 60%,currentcolor\)")
_MAX_CHARS = 2_000
_LIGHT, _DARK = "#ffffff", "#15242a"


def safe_style(style: str) -> str:
    """Return the declarations of `style` that can do no harm, rewritten; maybe "".

    What it returns, it returns again unchanged.  Nothing that loads, moves, covers, hides or escapes its box remains.  A text
    colour alone is mixed with the reader's ink, and a background brings an ink that
    is readable on it, since the author did not see the reader's theme.
    """
    wanted: dict[str, str] = {}
    for declaration in style[:_MAX_CHARS].lower().split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if value in _KEYWORDS.get(name, ()) or name in {"color", "background-color"}:
            wanted[name] = value
    text = _rgb(_MIX.sub(r"\1", wanted.pop("color", "")))
    paper = _rgb(wanted.pop("background-color", ""))
    return ";".join([f"{n}:{v}" for n, v in wanted.items()] + _colours(text, paper))


def _colours(text: str | None, paper: str | None) -> list[str]:
    if paper:
        return [f"background-color:{paper}", f"color:{_ink_on(paper)}"]
    if text:
        return [f"color:color-mix(in srgb,{text} 60%,currentcolor)"]
    return []


def _rgb(value: str) -> str | None:
    """Return a colour as `#rrggbb`; None for anything else, transparent included."""
    if not _COLOUR.fullmatch(value):
        return None
    try:
        channels = ImageColor.getrgb(value)
    except ValueError:
        return None
    if len(channels) == 4 and channels[3] == 0:
        return None
    return "#{:02x}{:02x}{:02x}".format(*channels[:3])


def _ink_on(paper: str) -> str:
    light, dark = _luminance(_LIGHT), _luminance(_DARK)
    background = _luminance(paper)
    on_light = (light + 0.05) / (background + 0.05)
    on_dark = (background + 0.05) / (dark + 0.05)
    return _LIGHT if on_light > on_dark else _DARK


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
