"""Whether a notebook answers to what a reader does: then it is opened as a live page."""

import ast
from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding
from gallery.findings.waiting import WAITING_MAGICS

#: The finding that says so; it is signed with the version, like every finding.
CODE = "uses_widgets"
#: Modules whose purpose is that a reader answers.
WIDGET_MODULES = frozenset(
    {
        *("anywidget", "bqplot", "ipyleaflet", "ipympl", "ipython_blocking"),
        *("ipywidgets", "jupyter_ui_poll"),
    }
)
#: Widgets of modules that most notebooks use without any.
WIDGET_CLASSES = frozenset(
    {"plotly.graph_objects.FigureWidget", "plotly.graph_objs.FigureWidget"}
)
#: What `%matplotlib` is given for figures that answer.
_WIDGET_BACKENDS = frozenset({"ipympl", "widget"})


def check_widgets(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield one finding for the first of them that is used."""
    module = min(_used(notebook), default="")
    if module:
        message = (
            f"It uses widgets ({module}), so it can be opened as a live page: what readers "
            "set there reaches this code as their input."
        )
        yield Finding(CODE, "info", message)


def _used(notebook: CheckedNotebook) -> Iterator[str]:
    """Yield the module of each widget that is imported, named or asked for by a magic."""
    for name in {*notebook.imported.values(), *_named(notebook)}:
        module = name.partition(".")[0]
        if module in WIDGET_MODULES or name in WIDGET_CLASSES:
            yield module
    for cell in notebook.cells:
        for magic in cell.python.magics if cell.python else ():
            given = set(magic.text.split()[1:])
            if magic.name == "matplotlib" and given & _WIDGET_BACKENDS:
                yield "ipympl"
            elif magic.name in WAITING_MAGICS:
                yield "ipython_blocking"
            elif magic.name == "load_ext":
                yield from given & WIDGET_MODULES


def _named(notebook: CheckedNotebook) -> Iterator[str]:
    for cell in notebook.cells:
        for node in ast.walk(cell.tree) if cell.tree else ():
            if isinstance(node, ast.Attribute):
                yield notebook.dotted(node)
