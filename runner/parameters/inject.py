"""The cell that carries a run's parameters. Parameters are data: no name or value ever becomes other code."""

import ast
import copy
from typing import Any

from gallery.parameters.names import (
    INJECTED_TAG,
    has_tag,
    is_safe_name,
    parameters_cell_index,
)
from gallery.parameters.validate import clean_parameters
from runner.parameters.literals import (
    UnsafeValue,
    UnsupportedLanguage,
    bash_literal,
    bash_text,
    bash_value,
    python_literal,
    python_value,
    same,
)

__all__ = [
    "UnsafeValue",
    "UnsupportedLanguage",
    "inject",
    "injected_source",
    "read_injected",
]

HEADING = "# Parameters"


def injected_source(
    schema: dict[str, Any], values: dict[str, Any], *, language: str
) -> str:
    """Return the source of the cell that sets ``values`` and nothing else; empty when there is nothing to set.

    Raises InvalidParameters, UnsafeValue, UnsupportedLanguage.
    """
    clean = clean_parameters(schema, values)
    if not clean:
        return ""
    if language not in ("python", "bash"):
        raise UnsupportedLanguage(language)
    lines = [
        HEADING,
        *(_line(name, value, schema, language) for name, value in clean.items()),
    ]
    source = "\n".join(lines) + "\n"
    _prove(source, clean, schema, language)
    return source


def _line(name: str, value: Any, schema: dict[str, Any], language: str) -> str:
    if not is_safe_name(name, language):
        raise UnsafeValue(f"“{name[:60]}” cannot be the name of a parameter.")
    if language == "bash":
        return f"{name}={bash_literal(value)}"
    target = f"{name}.value" if is_control(schema, name) else name
    return f"{target} = {python_literal(value, bind_of(schema, name))}"


def _prove(
    source: str, values: dict[str, Any], schema: dict[str, Any], language: str
) -> None:
    """Read the cell back: what it sets must be exactly what was asked for."""
    found = read_injected(source, schema, language=language)
    problem = difference(found, values, schema, language=language)
    if not problem and _beyond_ascii(source) != _beyond_ascii("".join(found)):
        problem = "The cell would not be plain ASCII but for its names."
    if problem:
        raise UnsafeValue(problem)


def _beyond_ascii(text: str) -> str:
    """Return the characters that may stand in a name, once each, and nowhere else."""
    return "".join(character for character in text if not character.isascii())


def bind_of(schema: dict[str, Any], name: str) -> str | None:
    """Return the Python type that a date or time parameter becomes, or None."""
    bind = (
        schema.get("properties", {}).get(name, {}).get("x-countersign", {}).get("bind")
    )
    return bind if isinstance(bind, str) else None


def is_control(schema: dict[str, Any], name: str) -> bool:
    """Return whether the name stands for a control, whose value is then what is set."""
    own = schema.get("properties", {}).get(name, {}).get("x-countersign", {})
    return "control" in own


def read_injected(
    source: str, schema: dict[str, Any], *, language: str
) -> dict[str, Any]:
    """Return what an injected cell sets, in order. Raises UnsafeValue when it does anything else.

    Of bash it returns the text of each variable, which is all that a shell knows.
    """
    pairs = _bash_pairs(source) if language == "bash" else _python_pairs(source, schema)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise UnsafeValue("The injected cell sets a parameter twice.")
    unknown = [name for name in values if name not in schema.get("properties", {})]
    if unknown:
        raise UnsafeValue(
            f"The injected cell sets “{unknown[0][:60]}”, which is no parameter of this version."
        )
    return values


def _python_pairs(source: str, schema: dict[str, Any]) -> list[tuple[str, Any]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnsafeValue("The injected cell is not Python.") from error
    pairs = []
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                is_of_control = False
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr="value")]
            ):
                is_of_control = True
            case _:
                raise UnsafeValue(
                    f"Line {node.lineno} of the injected cell is not an assignment of one value."
                )
        if is_of_control != is_control(schema, name):
            raise UnsafeValue(
                f"Line {node.lineno} of the injected cell does not set “{name[:60]}” as its kind is set."
            )
        pairs.append((name, python_value(node.value, bind_of(schema, name))))
    return pairs


def _bash_pairs(source: str) -> list[tuple[str, Any]]:
    pairs = []
    for line in source.removesuffix("\n").split("\n"):
        if line == HEADING:
            continue
        name, equals, word = line.partition("=")
        if not equals or not is_safe_name(name, "bash"):
            raise UnsafeValue("A line of the injected cell is not an assignment.")
        pairs.append((name, bash_value(word)))
    return pairs


def difference(
    found: dict[str, Any],
    values: dict[str, Any],
    schema: dict[str, Any],
    *,
    language: str,
) -> str:
    """Return in words how ``found`` differs from ``values``; empty when they are the same, types included."""
    if set(found) != set(values):
        names = ", ".join(sorted(set(found) ^ set(values)))
        return f"The injected cell and the recorded parameters differ in which they set: {names}."
    for name, value in values.items():
        if language == "bash":
            equal = found[name] == bash_text(value)
        else:
            equal = same(found[name], value, bind_of(schema, name))
        if not equal:
            return (
                f"The injected cell gives “{name}” another value than the one recorded."
            )
    return ""


def inject(notebook: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a copy of ``notebook`` with ``source`` in a cell of its own, right after the parameters cell or first.

    A cell that an earlier tool injected is replaced, never kept beside it.
    """
    result = copy.deepcopy(notebook)
    cells = result["cells"]
    earlier = [index for index, cell in enumerate(cells) if has_tag(cell, INJECTED_TAG)]
    result["cells"] = cells = [
        cell for cell in cells if not has_tag(cell, INJECTED_TAG)
    ]
    if source:
        parameters = parameters_cell_index(result)
        place = parameters + 1 if parameters is not None else min(earlier, default=0)
        cells.insert(place, _cell(source, {cell.get("id") for cell in cells}))
    return result


def _cell(source: str, taken: set[str | None]) -> dict[str, Any]:
    cell_id, number = INJECTED_TAG, 2
    while cell_id in taken:
        cell_id, number = f"{INJECTED_TAG}-{number}", number + 1
    return {
        "id": cell_id,
        "cell_type": "code",
        "metadata": {"tags": [INJECTED_TAG]},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
