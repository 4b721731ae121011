"""A name stands for ipywidgets only where nothing else in sight could have taken its place."""

import ast

import pytest

from gallery.parameters.widget_names import widget_names
from gallery.python_source import read_python


def constructor(call: str, *cells: str) -> str | None:
    node = ast.parse(call, mode="eval").body
    return widget_names(map(read_python, cells)).constructor(node)


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        ("import ipywidgets as widgets", "widgets.IntSlider"),
        ("import ipywidgets", "ipywidgets.IntSlider"),
        ("import ipywidgets.widgets", "ipywidgets.widgets.IntSlider"),
        ("import ipywidgets.widgets as w", "w.IntSlider"),
        ("from ipywidgets import widgets", "widgets.IntSlider"),
        ("from ipywidgets import IntSlider", "IntSlider"),
        ("from ipywidgets import IntSlider as Slider", "Slider"),
        ("%matplotlib inline\nimport ipywidgets as w", "w.IntSlider"),
        ("try:\n    import ipywidgets as w\nfinally:\n    x = 1", "w.IntSlider"),
    ],
)
def test_each_form_of_import_is_understood(imported: str, call: str) -> None:
    assert constructor(call, imported) == "IntSlider"
    assert constructor(call, imported, imported, "x = 1") == "IntSlider"
    assert constructor(call, "x = 1") is None


@pytest.mark.parametrize(
    "other",
    [
        "w = 1",
        "def w(): pass",
        "async def w(): pass",
        "class w: pass",
        "import mine as w",
        "from mine import w",
        "from .ipywidgets import w",
        "from mine import *",
        "for w in []: pass",
        "with open() as w: pass",
        "(w := 1)",
        "del w",
        "w.IntSlider = mine",
        "try:\n    pass\nexcept Exception as w:\n    pass",
        "match x:\n    case [1, *w]: pass",
        "match x:\n    case {'a': 1, **w}: pass",
        "match x:\n    case int() as w: pass",
        "%run mine.py",
        "!ls",
        "w = !ls",
        "%%capture\nw = 1",
        "this is no Python",
    ],
)
def test_whatever_may_bind_the_name_otherwise_makes_it_uncertain(other: str) -> None:
    imported = "import ipywidgets as w"
    assert constructor("w.IntSlider", imported) == "IntSlider"
    assert constructor("w.IntSlider", imported, other) is None
    assert constructor("w.IntSlider", other, imported) is None


@pytest.mark.parametrize("call", ["w.a.IntSlider", "w", "w().IntSlider", "mine.Text"])
def test_what_is_no_part_of_it_is_nothing(call: str) -> None:
    assert constructor(call, "import ipywidgets as w, mine") is None


def test_a_module_beside_the_notebook_is_not_the_library() -> None:
    imported = "from .ipywidgets import IntSlider"
    assert constructor("IntSlider", imported) is None
