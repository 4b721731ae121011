"""One cell as it is kept: joined source with LF, no outputs, meaningful metadata only."""

from typing import Any

from gallery.intake.attachments import clean_attachments
from gallery.intake.canonical import compact
from gallery.intake.errors import CellTooLarge
from gallery.intake.limits import MAX_CELL_BYTES
from gallery.intake.metadata import cell_metadata
from gallery.intake.notes import Notes


def clean_cell(cell: dict[str, Any], index: int, notes: Notes) -> dict[str, Any]:
    """Return the cell at ``index`` (from 0) normalised and stripped. Raises CellTooLarge."""
    source = _source(cell["source"], notes)
    kept: dict[str, Any] = {
        "id": cell["id"],
        "cell_type": cell["cell_type"],
        "metadata": cell_metadata(cell["metadata"], notes),
        "source": source,
    }
    if cell["cell_type"] == "code":
        _count_outputs(cell, notes)
        kept |= {"outputs": [], "execution_count": None}
    elif attachments := clean_attachments(cell.get("attachments"), source, notes):
        kept["attachments"] = attachments
    size = len(compact(kept).encode())
    if size > MAX_CELL_BYTES:
        raise CellTooLarge(
            f"Cell {index + 1} has {size:,} bytes without its outputs; the limit is {MAX_CELL_BYTES:,}. "
            "Move its data out of the notebook.",
            cell=index,
            size_bytes=size,
            max_bytes=MAX_CELL_BYTES,
        )
    return kept


def _source(source: str | list[str], notes: Notes) -> str:
    """Join and use LF. Python reads CR, CRLF and LF alike, a reviewer's screen does not."""
    text = "".join(source) if isinstance(source, list) else source
    if "\r" in text:
        notes.add("line_endings")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _count_outputs(cell: dict[str, Any], notes: Notes) -> None:
    if cell["outputs"]:
        notes.add("outputs")
    if cell["execution_count"] is not None:
        notes.add("execution_counts")
