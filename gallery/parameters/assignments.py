"""The assignments of a parameters cell, one by one."""

import ast
from dataclasses import dataclass
from typing import Any

from gallery.parameters.comments import Comment, comment_of, comments_by_line
from gallery.parameters.controls import Control, UnreadableControl, read_control
from gallery.parameters.literals import NotLiteral, read_literal
from gallery.parameters.widget_names import WidgetNames, bindings


@dataclass(frozen=True)
class Assignment:
    """``name: annotation = value  # comment``; ``has_default`` is False when only the notebook can compute the value.

    With a ``control`` the name stands for that control, and its value is the parameter.
    """

    name: str
    annotation: ast.expr | None
    default: Any
    has_default: bool
    comment: Comment
    is_required: bool = False
    control: Control | None = None


def read_assignments(
    tree: ast.Module, source: str, notes: list[str], names: WidgetNames
) -> list[Assignment]:
    """Return what ``tree`` assigns to plain names at its top level, in order; say in ``notes`` what was passed over.

    ``names`` are those that stand for ipywidgets in the cell.
    """
    comments = comments_by_line(source)
    found: list[Assignment] = []
    controls: set[str] = set()
    changed_on: dict[str, int] = {}
    for node in tree.body:
        for name in controls & _bound(node):
            changed_on.setdefault(name, node.lineno)
        read = _read(node, names, comment_of(node, comments), notes)
        controls |= {each.name for each in read if each.control is not None}
        found += read
    for name, line in changed_on.items():
        notes.append(
            f"The control “{name}” is no parameter: line {line} changes it after it is made."
        )
    return [each for each in found if each.name not in changed_on]


def _bound(node: ast.stmt) -> set[str]:
    """Return each name that a statement, or anything in it, binds, deletes or replaces a part of."""
    return {name for each in ast.walk(node) for name, _ in bindings(each)}


def _read(
    node: ast.stmt, names: WidgetNames, comment: Comment, notes: list[str]
) -> list[Assignment]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        try:
            control = read_control(node.value, names)
        except UnreadableControl as problem:
            _note_control(node, str(problem), notes)
            return []
        if control is not None:
            return _controlled(node, control, comment, notes)
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [_annotated(node, node.target.id, comment)]
    if isinstance(node, ast.Assign):
        return _plain(node, comment, notes)
    if isinstance(
        node, ast.AugAssign | ast.If | ast.For | ast.While | ast.With | ast.Try
    ):
        _note_nested(node, notes)
    return []


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _controlled(
    node: ast.Assign | ast.AnnAssign,
    control: Control,
    comment: Comment,
    notes: list[str],
) -> list[Assignment]:
    match _targets(node):
        case [ast.Name(id=name)]:
            return [
                Assignment(
                    name,
                    None,
                    control.default,
                    control.has_default,
                    comment,
                    control=control,
                )
            ]
    _note_control(node, "it has more than one plain name", notes)
    return []


def _note_control(
    node: ast.Assign | ast.AnnAssign, problem: str, notes: list[str]
) -> None:
    """A name that stands for a control must never be given a plain value: the code below would break."""
    names = " = ".join(ast.unparse(each)[:60] for each in _targets(node))
    notes.append(f"The control “{names}” is no parameter: {problem}.")


def _annotated(node: ast.AnnAssign, name: str, comment: Comment) -> Assignment:
    if node.value is None:
        return Assignment(
            name,
            node.annotation,
            None,
            has_default=False,
            comment=comment,
            is_required=True,
        )
    default, has_default = _default(node.value)
    return Assignment(name, node.annotation, default, has_default, comment)


def _plain(node: ast.Assign, comment: Comment, notes: list[str]) -> list[Assignment]:
    default, has_default = _default(node.value)
    found = []
    for target in node.targets:
        if isinstance(target, ast.Name):
            found.append(Assignment(target.id, None, default, has_default, comment))
        else:
            notes.append(
                f"Line {node.lineno} assigns to “{ast.unparse(target)[:60]}”, which cannot be a parameter."
            )
    return found


def _default(node: ast.expr) -> tuple[Any, bool]:
    try:
        return read_literal(node), True
    except NotLiteral:
        return None, False


def _note_nested(node: ast.stmt, notes: list[str]) -> None:
    """Names that are assigned in a block depend on its condition; they stay the notebook's own."""
    names = sorted(
        {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    )
    if names:
        notes.append(
            f"Line {node.lineno} changes {', '.join(names)} in a way that is not a plain assignment."
        )
