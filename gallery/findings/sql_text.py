"""The SQL that is written in a notebook, and how it was put together."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.parameters.names import PARAMETERS_TAG

# Reading SQL takes about a second per 100,000 characters; what is over is told, not read.
_MAX_TOTAL = 200_000

#: Stands where a value or name is only known while the notebook runs.
UNKNOWN = "countersign_unknown"

_STARTS = re.compile(
    r"""(?isx) \A \s* (?: --[^\n]*\n\s* | /\*.*?\*/\s* | \(\s* )*
    (?: select\b.+\bfrom\b | with\s+(?:recursive\s+)?[\w"]+\s*(?:\([^)]*\)\s*)?as\b | insert\s+into\b | update\s+\S+\s.*\bset\b
      | delete\s+from\b | merge\s+into\b | truncate\b\s+\w | create\s+(?:or\s+replace\s+)?(?:temp|table|view|function|role|schema|index|extension|policy)
      | drop\s+(?:table|view|function|role|schema|index|policy|database)\b | alter\s+(?:table|role|view|user|system|database|schema|policy)\b
      | copy\s+.+\b(?:from|to)\b | grant\b.+\bto\b | revoke\b.+\bfrom\b | set\s+(?:local\s+|session\s+)?(?:role|session|row_security|search_path)\b
      | do\s+\$ | call\s+[\w.]+\( | explain\s+\w+ | table\s+\w+\.\w+ | lock\s+table | listen\s+\w+ | notify\s+\w+ | values\s*\( )""",
)
_NO_SQL_CALLS = {
    "print",
    "display",
    "Markdown",
    "HTML",
    "ValueError",
    "RuntimeError",
    "set_title",
    "set_xlabel",
    "title",
}
_EXECUTES = {
    "execute",
    "executemany",
    "read_sql",
    "read_sql_query",
    "stream",
    "copy",
    "exec_driver_sql",
}


@dataclass(frozen=True)
class SqlText:
    """SQL with UNKNOWN in place of what is not written there; ``built`` says that text was put into it."""

    text: str
    cell: int
    line: int
    built: bool = False
    over_limit: bool = False


def sql_texts(notebook: CheckedNotebook) -> list[SqlText]:
    """Return the SQL of every cell, in order; ``over_limit`` marks what is too much to be read."""
    found, total = [], 0
    for sql in _all_sql_texts(notebook):
        total += len(sql.text)
        found.append(replace(sql, over_limit=total > _MAX_TOTAL))
    return found


def _all_sql_texts(notebook: CheckedNotebook) -> list[SqlText]:
    constants = _constants(notebook)
    found: list[SqlText] = []
    for cell in notebook.cells:
        if cell.python is None:
            continue
        magic = cell.python.cell_magic
        if magic is not None and magic.name == "sql":
            found.append(SqlText(cell.python.body, cell.index, magic.line + 1))
        lines = (each for each in cell.python.magics if each.name == "sql")
        found += [
            SqlText(each.text.removeprefix("sql").strip(), cell.index, each.line)
            for each in lines
        ]
        if cell.tree is not None:
            found += _Collector(cell, constants).collect(cell.tree)
    return found


def sql_from_elsewhere(notebook: CheckedNotebook) -> Iterator[tuple[int, int]]:
    """Yield cell and line where a statement is executed that is not text in the notebook."""
    texts = _assigned_texts(notebook)
    for cell in notebook.cells:
        for node in ast.walk(cell.tree) if cell.tree else ():
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.args
            ):
                continue
            first = node.args[0]
            is_foreign = isinstance(first, ast.Subscript | ast.Attribute) or (
                isinstance(first, ast.Name) and first.id not in texts
            )
            if node.func.attr in _EXECUTES and is_foreign:
                yield cell.index, node.lineno


def looks_like_sql(text: str) -> bool:
    """Return whether ``text`` begins as a statement does."""
    return _STARTS.match(text[:20_000]) is not None


def _assigned_texts(notebook: CheckedNotebook) -> set[str]:
    """Names that are given something with text in it, somewhere in the notebook."""
    names: set[str] = set()
    for cell in notebook.cells:
        for node in ast.walk(cell.tree) if cell.tree else ():
            if (
                isinstance(
                    node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr
                )
                and node.value is not None
            ):
                has_text = any(
                    isinstance(each, ast.Constant) and isinstance(each.value, str)
                    for each in ast.walk(node.value)
                )
                targets = (
                    node.targets if isinstance(node, ast.Assign) else [node.target]
                )
                names.update(
                    each.id
                    for each in targets
                    if isinstance(each, ast.Name) and has_text
                )
            elif isinstance(node, ast.arg):
                # A function's argument: the text is where the function is called.
                names.add(node.arg)
    return names


def _constants(notebook: CheckedNotebook) -> dict[str, str]:
    """Names that are given one text and never another. Parameters are not: whoever launches sets them."""
    values: dict[str, list[str | None]] = {}
    for cell in notebook.cells:
        is_parameters = PARAMETERS_TAG in cell.tags
        for node in ast.walk(cell.tree) if cell.tree else ():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                values.setdefault(node.id, []).append(None)
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                value = node.value
                if (
                    isinstance(value, ast.Constant)
                    and isinstance(value.value, str)
                    and not is_parameters
                ):
                    values.setdefault(node.targets[0].id, []).append(value.value)
    # One Store without a text, and one text: the same single assignment seen from both sides.
    return {
        name: next(each for each in seen if each is not None)
        for name, seen in values.items()
        if len(seen) == 2 and seen.count(None) == 1
    }


class _Collector(ast.NodeVisitor):
    """Finds the outermost text expressions that are SQL."""

    def __init__(self, cell: CheckedCell, constants: dict[str, str]) -> None:
        self._cell = cell.index
        self._constants = constants
        self._found: list[SqlText] = []

    def collect(self, tree: ast.Module) -> list[SqlText]:
        self.visit(tree)
        return self._found

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call) and _last_name(node.func) in _NO_SQL_CALLS:
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
            text, built = self._text(node)
            if text is not None and looks_like_sql(text):
                self._found.append(SqlText(text, self._cell, node.lineno, built))
                return
        self.generic_visit(node)

    def _text(self, node: ast.expr) -> tuple[str | None, bool]:
        """Return the text of ``node`` with UNKNOWN for what is not known, and whether there is any such part."""
        if isinstance(node, ast.Constant):
            return (node.value, False) if isinstance(node.value, str) else (None, False)
        if isinstance(node, ast.Name):
            return self._constants.get(node.id), False
        if isinstance(node, ast.JoinedStr):
            return self._joined(
                [
                    each.value if isinstance(each, ast.FormattedValue) else each
                    for each in node.values
                ]
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._text(node.left), self._text(node.right)
            return (
                (None, False)
                if left[0] is None and right[0] is None
                else self._joined([node.left, node.right])
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self._filled(node.left, r"%(?:\(\w+\))?[-+ #0]*[\d.]*[a-zA-Z]")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._called(node.func)
        return None, False

    def _joined(self, parts: list[ast.expr]) -> tuple[str | None, bool]:
        texts, built = [], False
        for part in parts:
            text, inner = self._text(part)
            built = built or inner or text is None
            texts.append(UNKNOWN if text is None else text)
        return "".join(texts), built

    def _called(self, function: ast.Attribute) -> tuple[str | None, bool]:
        if function.attr == "format":
            return self._filled(function.value, r"\{[^{}]*\}")
        if function.attr in ("strip", "lower", "upper", "replace"):
            return self._text(function.value)
        return None, False

    def _filled(self, node: ast.expr, holes: str) -> tuple[str | None, bool]:
        text, _ = self._text(node)
        return (None, False) if text is None else (re.sub(holes, UNKNOWN, text), True)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
