"""One output of a cell, reduced to one harmless form of it and sentences on the rest.

A notebook offers each output in several forms.  Here the best harmless one is chosen
and made safe; what needs scripts or an outside address is named, never shown.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from runner.results import markdown, terminal
from runner.results.alignment import align_numbers
from runner.results.images import (
    BrokenImage,
    PictureBudget,
    PictureTooLarge,
    picture_data_url,
    svg_data_url,
)
from runner.results.sanitising import clean_output

Kind = Literal["html", "text", "messages", "note", "cut", "error"]

ERROR = "This step ended with an error. What follows it may be missing or incomplete."
BROKEN_PICTURE = "A picture here could not be read and is left out."
LARGE_PICTURE = "A picture is too large to show here and is left out. Download the notebook to see it."
OUTSIDE_PICTURE = "A picture from another address is left out."
INTERACTIVE = (
    "An interactive part is left out: it needs scripts, which results may not run."
)
PARTLY = "A part of this output is left out: it needs scripts or files from elsewhere."
TOO_LONG = (
    "An output is too long to show here. Download the notebook or its tables to see it."
)
TANGLED = "An output is too deeply nested to be shown and is left out."
NOTHING = "An output in a form that cannot be shown here is left out."

MAX_PICTURE_SIDE = 4_000
MAX_MARKUP_CHARS = 2_000_000
MAX_TEXT_CHARS = 1_000_000
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DRAWING = "image/svg+xml"
_ACTIVE = re.compile(
    r"application/(?:javascript|x-javascript|vnd\..*)|text/(?:javascript|vnd\..*)"
)
_ACTIVE_TAG = re.compile(
    r"<(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea"
    r"|video|audio|svg|math|canvas|link|meta|base|portal)\b",
    re.IGNORECASE,
)
_PICTURE_DATA = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=\s]+")
_INVISIBLE = re.compile(r"<(?!img\b[^>]*\bsrc=)[^>]*>")


@dataclass(frozen=True)
class Shown:
    """A piece of a result: what it is, and its harmless HTML (a note: its sentence)."""

    kind: Kind
    html: str

    @property
    def is_figure(self) -> bool:
        """Is this a picture of its own, which gets a number?"""
        return self.html.startswith("<img ")


@dataclass(frozen=True)
class _Markup:
    """HTML that a notebook made, cleaned, and what went with the cleaning."""

    html: str
    visible: bool
    lost_pictures: int
    large_pictures: int
    active: bool
    tangled: bool

    @classmethod
    def of(cls, source: str, budget: PictureBudget) -> "_Markup":
        cleaned = clean_output(source, budget)
        return cls(
            html=align_numbers(cleaned.html),
            visible=bool(_INVISIBLE.sub("", cleaned.html).strip()),
            lost_pictures=cleaned.lost_pictures,
            large_pictures=cleaned.large_pictures,
            active=bool(_ACTIVE_TAG.search(source)),
            tangled=cleaned.tangled,
        )

    def shown(self) -> Iterator[Shown]:
        if self.visible:
            yield Shown("html", self.html)
        if self.large_pictures:
            yield Shown("note", LARGE_PICTURE)
        if self.lost_pictures:
            yield Shown("note", OUTSIDE_PICTURE)
        if self.tangled:
            yield Shown("note", TANGLED)
        elif self.active:
            yield Shown("note", PARTLY if self.visible else INTERACTIVE)


def shown(
    output: Mapping[str, Any], *, number: int, budget: PictureBudget
) -> Iterator[Shown]:
    """Yield what a reader sees of one output; `number` names its picture."""
    kind = output.get("output_type")
    if kind == "stream":
        name: Kind = "messages" if output.get("name") == "stderr" else "text"
        yield from _text(name, _joined(output.get("text", "")))
    elif kind == "error":
        yield Shown("error", ERROR)
    elif kind in {"display_data", "execute_result"}:
        metadata = output.get("metadata")
        yield from _bundle(
            output.get("data") or {},
            metadata if isinstance(metadata, Mapping) else {},
            number,
            budget,
        )


def _text(kind: Kind, source: str) -> Iterator[Shown]:
    html = terminal.to_html(source[:MAX_TEXT_CHARS])
    if html.strip():
        yield Shown(kind, html)
    if len(source) > MAX_TEXT_CHARS:
        yield Shown("note", TOO_LONG)


def words(
    source: str, budget: PictureBudget, attachments: Mapping[str, Any] | None = None
) -> Shown:
    """Return Markdown, a cell's or an output's, as a harmless piece."""
    if len(source) > MAX_TEXT_CHARS:
        return Shown("note", TOO_LONG)
    cleaned = clean_output(markdown.to_html(source, attachments), budget)
    if cleaned.tangled:
        return Shown("note", TANGLED)
    html = align_numbers(cleaned.html)
    if cleaned.large_pictures:
        html += f"<p><em>{LARGE_PICTURE}</em></p>"
    return Shown("html", html)


def _bundle(
    data: Mapping[str, Any],
    metadata: Mapping[str, Any],
    number: int,
    budget: PictureBudget,
) -> Iterator[Shown]:
    source = _joined(data.get("text/html", ""))
    if len(_PICTURE_DATA.sub("", source)) > MAX_MARKUP_CHARS:
        yield Shown("note", TOO_LONG)
        return
    markup = _Markup.of(source, budget)
    picture = None if markup.visible else _picture(data, metadata, number, budget)
    if picture:
        yield picture
    elif "text/html" in data:
        yield from markup.shown()
    else:
        yield from _plain(data, budget)


def _plain(data: Mapping[str, Any], budget: PictureBudget) -> Iterator[Shown]:
    if any(_ACTIVE.fullmatch(kind) for kind in data):
        yield Shown("note", INTERACTIVE)
    elif "text/markdown" in data:
        yield words(_joined(data["text/markdown"]), budget)
    elif "text/latex" in data or "text/plain" in data:
        text = data.get("text/latex", data.get("text/plain"))
        yield from _text("text", _joined(text))
    elif "application/json" in data:
        text = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
        yield from _text("text", text)
    else:
        yield Shown("note", NOTHING)


def _picture(
    data: Mapping[str, Any],
    metadata: Mapping[str, Any],
    number: int,
    budget: PictureBudget,
) -> Shown | None:
    """Return the picture among the forms of one output, or None if it has none."""
    kind = next((kind for kind in (*_PICTURES, _DRAWING) if kind in data), None)
    if kind is None:
        return None
    make = svg_data_url if kind == _DRAWING else picture_data_url
    try:
        url = make(_joined(data[kind]), budget)
    except PictureTooLarge:
        return Shown("note", LARGE_PICTURE)
    except BrokenImage:
        return Shown("note", BROKEN_PICTURE)
    size = _sizes(metadata.get(kind))
    return Shown("html", f'<img src="{url}" alt="Figure {number}"{size}>')


def _sizes(metadata: object) -> str:
    """Return width and height as attributes; of all metadata only whole numbers pass."""
    if not isinstance(metadata, Mapping):
        return ""
    sides = {name: metadata.get(name) for name in ("width", "height")}
    return "".join(
        f' {name}="{side}"'
        for name, side in sides.items()
        if type(side) is int and 0 < side <= MAX_PICTURE_SIDE
    )


def _joined(text: object) -> str:
    """Return text that nbformat may keep as a list of lines."""
    if isinstance(text, list):
        return "".join(str(line) for line in text)
    return text if isinstance(text, str) else escape(str(text))
