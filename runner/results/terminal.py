"""Terminal text as HTML: colours become classes, every other control is dropped."""

import re

from runner.results.plain import escaped

_ESCAPE = re.compile(
    r"\x1b\[([0-9;]{0,40})m"  # colours and weights, group 1
    r"|\x1b\[[0-9;:?<=>]*[ -/]*[@-~]"  # every other control sequence
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\n])", re.MULTILINE)
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def to_html(text: str) -> str:
    """Return escaped `text` with `<span class="cs-ansi-…">` for colours; linear time."""
    shown = _OVERWRITTEN.sub("", text.replace("\r\n", "\n"))
    pieces: list[str] = []
    style: tuple[str, ...] = ()
    position = 0
    for match in _ESCAPE.finditer(shown):
        pieces.append(_span(shown[position : match.start()], style))
        position = match.end()
        if match[1] is not None:
            style = _style_after(style, match[1])
    pieces.append(_span(shown[position:], style))
    return "".join(pieces)


def _span(text: str, style: tuple[str, ...]) -> str:
    clean = escaped(_CONTROL.sub("", text).replace("\r", ""))
    if not clean or not style:
        return clean
    classes = " ".join(f"cs-ansi-{word}" for word in style)
    return f'<span class="{classes}">{clean}</span>'


def _style_after(style: tuple[str, ...], codes: str) -> tuple[str, ...]:
    bold, colour = "bold" in style, [word for word in style if word != "bold"]
    numbers = [int(code or 0) for code in codes.split(";") if len(code) < 4]
    if 38 in numbers or 48 in numbers:  # 256 and true colours: shown as plain ink
        return style
    for number in numbers:
        if number in (0, 39):
            colour = []
            bold = bold and number == 39
        elif number in (1, 22):
            bold = number == 1
        elif 30 <= number <= 37 or 90 <= number <= 97:
            colour = [_COLOURS[number % 10]]
    return (*colour, *(["bold"] if bold else []))
