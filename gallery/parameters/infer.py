"""From the cell tagged ``parameters`` to a JSON Schema (2020-12, closed object).

Read with ``ast`` and ``tokenize``, never run and never matched by line patterns: values with ``=`` or
``#`` in them, ``int | None``, ``Literal[...]`` and dates are what they are in Python. What cannot be told
for certain is said in a note, for the author and the reviewers.
"""

from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from gallery.intake.sensitive import sensitive_widgets
from gallery.parameters.annotations import Schema
from gallery.parameters.assignments import Assignment, read_assignments
from gallery.parameters.bash import read_bash_assignments
from gallery.parameters.formats import CHECKER
from gallery.parameters.names import (
    PARAMETERS_TAG,
    has_tag,
    is_safe_name,
    language_of,
    parameters_cell_index,
)
from gallery.parameters.overrides import apply_overrides
from gallery.parameters.properties import property_schema
from gallery.parameters.widget_names import widget_names
from gallery.python_source import read_python

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BINDING_MODE = "append"


@dataclass(frozen=True)
class Inferred:
    """A proposed parameter schema.

    ``cell_index`` is the parameters cell, from 0, or None; ``binding_mode`` ``append`` means that values
    are assigned in a cell of their own right after it; ``notes`` are sentences for people.
    """

    schema: dict[str, Any]
    cell_index: int | None
    binding_mode: str = BINDING_MODE
    notes: list[str] = field(default_factory=list)


def infer_parameters(notebook: dict[str, Any]) -> Inferred:
    """Return the schema that the notebook's parameters cell and its ``parameterise`` metadata describe."""
    notes: list[str] = []
    index = parameters_cell_index(notebook)
    language = language_of(notebook)
    found = (
        []
        if index is None
        else _assignments(notebook["cells"][: index + 1], language, notes)
    )
    _note_other_cells(notebook, notes)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for assignment in _last_of_each(found, notes):
        if not is_safe_name(assignment.name, language):
            notes.append(
                f"“{assignment.name}” cannot be a parameter: the name is reserved."
            )
            continue
        sensitive = _why_sensitive(assignment, notebook)
        if sensitive:
            notes.append(
                f"“{assignment.name}” {sensitive}, so it is no parameter: what a run is asked with is kept."
            )
            continue
        properties[assignment.name] = property_schema(
            assignment, order=len(properties), notes=notes
        )
        if assignment.is_required:
            required.append(assignment.name)
    schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    apply_overrides(schema, notebook.get("metadata", {}).get("parameterise", {}), notes)
    _drop_unfit_defaults(schema, notes)
    return Inferred(schema=schema, cell_index=index, notes=notes)


def _assignments(
    cells: list[dict[str, Any]], language: str, notes: list[str]
) -> list[Assignment]:
    """Return what the last of ``cells`` assigns; those before it may import what it uses."""
    source = cells[-1]["source"]
    if language == "bash":
        return read_bash_assignments(source)
    if language != "python":
        notes.append(
            f"Parameters of {language} notebooks are not read from code; this version has none."
        )
        return []
    cell = read_python(source)
    if cell.tree is None:
        notes.append(
            "The parameters cell is not valid Python, so no parameters were found in it."
        )
        return []
    before = [each["source"] for each in cells[:-1] if each["cell_type"] == "code"]
    names = widget_names([*map(read_python, before), cell])
    return read_assignments(cell.tree, source, notes, names)


def _why_sensitive(assignment: Assignment, notebook: dict[str, Any]) -> str:
    """Return why the value must not be kept, or nothing; what may be declared sensitive is taken for it."""
    declared = sensitive_widgets(notebook)
    if assignment.control is None or not declared:
        return ""
    description = assignment.control.description
    if declared is True or description in [each.strip() for each in declared]:
        return "is declared sensitive"
    if description is None:
        return "may be declared sensitive (its “description” is not written out)"
    return ""


def _note_other_cells(notebook: dict[str, Any], notes: list[str]) -> None:
    for number, cell in enumerate(notebook["cells"], start=1):
        if has_tag(cell, PARAMETERS_TAG) and cell["cell_type"] != "code":
            notes.append(f"Cell {number} is tagged “parameters” but is no code cell.")


def _drop_unfit_defaults(schema: Schema, notes: list[str]) -> None:
    """A default that its own schema refuses must not be offered in a form; the notebook still has it."""
    for name, prop in schema["properties"].items():
        if "default" in prop and not Draft202012Validator(
            prop, format_checker=CHECKER
        ).is_valid(prop["default"]):
            del prop["default"]
            prop["x-countersign"]["computed"] = True
            notes.append(
                f"The default of “{name}” does not fit its type, so it is left to the notebook."
            )


def _last_of_each(found: list[Assignment], notes: list[str]) -> list[Assignment]:
    """The last assignment of a name counts, in the place of the first."""
    by_name: dict[str, Assignment] = {}
    for assignment in found:
        if assignment.name in by_name:
            notes.append(
                f"“{assignment.name}” is assigned more than once; its last value is the default."
            )
        by_name[assignment.name] = assignment
    return list(by_name.values())
