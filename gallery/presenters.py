"""What a version reads and how two versions differ, in words for people."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from gallery.arranged import as_signed
from gallery.characters import shown
from gallery.findings.layout import CODE as LAYOUT
from gallery.findings.layout import NOT_SHOWN_CODE
from gallery.interactive import values_not_kept
from gallery.layouts import Layout, read_layout
from gallery.limits import limits_in_words
from gallery.models import Version
from gallery.queries import document
from gallery.source_view import SourceCell, source_cells


@dataclass(frozen=True)
class TableInWords:
    """One table that a version reads: `Lab results`, its schema, its columns."""

    title: str
    schema: str
    columns: tuple[str, ...]
    every_column: bool


def tables_in_words(version: Version) -> list[TableInWords]:
    """Return the declared tables, or those found in the SQL when none is declared."""
    if version.manifest is not None:
        declared = version.manifest["tables"].items()
        return [_in_words(table, set(columns)) for table, columns in declared]
    found: dict[str, set[str]] = {}
    for use in version.tables_read:
        found.setdefault(use["table"], set()).update(use["columns"])
    return [_in_words(table, found[table]) for table in sorted(found)]


def _in_words(table: str, columns: set[str]) -> TableInWords:
    schema, _, name = table.rpartition(".")
    return TableInWords(
        title=_words(name).capitalize(),
        schema=schema,
        columns=tuple(_words(column) for column in sorted(columns - {"*"})),
        every_column="*" in columns,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def parameter_title(name: str, schema: Mapping[str, Any]) -> str:
    """Return a parameter's title as forms show it: `From date` for `from_date`."""
    words = _words(name).strip()
    return str(schema.get("title") or words[:1].upper() + words[1:])


def parameter_order(schema: Mapping[str, Any]) -> int:
    """Return where a parameter stands among the others; storage keeps no order."""
    return int(schema.get("x-countersign", {}).get("order", 0))


def value_in_words(value: object, labels: Mapping[Any, str]) -> str:
    """Return one value as people read it, by its label where it has one; a list in a list has none."""
    if isinstance(value, Hashable) and value in labels:
        return labels[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unset" if value is None else str(value)


@dataclass(frozen=True)
class Change:
    """One thing beside the code in which two versions differ."""

    what: str
    before: str
    after: str


def changes_beside_code(old: Version, new: Version) -> list[Change]:
    """Return how environment, parameters, layout, what is kept, limits and declared data differ."""
    told = [
        ("Environment", old.environment, new.environment),
        (
            "Packages",
            old.environment_lock_sha256[:8],
            new.environment_lock_sha256[:8],
        ),
        ("Parameters", _parameter_names(old), _parameter_names(new)),
        ("Layout", *_layouts(old, new)),
        ("Values of controls", _kept(old), _kept(new)),
        ("Limits", _limits(old), _limits(new)),
        ("Declared tables", _declared(old), _declared(new)),
        ("Data sources", ", ".join(old.data_sources), ", ".join(new.data_sources)),
    ]
    return [Change(what, was, now) for what, was, now in told if was != now]


def _parameter_names(version: Version) -> str:
    return ", ".join(version.parameters.get("properties", {})) or "none"


def _layouts(old: Version, new: Version) -> tuple[str, str]:
    """Return both layouts in words, which differ wherever the layouts do."""
    was, now = _layout(old), _layout(new)
    if was == now and _arrangement(old) != _arrangement(new):
        return was, f"{now}; cells stand elsewhere, or in other sizes"
    return was, now


def _layout(version: Version) -> str:
    """Return how cells are arranged, and by their numbers which of them are not shown."""
    told = layout_in_words(version).removesuffix(".") or "the notebook's order"
    hidden = [
        str(each["cell"] + 1)
        for each in version.findings
        if each["code"] == NOT_SHOWN_CODE and each["cell"] is not None
    ]
    noun = "cell" if len(hidden) == 1 else "cells"
    return f"{told} ({noun} {', '.join(hidden)})" if hidden else told


def _arrangement(version: Version) -> Layout:
    """Return the layout that readers see; what could not be used of it makes no difference to them."""
    found = read_layout(as_signed(version, document(version)))
    return replace(found, faults=())


def _kept(version: Version) -> str:
    return values_not_kept(version).removesuffix(".") or "kept"


def _limits(version: Version) -> str:
    asked = [
        f"{limit.what.lower()} {limit.asked}" for limit in limits_in_words(version)
    ]
    return ", ".join(asked) or "those of every run"


def _declared(version: Version) -> str:
    if version.manifest is None:
        return "undeclared"
    return ", ".join(
        f"{table} ({', '.join(columns)})"
        for table, columns in version.manifest["tables"].items()
    )


def layout_in_words(version: Version) -> str:
    """Return how the version's readers see its cells; empty when in the notebook's order."""
    said = (each["message"] for each in version.findings if each["code"] == LAYOUT)
    return next(said, "")


class Placed(Protocol):
    """A remark on a cell, and perhaps on one of its lines."""

    cell_id: str
    line: int | None


@dataclass
class AnnotatedLine:
    """One line of source with what was said about it."""

    number: int
    html: str
    findings: list[dict[str, Any]] = field(default_factory=list)
    comments: list[Placed] = field(default_factory=list)


@dataclass
class AnnotatedCell:
    """One cell with what was said about its lines, and about it as a whole."""

    cell: SourceCell
    #: The first line with words in it, for the outline.
    title: str
    lines: list[AnnotatedLine]
    findings: list[dict[str, Any]] = field(default_factory=list)
    comments: list[Placed] = field(default_factory=list)

    @property
    def remarks(self) -> int:
        """Return how many findings and comments the cell carries."""
        on_lines = sum(len(line.findings) + len(line.comments) for line in self.lines)
        return on_lines + len(self.findings) + len(self.comments)


def annotate(
    notebook: dict[str, Any],
    *,
    findings: Iterable[dict[str, Any]],
    comments: Sequence[Placed] = (),
) -> list[AnnotatedCell]:
    """Put findings and comments at their line; what names no line stays on its cell."""
    annotated = [
        AnnotatedCell(
            cell,
            title=_title(notebook["cells"][cell.index]["source"]),
            lines=[AnnotatedLine(number, html) for number, html in cell.lines],
        )
        for cell in source_cells(notebook)
    ]
    by_index = {each.cell.index: each for each in annotated}
    by_id = {each.cell.id: each for each in annotated}
    for finding in findings:
        place = by_index.get(finding["cell"])
        if place is not None:
            _at_line(place, finding["line"]).findings.append(finding)
    for comment in comments:
        place = by_id.get(comment.cell_id)
        if place is not None:
            _at_line(place, comment.line).comments.append(comment)
    return annotated


def _title(source: str) -> str:
    texts = (text.strip(" #") for text in source.splitlines())
    return shown(next((text for text in texts if text), "Empty cell"))


def _at_line(place: AnnotatedCell, line: int | None) -> AnnotatedLine | AnnotatedCell:
    return next((each for each in place.lines if each.number == line), place)
