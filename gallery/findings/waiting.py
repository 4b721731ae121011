"""Whether a cell waits for what a reader does: then a run without a page would wait in vain."""

import ast
from collections.abc import Iterator

from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.findings.model import Finding
from gallery.parameters.names import SKIP_TAG

#: The finding of a cell that does not end before a reader has answered.
CODE = "waits_for_input"
#: The tag of cells that are executed in live pages only.
LIVE_TAG = "live-only"
#: The finding that says so of a cell; it is signed with the version.
LEFT_OUT_CODE = "live_only_cell"
#: What waits, by its library; what else these have answers a reader while it goes on by itself.
_WAITING = {
    "ipython_blocking": frozenset({"CaptureExecution"}),
    "jupyter_ui_poll": frozenset({"run_ui_poll_loop", "ui_events"}),
}
#: Magics that wait; all are of ipython_blocking.
WAITING_MAGICS = frozenset({"block", "blockrun"})
_NEVER_WAITS = frozenset({LIVE_TAG, SKIP_TAG})


def check_waiting(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield a finding for each cell that waits for a reader in every run, with or without a page."""
    for cell in notebook.cells:
        line = None if _NEVER_WAITS.intersection(cell.tags) else _waits(cell, notebook)
        if line is not None:
            message = (
                f"This waits until a reader answers, so the version has live pages only. Tag the cell “{LIVE_TAG}” "
                "if the notebook can do without: runs without a page leave it out."
            )
            yield Finding(CODE, "info", message, cell.index, line)


def _waits(cell: CheckedCell, notebook: CheckedNotebook) -> int | None:
    """Return the line on which a cell waits, as far as its text tells."""
    if cell.python is None:
        return None
    for magic in cell.python.magics:
        if magic.mark == "%" and magic.name in WAITING_MAGICS:
            return magic.line
    for node in ast.walk(cell.tree) if cell.tree is not None else ():
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(
            node.ctx, ast.Load
        ):
            module, *parts = notebook.dotted(node).split(".")
            if _WAITING.get(module, frozenset()).intersection(parts):
                return node.lineno
    return None
