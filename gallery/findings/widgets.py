"""Whether a notebook answers to what a reader does: then it is opened as a live page."""

from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding

#: The finding that says so; it is signed with the version, like every finding.
CODE = "uses_widgets"
#: Modules whose purpose is that a reader answers.
WIDGET_MODULES = frozenset(
    {
        *("anywidget", "bqplot", "ipyleaflet", "ipympl", "ipython_blocking"),
        *("ipywidgets", "jupyter_ui_poll"),
    }
)


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
