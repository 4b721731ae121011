"""The options of a choice, in each of the forms that ipywidgets takes."""

import ast
from dataclasses import dataclass
from typing import Any

from gallery.parameters.annotations import Schema, enum_of, non_null
from gallery.parameters.literals import NotLiteral, is_json


@dataclass(frozen=True)
class Options:
    """Values in order; ``labels`` is empty where readers are shown the values themselves."""

    values: list[Any]
    labels: list[str]

    @property
    def schema(self) -> Schema:
        """The schema of a choice among them."""
        return enum_of(self.values)


def read_options(node: ast.expr) -> Options:
    """Return options written as values, as pairs of label and value, or as a dictionary.  Raises NotLiteral."""
    try:
        written = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise NotLiteral from error
    if isinstance(written, dict):
        pairs = list(written.items())
    elif not isinstance(written, list | tuple):
        raise NotLiteral
    elif all(isinstance(each, list | tuple) and len(each) == 2 for each in written):
        pairs = [(label, value) for label, value in written]
    else:
        return Options(_scalars(list(written)), [])
    return Options(
        _scalars([value for _, value in pairs]), [str(label) for label, _ in pairs]
    )


def labels_of(prop: Schema) -> dict[Any, str]:
    """Return by value what readers are shown of a parameter's choices, where that is not the value itself."""
    inner = non_null(prop)
    values = inner.get("enum") or inner.get("items", {}).get("enum", [])
    labels = prop.get("x-countersign", {}).get("labels", [])
    return dict(zip(values, labels, strict=False))


def _scalars(values: list[Any]) -> list[Any]:
    """Return ``values`` if a form can offer them; None is what ipywidgets takes for nothing chosen."""
    if not all(
        type(each) in (bool, float, int, str) and is_json(each) for each in values
    ):
        raise NotLiteral
    return values
