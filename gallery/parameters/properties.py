"""One parameter's JSON Schema, from its annotation, its comment and its default."""

import copy
from typing import Any

from gallery.parameters.annotations import (
    Schema,
    Typed,
    UnknownAnnotation,
    enum_of,
    non_null,
    nullable,
    read_annotation,
    read_annotation_text,
)
from gallery.parameters.assignments import Assignment
from gallery.parameters.controls import Control
from gallery.parameters.literals import Temporal

#: What a form asks with where it has more than one way.
_FIELDS = {"RadioButtons": "radio", "Textarea": "textarea", "ToggleButtons": "radio"}


def property_schema(assignment: Assignment, *, order: int, notes: list[str]) -> Schema:
    """Return the schema of ``assignment``: standard keywords, and our own under ``x-countersign``."""
    if assignment.control is not None:
        return _of_control(assignment, assignment.control, order)
    typed = _typed(assignment, notes)
    schema = copy.deepcopy(typed.schema)
    if assignment.comment.choices:
        schema = _with_choices(
            schema, list(assignment.comment.choices), assignment.name, notes
        )
    if typed.help or assignment.comment.help:
        schema["description"] = typed.help or assignment.comment.help
    own: dict[str, Any] = {"order": order}
    if typed.bind:
        own["bind"] = typed.bind
    if assignment.has_default:
        schema["default"] = (
            str(assignment.default)
            if isinstance(assignment.default, Temporal)
            else assignment.default
        )
        _allow_default(schema, assignment, notes)
    elif not assignment.is_required:
        own["computed"] = True
    schema["x-countersign"] = own
    return schema


def _of_control(assignment: Assignment, control: Control, order: int) -> Schema:
    """Return the schema of a control's value; annotation and choices of a comment have no say in it."""
    schema = copy.deepcopy(control.schema)
    own: dict[str, Any] = {"order": order, "control": control.kind}
    if control.bind:
        own["bind"] = control.bind
    if control.labels:
        own["labels"] = control.labels
    if control.kind in _FIELDS:
        own["widget"] = _FIELDS[control.kind]
    if control.title:
        schema["title"] = control.title
    if control.help or assignment.comment.help:
        schema["description"] = control.help or assignment.comment.help
    if control.has_default:
        schema["default"] = control.default
    else:
        own["computed"] = True
    schema["x-countersign"] = own
    return schema


def _typed(assignment: Assignment, notes: list[str]) -> Typed:
    """Annotation, else ``# type:`` comment, else the default's own type."""
    name = assignment.name
    try:
        if assignment.annotation is not None:
            return _bound_by_default(read_annotation(assignment.annotation), assignment)
        if assignment.comment.type_text:
            return _bound_by_default(
                read_annotation_text(assignment.comment.type_text), assignment
            )
    except UnknownAnnotation as error:
        notes.append(
            f"The type of “{name}” ({str(error)[:80]}) is not known here; it is taken from its default."
        )
    if assignment.has_default:
        return _from_default(assignment.default, name, notes)
    notes.append(
        f"The type of “{name}” cannot be told, because the notebook computes it; it is offered as text."
    )
    return Typed(schema={"type": "string"})


def _bound_by_default(typed: Typed, assignment: Assignment) -> Typed:
    """A date that the notebook itself writes as text stays text, so that both look alike to the code below."""
    is_text = isinstance(assignment.default, str) and not isinstance(
        assignment.default, Temporal
    )
    if typed.bind and is_text:
        typed.bind = None
    return typed


def _from_default(value: Any, name: str, notes: list[str]) -> Typed:
    if isinstance(value, Temporal):
        binds = {"date": "date", "date-time": "datetime", "time": "time"}
        return Typed(
            schema={"type": "string", "format": value.kind}, bind=binds[value.kind]
        )
    if value is None:
        notes.append(
            f"“{name}” is None by default and has no type; it is offered as text that may be left None."
        )
        return Typed(schema=nullable({"type": "string"}))
    kinds = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    schema: Schema = {"type": kinds[type(value)]}
    if isinstance(value, list) and value:
        item_kinds = {kinds.get(type(item)) for item in value}
        kind = item_kinds.pop()
        if not item_kinds and kind in ("boolean", "integer", "number", "string"):
            schema["items"] = {"type": kind}
    return Typed(schema=schema)


def _with_choices(
    schema: Schema, choices: list[Any], name: str, notes: list[str]
) -> Schema:
    inner = non_null(schema)
    casts: dict[str, Any] = {"integer": int, "number": float, "string": str}
    target = inner.get("items", {}) if inner.get("type") == "array" else inner
    cast = casts.get(target.get("type", "string"), str)
    try:
        choice = enum_of([cast(value) for value in choices])
    except (ValueError, TypeError):
        notes.append(f"The choices of “{name}” do not fit its type and were left out.")
        return schema
    if inner.get("type") == "array":
        choice = {"type": "array", "items": choice, "uniqueItems": True}
    return choice if inner is schema else nullable(choice)


def _allow_default(schema: Schema, assignment: Assignment, notes: list[str]) -> None:
    """``days: int = None`` is common and means that None is allowed; say so instead of refusing the default."""
    choices = non_null(schema).get("enum")
    if (
        assignment.default is None
        and nullable(schema) is not schema
        and "null" not in _types(schema)
    ):
        inner = {
            key: schema.pop(key)
            for key in list(schema)
            if key not in ("description", "default")
        }
        schema.update(nullable(inner))
        notes.append(
            f"“{assignment.name}” is None by default, so None is allowed for it."
        )
    elif (
        choices is not None
        and assignment.default is not None
        and assignment.default not in choices
    ):
        non_null(schema)["enum"] = [assignment.default, *choices]
        notes.append(
            f"The default of “{assignment.name}” is not among its choices and was added to them."
        )


def _types(schema: Schema) -> str:
    return str(schema.get("type", "")) + "".join(
        str(each.get("type")) for each in schema.get("anyOf", [])
    )
