"""A notebook whose readers answer is told from one that only shows."""

import pytest

from gallery.findings import find
from gallery.findings.widgets import CODE
from tests.gallery.notebooks import code, notebook


def said(*sources: str) -> list[str]:
    """What is said of widgets, one sentence for a notebook."""
    cells = map(code, sources)
    found = find(notebook(*cells), environment_packages=set())
    return [each.message for each in found if each.code == CODE]


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import ipywidgets", "ipywidgets"),
        ("import ipywidgets as w", "ipywidgets"),
        ("from ipywidgets import interact", "ipywidgets"),
        ("import anywidget", "anywidget"),
        ("from bqplot import pyplot", "bqplot"),
        ("from ipyleaflet import Map", "ipyleaflet"),
        ("import ipympl", "ipympl"),
        ("%matplotlib widget", "ipympl"),
        ("%matplotlib ipympl", "ipympl"),
        ("x = 1\n%matplotlib widget", "ipympl"),
        ("import plotly.graph_objects as go\ngo.FigureWidget()", "plotly"),
        ("import plotly.graph_objects\nplotly.graph_objects.FigureWidget()", "plotly"),
        ("import plotly.graph_objs as go\nmake = go.FigureWidget", "plotly"),
        ("from plotly import graph_objects\ngraph_objects.FigureWidget()", "plotly"),
        ("from plotly.graph_objects import FigureWidget", "plotly"),
        ("from plotly.graph_objects import FigureWidget as Plot", "plotly"),
        ("import ipython_blocking", "ipython_blocking"),
        ("%load_ext ipython_blocking", "ipython_blocking"),
        ("%block ready", "ipython_blocking"),
        ("x = 1\n%blockrun ready", "ipython_blocking"),
        ("from jupyter_ui_poll import ui_events", "jupyter_ui_poll"),
    ],
)
def test_a_notebook_with_widgets_is_opened_live(source, module):
    (sentence,) = said(source)
    assert f"({module})" in sentence


@pytest.mark.parametrize(
    "source",
    [
        "import plotly.graph_objects as go\ngo.Figure()",
        "import plotly.express as px\npx.bar(rows)",
        "%matplotlib inline",
        "import matplotlib.widgets",
        "class FigureWidget: pass\nFigureWidget()",
        "import shapes\nshapes.FigureWidget()",
        "text = 'import ipywidgets'",
    ],
)
def test_a_notebook_that_only_shows_is_not(source):
    assert said(source) == []


def test_it_is_said_once_whatever_is_imported():
    sources = (
        "import plotly.graph_objects as go",
        "go.FigureWidget()",
        "import bqplot",
    )
    (sentence,) = said(*sources)
    assert "(bqplot)" in sentence
