"""Whether a notebook answers to what a reader does, or waits for it: then it is opened as a live page."""

import ast
from collections.abc import Iterator

from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.findings.model import Finding

#: The finding that says so; it is signed with the version, like every finding.
CODE = "uses_widgets"
#: The finding of a cell that does not end before a reader has answered.
WAITS = "waits_for_input"
#: The tag of cells that are executed in live pages only.
LIVE_TAG = "live-only"
#: Modules whose purpose is that a reader answers.
WIDGET_MODULES = frozenset(
    {
        *("anywidget", "bqplot", "ipyleaflet", "ipympl", "ipython_blocking"),
        *("ipywidgets", "jupyter_ui_poll"),
    }
)
#: What waits, by its library; what else these have answers a reader while it goes on by itself.
_WAITING = {
    "ipython_blocking": frozenset({"CaptureExecution"}),
    "jupyter_ui_poll": frozenset({"run_ui_poll_loop", "ui_events"}),
}
_WAITING_MAGICS = frozenset({"block", "blockrun"})
_NEVER_WAITS = frozenset({LIVE_TAG, "skip-execution"})


def check_widgets(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield one finding for the first of them that is imported."""
    for name in sorted(notebook.imported.values()):
        module = name.partition(".")[0]
        if module in WIDGET_MODULES:
            message = (
                f"It uses widgets ({module}), so it can be opened as a live page: what readers "
                "set there reaches this code as their input."
            )
            yield Finding(CODE, "info", message)
            return


def check_waiting(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield a finding for each cell that waits for a reader in every run, with or without a page."""
    for cell in notebook.cells:
        line = None if _NEVER_WAITS.intersection(cell.tags) else _waits(cell, notebook)
        if line is not None:
            message = (
                f"This waits until a reader answers, so the version has live pages only. Tag the cell “{LIVE_TAG}” "
                "if the notebook can do without: runs without a page leave it out."
            )
            yield Finding(WAITS, "info", message, cell.index, line)


def _waits(cell: CheckedCell, notebook: CheckedNotebook) -> int | None:
    """Return the line on which a cell waits, as far as its text tells."""
    if cell.python is None:
        return None
    for magic in cell.python.magics:
        if magic.mark == "%" and magic.name in _WAITING_MAGICS:
            return magic.line
    for node in ast.walk(cell.tree) if cell.tree is not None else ():
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(
            node.ctx, ast.Load
        ):
            module, *parts = notebook.dotted(node).split(".")
            if _WAITING.get(module, frozenset()).intersection(parts):
                return node.lineno
    return None
