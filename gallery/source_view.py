"""A notebook's source as a reviewer must see it: all of it, with nothing hidden and nothing alive.

Lines are HTML made here from escaped text and our own spans only, so that pages may show them as they are.
"""

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token
from pygments.util import ClassNotFound

from gallery.characters import describe, invisible_in, is_invisible
from gallery.markdown_view import render_markdown
from gallery.parameters.names import language_of

# Highlighting runs other people's patterns over other people's text; large cells are shown plain.
_MAX_HIGHLIGHTED = 100_000
_HIDING_TAGS = {
    "remove-cell",
    "remove-input",
    "remove_cell",
    "remove_input",
    "hide-cell",
    "hide-input",
    "hide_input",
}
_LEXERS = {
    "python": "python",
    "bash": "bash",
    "r": "splus",
    "julia": "julia",
    "sql": "sql",
}


@dataclass(frozen=True)
class SourceCell:
    """One cell to read.

    ``lines`` pairs a number from 1 with safe HTML; ``hidden`` says that Jupyter or a report would not show the
    cell; ``attachments`` are names, ``pictures`` their data by name.
    """

    index: int
    id: str
    cell_type: str
    lines: list[tuple[int, str]]
    hidden: bool
    tags: list[str]
    metadata_json: str
    attachments: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    source: str = field(default="", repr=False)
    pictures: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    @cached_property
    def rendered_html(self) -> str:
        """Sanitised HTML of a Markdown cell, else empty; made only when asked for, because it takes its time."""
        is_markdown = self.cell_type == "markdown"
        return render_markdown(self.source, self.pictures) if is_markdown else ""


def source_cells(
    notebook: dict[str, Any], findings: Iterable[dict[str, Any]] = ()
) -> list[SourceCell]:
    """Return every cell of ``notebook``; messages of ``findings`` that name no line join their cell's warnings."""
    language = language_of(notebook)
    about_cells: dict[int | None, list[str]] = {}
    for finding in findings:
        if finding.get("line") is None:
            about_cells.setdefault(finding.get("cell"), []).append(finding["message"])
    return [
        _cell(cell, index, language, about_cells.get(index, []))
        for index, cell in enumerate(notebook["cells"])
    ]


def _cell(
    cell: dict[str, Any], index: int, language: str, remarks: list[str]
) -> SourceCell:
    metadata = cell.get("metadata", {})
    tags = [str(tag) for tag in metadata.get("tags", [])]
    hidden = metadata.get("jupyter", {}).get("source_hidden") is True or bool(
        _HIDING_TAGS.intersection(tags)
    )
    attachments = cell.get("attachments", {})
    return SourceCell(
        index=index,
        id=cell["id"],
        cell_type=cell["cell_type"],
        lines=_lines(cell["source"], _lexer_name(cell, language)),
        hidden=hidden,
        tags=tags,
        metadata_json=json.dumps(metadata, indent=2, sort_keys=True, ensure_ascii=True),
        attachments=list(attachments),
        warnings=_warnings(cell["source"], hidden) + remarks,
        source=cell["source"],
        pictures=attachments,
    )


def _lexer_name(cell: dict[str, Any], language: str) -> str:
    if cell["cell_type"] == "markdown":
        return "markdown"
    if cell["cell_type"] != "code":
        return ""
    magic = cell["source"].split("\n", 1)[0].strip().removeprefix("%%")
    return _LEXERS.get(magic) or _LEXERS.get(language, "")


def _warnings(source: str, hidden: bool) -> list[str]:
    warnings = (
        ["Jupyter does not show this cell's code; it runs all the same."]
        if hidden
        else []
    )
    for number, line in enumerate(source.split("\n"), start=1):
        found = invisible_in(line)
        if found and len(warnings) < 20:
            names = ", ".join(describe(character) for character in found[:5])
            warnings.append(
                f"Line {number} holds characters that cannot be seen: {names}."
            )
    return warnings


def _lines(source: str, lexer_name: str) -> list[tuple[int, str]]:
    parts: list[list[str]] = [[]]
    for css, text in _tokens(source, lexer_name):
        for number, piece in enumerate(text.split("\n")):
            if number:
                parts.append([])
            if piece:
                parts[-1].append(
                    f'<span class="{css}">{_safe(piece)}</span>'
                    if css
                    else _safe(piece)
                )
    return [(number, "".join(line)) for number, line in enumerate(parts, start=1)]


def _tokens(source: str, lexer_name: str) -> list[tuple[str, str]]:
    """Return pairs of CSS class and text; the texts together are ``source``, or it is shown plain."""
    if not lexer_name or len(source) > _MAX_HIGHLIGHTED:
        return [("", source)]
    try:
        lexer = get_lexer_by_name(lexer_name)
    except ClassNotFound:
        return [("", source)]
    # Not get_tokens(): that drops a byte order mark and changes line ends before the reviewer sees them.
    tokens = [
        (_css(kind), text) for _, kind, text in lexer.get_tokens_unprocessed(source)
    ]
    return tokens if "".join(text for _, text in tokens) == source else [("", source)]


def _css(kind: Any) -> str:
    """Return the usual short class of a kind of token, such as ``k`` for keywords."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent or Token
    return str(STANDARD_TYPES[kind])


def _safe(text: str) -> str:
    if text.isascii() and text.isprintable():
        return html.escape(text)
    return "".join(
        _invisible(each) if is_invisible(each) else html.escape(each) for each in text
    )


def _invisible(character: str) -> str:
    title = html.escape(describe(character))
    return f'<span class="invisible-char" title="{title}">U+{ord(character):04X}</span>'
