"""From a type annotation, read but never evaluated, to a JSON Schema."""

import ast
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]

_SIMPLE: dict[str, Schema] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "None": {"type": "null"},
    "NoneType": {"type": "null"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
}
_ALIASES = {
    "List": "list",
    "Sequence": "list",
    "Iterable": "list",
    "Dict": "dict",
    "Mapping": "dict",
    "string": "str",
    "integer": "int",
    "boolean": "bool",
}
_BOUNDS = {
    "Ge": "minimum",
    "ge": "minimum",
    "Gt": "exclusiveMinimum",
    "gt": "exclusiveMinimum",
    "Le": "maximum",
    "le": "maximum",
    "Lt": "exclusiveMaximum",
    "lt": "exclusiveMaximum",
    "MinLen": "minLength",
    "min_length": "minLength",
    "MaxLen": "maxLength",
    "max_length": "maxLength",
}
_TEMPORAL = {"date": "date", "date-time": "datetime", "time": "time"}


class UnknownAnnotation(ValueError):
    """An annotation that has no counterpart in JSON Schema."""


@dataclass
class Typed:
    """What an annotation says: a schema, a help text, and the Python type that a string must become."""

    schema: Schema
    help: str = ""
    bind: str | None = None
    bounds: Schema = field(default_factory=dict)


def read_annotation(node: ast.expr) -> Typed:
    """Return what ``node`` says. Raises UnknownAnnotation."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return read_annotation_text(node.value)
    if isinstance(node, ast.Subscript) and _name(node.value) == "Annotated":
        return _annotated(node)
    schema = _schema(node)
    return Typed(schema=schema, bind=_bind(schema))


def read_annotation_text(text: str) -> Typed:
    """Return what the annotation written as ``text`` says. Raises UnknownAnnotation."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnknownAnnotation(text) from error
    return read_annotation(tree.body)


def _bind(schema: Schema) -> str | None:
    """Return the Python type of a date or time (also of one that may be null)."""
    inner = non_null(schema)
    return (
        _TEMPORAL.get(inner.get("format", ""))
        if inner.get("type") == "string"
        else None
    )


def non_null(schema: Schema) -> Schema:
    """Return the schema that is left when null is taken out of ``schema``."""
    rest = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return rest[0] if len(rest) == 1 else schema


def nullable(schema: Schema) -> Schema:
    """Return ``schema`` with null allowed."""
    if schema == {"type": "null"} or {"type": "null"} in schema.get("anyOf", []):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def enum_of(values: list[Any]) -> Schema:
    """Return the schema of a choice among ``values``, null among them included."""
    plain = [value for value in values if value is not None]
    kinds = {type(value) for value in plain}
    schema: Schema = {"enum": plain}
    if len(kinds) == 1:
        schema = {"type": _SIMPLE[kinds.pop().__name__]["type"], "enum": plain}
    return nullable(schema) if len(plain) < len(values) else schema


def _schema(node: ast.expr) -> Schema:
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.Name | ast.Attribute):
        name = _name(node)
        name = _ALIASES.get(name, name)
        if name in _SIMPLE:
            return dict(_SIMPLE[name])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if isinstance(node, ast.Subscript):
        return _subscript(node)
    raise UnknownAnnotation(ast.unparse(node))


def _constant(node: ast.Constant) -> Schema:
    if node.value is None:
        return {"type": "null"}
    if isinstance(node.value, str):
        return read_annotation_text(node.value).schema
    raise UnknownAnnotation(ast.unparse(node))


def _subscript(node: ast.Subscript) -> Schema:
    name = _name(node.value)
    name = _ALIASES.get(name, name)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Optional":
        return nullable(_schema(inner[0]))
    if name == "Union":
        return _union(inner)
    if name == "Literal":
        return _literal(inner, node)
    if name == "Final":
        return _schema(inner[0])
    if name == "Annotated":
        return _annotated(node).schema
    if name == "list":
        item = _schema(inner[0])
        return {"type": "array", "items": item} | (
            {"uniqueItems": True} if "enum" in item else {}
        )
    if name == "dict" and len(inner) == 2 and _schema(inner[0]) == {"type": "string"}:
        return {"type": "object", "additionalProperties": _schema(inner[1])}
    raise UnknownAnnotation(ast.unparse(node))


def _union(members: list[ast.expr]) -> Schema:
    schemas = [_schema(member) for member in members]
    flat: list[Schema] = []
    for schema in schemas:
        flat += [each for each in schema.get("anyOf", [schema]) if each not in flat]
    null = {"type": "null"}
    ordered = [each for each in flat if each != null] + ([null] if null in flat else [])
    return ordered[0] if len(ordered) == 1 else {"anyOf": ordered}


def _literal(members: list[ast.expr], node: ast.expr) -> Schema:
    values = [member.value for member in members if isinstance(member, ast.Constant)]
    allowed = (str, int, float, bool, type(None))
    if len(values) < len(members) or not all(
        isinstance(value, allowed) for value in values
    ):
        raise UnknownAnnotation(ast.unparse(node))
    return enum_of(values)


def _annotated(node: ast.Subscript) -> Typed:
    """``Annotated[T, "help", Ge(1), Field(le=9, description="help")]``: the first text is the help."""
    members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    typed = read_annotation(members[0])
    for extra in members[1:]:
        if isinstance(extra, ast.Constant) and isinstance(extra.value, str):
            typed.help = typed.help or extra.value
        elif isinstance(extra, ast.Call):
            _read_bound(extra, typed)
    _apply_bounds(non_null(typed.schema), typed.bounds)
    return typed


def _read_bound(call: ast.Call, typed: Typed) -> None:
    named = [(keyword.arg, keyword.value) for keyword in call.keywords]
    positional = [(_name(call.func), argument) for argument in call.args[:1]]
    for name, value in positional + named:
        if not isinstance(value, ast.Constant):
            continue
        if name in _BOUNDS and type(value.value) in (int, float):
            typed.bounds[_BOUNDS[name]] = value.value
        elif name in ("description", "help") and isinstance(value.value, str):
            typed.help = typed.help or value.value


def _apply_bounds(schema: Schema, bounds: Schema) -> None:
    """Put each bound where it has a meaning; lengths of lists are counted in items."""
    kind = schema.get("type")
    for key, value in bounds.items():
        if (kind in ("integer", "number") and "imum" in key) or (
            kind == "string" and key.endswith("Length")
        ):
            schema[key] = value
        elif kind == "array" and key.endswith("Length"):
            schema[key.replace("Length", "Items")] = value


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name: ``datetime.date`` and ``date`` are the same type here."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
