"""Controls of ipywidgets as parameters: ``days = widgets.IntSlider(value=30, max=60)``, read and never run.

What the library takes for granted (bounds, first choice, empty text) is taken for granted here; a test holds
both against each other.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gallery.parameters.annotations import Schema, nullable
from gallery.parameters.literals import NotLiteral, Temporal, read_literal
from gallery.parameters.options import read_options
from gallery.parameters.widget_names import WidgetNames

_MAX_TITLE_CHARS = 200
_WHOLE = frozenset({"BoundedIntText", "IntSlider"})
_CHOICES = frozenset(
    {"Dropdown", "RadioButtons", "Select", "SelectionSlider", "ToggleButtons"}
)
#: Arguments that may stand without their names; of all others, the value alone.
_PLACES = {
    **dict.fromkeys(_WHOLE, ("value", "min", "max", "step")),
    **dict.fromkeys((*_CHOICES, "DatePicker", "SelectMultiple", "TagsInput"), ()),
}
Arguments = Mapping[str, ast.expr]


class UnreadableControl(ValueError):
    """A control whose values cannot be told for certain; the message says what of it."""


@dataclass(frozen=True)
class Control:
    """What a control asks for; ``has_default`` is False when only the notebook knows its first value."""

    kind: str
    schema: Schema
    default: Any = None
    has_default: bool = True
    bind: str | None = None
    labels: list[str] = field(default_factory=list)
    title: str = ""
    #: Its name on the page, as it is written; None when only the notebook knows it.
    description: str | None = ""
    help: str = ""


def read_control(node: ast.expr, names: WidgetNames) -> Control | None:
    """Return the control that ``node`` makes, or None when it makes no widget.  Raises UnreadableControl."""
    if not isinstance(node, ast.Call):
        return None
    kind = names.constructor(node.func)
    if kind is None:
        if _last_name(node.func) in _READERS:
            raise UnreadableControl(
                f"it cannot be told for certain that “{_last_name(node.func)}” is the one of ipywidgets"
            )
        return None
    if kind not in _READERS:
        raise UnreadableControl(f"a form cannot ask for what {kind} holds")
    arguments = _arguments(kind, node)
    if "disabled" in arguments and _literal(arguments, "disabled") is not False:
        raise UnreadableControl("it is disabled")
    control = _READERS[kind](kind, arguments)
    return replace(
        control,
        title=_title(arguments),
        description=_description(arguments),
        help=_text(arguments, "tooltip"),
    )


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _arguments(kind: str, call: ast.Call) -> Arguments:
    """Return the arguments by name.  Raises UnreadableControl for what ipywidgets would refuse, too."""
    places = _PLACES.get(kind, ("value",))
    if len(call.args) > len(places) or any(
        isinstance(each, ast.Starred) for each in call.args
    ):
        raise UnreadableControl(f"{kind} does not take its arguments like this")
    named = {each.arg: each.value for each in call.keywords if each.arg is not None}
    if len(named) < len(call.keywords):
        raise UnreadableControl("arguments with ** cannot be read")
    return dict(zip(places, call.args, strict=False)) | named


def _literal(arguments: Arguments, name: str) -> Any:
    """Return an argument's value, None where it is missing.  Raises UnreadableControl."""
    if name not in arguments:
        return None
    try:
        return read_literal(arguments[name])
    except NotLiteral:
        raise UnreadableControl(f"its “{name}” is not written out") from None


def _text(arguments: Arguments, name: str) -> str:
    try:
        found = _literal(arguments, name)
    except UnreadableControl:
        return ""
    return found.strip() if isinstance(found, str) else ""


def _description(arguments: Arguments) -> str | None:
    try:
        _literal(arguments, "description")
    except UnreadableControl:
        return None
    return _text(arguments, "description")


def _title(arguments: Arguments) -> str:
    """Return what stands beside the control, without the colon that many write after it."""
    title = _text(arguments, "description").removesuffix(":").strip()
    return title if len(title) <= _MAX_TITLE_CHARS else ""


def _first(arguments: Arguments, otherwise: Any) -> tuple[Any, bool]:
    """Return the first value and whether it is known; ``otherwise`` is the library's own."""
    try:
        value = _literal(arguments, "value")
    except UnreadableControl:
        return None, False
    return (otherwise if value is None else value), True


def _of_type(value: Any, name: str, *types: type) -> Any:
    if type(value) not in types:
        raise UnreadableControl(f"its “{name}” is of another type than its values")
    return value


def _integer(kind: str, arguments: Arguments) -> Control:
    value, is_known = _first(arguments, 0)
    if is_known:
        _of_type(value, "value", int)
    return Control(kind, {"type": "integer"}, value, is_known)


def _number(kind: str, arguments: Arguments) -> Control:
    value, is_known = _first(arguments, 0.0)
    if is_known:
        value = float(_of_type(value, "value", int, float))
    return Control(kind, {"type": "number"}, value, is_known)


