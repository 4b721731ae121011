"""What the author says of parameters in the notebook's ``parameterise`` metadata: titles, help, bounds, choices."""

from typing import Any

from gallery.parameters.annotations import (
    Schema,
    UnknownAnnotation,
    enum_of,
    non_null,
    read_annotation_text,
)

_BOUNDS = {
    "minimum": ("integer", "number"),
    "maximum": ("integer", "number"),
    "minLength": ("string",),
    "maxLength": ("string",),
}
_OF_VALUES = _BOUNDS.keys() | {"choices", "type"}
_WIDGETS = {"textarea", "radio", "select", "slider"}


def apply_overrides(
    schema: Schema, described: dict[str, Any], notes: list[str]
) -> None:
    """Change ``schema`` as ``described`` (name → entry) says; an entry for no parameter is told in ``notes``."""
    for name, entry in described.items():
        if name in schema["properties"]:
            _apply(schema, name, entry, notes)
        else:
            notes.append(
                f"The notebook's metadata describes “{name}”, which is no parameter of it."
            )


def _apply(schema: Schema, name: str, entry: dict[str, Any], notes: list[str]) -> None:
    if "control" in schema["properties"][name]["x-countersign"]:
        entry = _beside_control(name, entry, notes)
    if "type" in entry:
        _retype(schema["properties"], name, entry["type"], notes)
    prop = schema["properties"][name]
    inner = non_null(prop)
    if "choices" in entry and "enum" not in inner and inner.get("type") != "array":
        inner.clear() if inner is not prop else [
            inner.pop(key, None) for key in ("type", "format")
        ]
        inner.update(enum_of(entry["choices"]))
    for key, kinds in _BOUNDS.items():
        if key in entry and inner.get("type") in kinds:
            inner[key] = entry[key]
    for source, target in (("display_name", "title"), ("help", "description")):
        if entry.get(source):
            prop[target] = entry[source]
    own = prop["x-countersign"]
    own.update({key: entry[key] for key in ("unit", "order") if key in entry})
    if entry.get("widget") in _WIDGETS:
        own["widget"] = entry["widget"]
    if entry.get("required") is True and name not in schema["required"]:
        schema["required"].append(name)


def _beside_control(
    name: str, entry: dict[str, Any], notes: list[str]
) -> dict[str, Any]:
    """Return what may be said of a control beside its code, which alone says what values it takes."""
    if entry.keys() & _OF_VALUES:
        notes.append(
            f"The control “{name}” says itself what it takes; what the notebook's metadata says of that is left out."
        )
    return {key: value for key, value in entry.items() if key not in _OF_VALUES}


def _retype(
    properties: dict[str, Schema], name: str, type_text: str, notes: list[str]
) -> None:
    try:
        typed = read_annotation_text(type_text)
    except UnknownAnnotation:
        notes.append(
            f"The notebook's metadata gives “{name}” a type that is not known here."
        )
        return
    old = properties[name]
    kept = {
        key: old[key]
        for key in ("title", "description", "default", "x-countersign")
        if key in old
    }
    properties[name] = typed.schema | kept
