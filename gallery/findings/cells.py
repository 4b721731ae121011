"""Cells prepared for checking: read once, then given to every check."""

import ast
from dataclasses import dataclass, field
from typing import Any

from gallery.parameters.names import language_of
from gallery.python_source import PythonCell, read_python

# Characters of code that are checked; a notebook has a few thousand, and checking takes its time.
MAX_CODE = 300_000


@dataclass(frozen=True)
class CheckedCell:
    """A cell with its place and, for Python code, its tree and magics."""

    index: int
    cell_type: str
    source: str
    metadata: dict[str, Any]
    attachments: list[str]
    python: PythonCell | None
    is_read: bool = True

    @property
    def tags(self) -> list[str]:
        """The cell's tags in lower case."""
        return [str(tag).lower() for tag in self.metadata.get("tags", [])]

    @property
    def tree(self) -> ast.Module | None:
        """The cell as Python, if it is Python."""
        return self.python.tree if self.python else None


@dataclass
class CheckedNotebook:
    """All cells, and what holds for the namespace that they share."""

    language: str
    cells: list[CheckedCell]
    #: Local name → full dotted name, from every import of the notebook.
    imported: dict[str, str] = field(default_factory=dict)

    def dotted(self, node: ast.expr) -> str:
        """Return the full dotted name that ``node`` stands for, as far as imports tell; else an empty string."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Call) and self.dotted(node.func).endswith(
            "get_ipython"
        ):
            return ".".join(["get_ipython()", *parts])
        if not isinstance(node, ast.Name):
            return f".{'.'.join(parts)}" if parts else ""
        return ".".join([self.imported.get(node.id, node.id), *parts])


def prepare(notebook: dict[str, Any]) -> CheckedNotebook:
    """Return ``notebook`` prepared for checking."""
    language = language_of(notebook)
    cells, code_size = [], 0
    for index, cell in enumerate(notebook["cells"]):
        code_size += len(cell["source"]) if cell["cell_type"] == "code" else 0
        cells.append(_cell(cell, index, language, is_read=code_size <= MAX_CODE))
    checked = CheckedNotebook(language=language, cells=cells)
    for cell in cells:
        if cell.tree is not None:
            checked.imported.update(_imports(cell.tree))
    return checked


def _cell(
    cell: dict[str, Any], index: int, language: str, *, is_read: bool
) -> CheckedCell:
    is_python = cell["cell_type"] == "code" and language == "python"
    return CheckedCell(
        index=index,
        cell_type=cell["cell_type"],
        source=cell["source"],
        metadata=cell.get("metadata", {}),
        attachments=list(cell.get("attachments", {})),
        python=read_python(cell["source"]) if is_python and is_read else None,
        is_read=is_read,
    )


def _imports(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names