def _bounded(kind: str, arguments: Arguments) -> Control:
    """Read a number between bounds; ipywidgets moves a first value that is outside to the nearer one."""
    is_whole = kind in _WHOLE
    control = (_integer if is_whole else _number)(kind, arguments)
    types = (int,) if is_whole else (int, float)
    bounds = {"min": 0, "max": 100}
    for name in bounds:
        found = _literal(arguments, name)
        if found is not None:
            bounds[name] = _of_type(found, name, *types)
    if bounds["min"] > bounds["max"]:
        raise UnreadableControl("its “min” is above its “max”")
    schema = {
        **control.schema,
        "minimum": bounds["min"],
        "maximum": bounds["max"],
    }
    first = control.default
    if control.has_default:
        first = type(first)(min(max(first, bounds["min"]), bounds["max"]))
    if kind == "IntSlider":
        schema |= _steps(arguments, [*bounds.values(), first or 0])
    return replace(control, schema=schema, default=first)


def _steps(arguments: Arguments, places: list[int]) -> Schema:
    """Return the step where a schema can say it: it counts from 0, and a slider from its lower bound."""
    step = _literal(arguments, "step")
    if step is None or _of_type(step, "step", int) <= 1:
        return {}
    return {} if any(place % step for place in places) else {"multipleOf": step}


def _string(kind: str, arguments: Arguments) -> Control:
    if kind == "Combobox" and _literal(arguments, "ensure_option") is True:
        raise UnreadableControl(
            "a Dropdown says better that one of its options is needed"
        )
    value, is_known = _first(arguments, "")
    if is_known:
        _of_type(value, "value", str)
    return Control(kind, {"type": "string"}, value, is_known)


def _boolean(kind: str, arguments: Arguments) -> Control:
    value, is_known = _first(arguments, False)
    if is_known:
        _of_type(value, "value", bool)
    return Control(kind, {"type": "boolean"}, value, is_known)


def _choice(kind: str, arguments: Arguments) -> Control:
    """Read a choice; the first option is chosen where nothing else is said."""
    schema, values, labels = _options(arguments)
    if arguments.keys() & {"index", "label", "value"} == {"value"}:
        value, is_known = _first(arguments, None)
    else:
        value, is_known = values[0], not arguments.keys() & {"index", "label"}
    is_known = is_known and value is not None
    if is_known and value not in values:
        raise UnreadableControl("its “value” is none of its options")
    return Control(kind, schema, value, is_known, labels=labels)


def _choices(kind: str, arguments: Arguments) -> Control:
    schema, values, labels = _options(arguments)
    several = {"type": "array", "items": schema, "uniqueItems": True}
    try:
        chosen = read_options(arguments["value"]).values if "value" in arguments else []
    except NotLiteral:
        return Control(kind, several, None, False, labels=labels)
    if any(each not in values for each in chosen):
        raise UnreadableControl("its “value” is not among its options")
    is_known = not arguments.keys() & {"index", "label"}
    return Control(kind, several, chosen, is_known, labels=labels)


def _tags(kind: str, arguments: Arguments) -> Control:
    """Read a list of words; blank ones are refused by ipywidgets, and those that are not allowed."""
    word: Schema = {"type": "string", "minLength": 1}
    allowed = _literal(arguments, "allowed_tags")
    if allowed:
        word = {"type": "string", "enum": _words(allowed, "allowed_tags")}
    value, is_known = _first(arguments, [])
    if is_known:
        _words(value, "value")
    schema: Schema = {"type": "array", "items": word}
    if allowed or _literal(arguments, "allow_duplicates") is False:
        schema["uniqueItems"] = True
    return Control(kind, schema, value, is_known)


def _words(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UnreadableControl(f"its “{name}” is no list of words")
    return value


def _options(arguments: Arguments) -> tuple[Schema, list[Any], list[str]]:
    if "equals" in arguments:
        raise UnreadableControl("it compares its options in a way of its own")
    try:
        options = read_options(arguments["options"])
    except (KeyError, NotLiteral):
        raise UnreadableControl("its “options” are not written out") from None
    if not options.values:
        raise UnreadableControl("it has no options")
    if len(set(options.values)) < len(options.values):
        raise UnreadableControl("two of its options have the same value")
    return options.schema, options.values, options.labels


def _date(kind: str, arguments: Arguments) -> Control:
    if arguments.keys() & {"min", "max"}:
        raise UnreadableControl("a form cannot keep a date within bounds")
    value, is_known = _first(arguments, None)
    schema: Schema = {"type": "string", "format": "date"}
    if is_known and value is None:
        schema = nullable(schema)
    elif is_known and not (isinstance(value, Temporal) and value.kind == "date"):
        raise UnreadableControl("its “value” is no date")
    default = None if value is None else str(value)
    return Control(kind, schema, default, is_known, bind="date")


_READERS: dict[str, Callable[[str, Arguments], Control]] = {
    "IntText": _integer,
    "FloatText": _number,
    **dict.fromkeys((*_WHOLE, "BoundedFloatText", "FloatSlider"), _bounded),
    **dict.fromkeys(("Combobox", "Text", "Textarea"), _string),
    **dict.fromkeys(("Checkbox", "ToggleButton"), _boolean),
    **dict.fromkeys(_CHOICES, _choice),
    "SelectMultiple": _choices,
    "TagsInput": _tags,
    "DatePicker": _date,
}
