"""Which names of a notebook stand for ipywidgets, as far as that is certain from its text."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gallery.python_source import PythonCell

_MODULES = ("ipywidgets.widgets", "ipywidgets")
#: Magics that bind no name; what others do to names is not known.
_HARMLESS = frozenset({"config", "matplotlib"})


@dataclass(frozen=True)
class WidgetNames:
    """Local names and the dotted names that they are imported as; empty where nothing is certain."""

    imported: Mapping[str, str]

    def constructor(self, node: ast.expr) -> str | None:
        """Return the ipywidgets name that ``node`` stands for: ``IntSlider``; None when it is not certain."""
        dotted = self._dotted(node)
        for module in _MODULES:
            name = dotted.removeprefix(f"{module}.")
            if name != dotted and "." not in name:
                return name
        return None

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        return self.imported.get(node.id, "") if isinstance(node, ast.Name) else ""


def widget_names(cells: Iterable[PythonCell]) -> WidgetNames:
    """Return which names ``cells`` import from ipywidgets and bind to nothing else.

    A cell that cannot be read, a magic or an import of everything may bind any name: then none is certain.
    """
    meanings: dict[str, set[str]] = {}
    for cell in cells:
        if cell.tree is None or not _is_plain(cell):
            return WidgetNames({})
        for node in ast.walk(cell.tree):
            for name, meaning in bindings(node):
                meanings.setdefault(name, set()).add(meaning)
    if "*" in meanings:
        return WidgetNames({})
    single = {name: each.pop() for name, each in meanings.items() if len(each) == 1}
    return WidgetNames({name: each for name, each in single.items() if each})


def _is_plain(cell: PythonCell) -> bool:
    return all(magic.mark == "%" and magic.name in _HARMLESS for magic in cell.magics)


def bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each name that ``node`` binds, with the dotted name it imports; empty for anything else."""
    match node:
        case ast.Import():
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top
        case ast.ImportFrom():
            for alias in node.names:
                module = "" if node.level else node.module
                yield alias.asname or alias.name, f"{module}.{alias.name}"
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield node.id, ""
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            # What has a part replaced is not the same any more: neither a module nor a control.
            yield name, ""
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, ""
        case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
            yield name, ""
        case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
            yield name, ""
