"""One parameter's JSON Schema as a Django form field."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.html import escape

from gallery.intake.errors import IntakeError
from gallery.intake.strict_json import parse
from gallery.parameters.annotations import Schema, non_null
from gallery.parameters.options import labels_of
from gallery.parameters.validate import MAX_TEXT

UNSET = "Leave to the notebook"


class JsonField(forms.CharField):
    """A list or object written as JSON."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"})

    def to_python(self, value: Any) -> Any:
        """Return the value, or None when nothing was entered."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse(text)
        except IntakeError:
            raise forms.ValidationError(
                'Enter JSON, for example [1, 2] or {"a": 1}.', code="json"
            ) from None


class Travel:
    """How choices travel: words as they are, anything else as JSON, so that 1 and "1" stay two choices."""

    def __init__(self, values: list[Any]) -> None:
        self._words = all(isinstance(value, str) and value for value in values)

    def out(self, value: Any) -> str:
        """Return what the browser is given."""
        return str(value) if self._words else json.dumps(value)

    def back(self, text: str) -> Any:
        """Return the value that the browser's text stands for."""
        return text if self._words else json.loads(text)


class ScalarChoiceField(forms.TypedChoiceField):
    """A choice among JSON scalars."""

    def __init__(
        self,
        *,
        values: list[Any],
        labels: dict[Any, str] | None = None,
        blank: bool,
        **kwargs: Any,
    ) -> None:
        shown = labels or {}
        travel = Travel(values)
        choices = [
            (travel.out(value), shown.get(value, str(value))) for value in values
        ]
        super().__init__(
            choices=[("", UNSET), *choices] if blank else choices,
            coerce=travel.back,
            empty_value=None,
            **kwargs,
        )


class ScalarChoicesField(forms.TypedMultipleChoiceField):
    """Several choices among JSON scalars."""

    def __init__(
        self, *, values: list[Any], labels: dict[Any, str], **kwargs: Any
    ) -> None:
        travel = Travel(values)
        super().__init__(
            choices=[
                (travel.out(value), labels.get(value, str(value))) for value in values
            ],
            coerce=travel.back,
            empty_value=[],
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )


def sends_nothing_when_empty(field: forms.Field) -> bool:
    """Return whether browsers leave the field out of a request when nothing is ticked in it."""
    return isinstance(field, forms.BooleanField | forms.TypedMultipleChoiceField)


def build_field(name: str, prop: Schema, *, required: bool) -> forms.Field:
    """Return the form field for the parameter ``name``."""
    inner = non_null(prop)
    label = str(prop.get("title") or humanised(name))
    common = {
        "label": label,
        "help_text": _help(prop, label),
        "required": required,
    }
    if "default" in prop:
        common["initial"] = prop["default"]
    if "enum" in inner:
        return _choice(inner["enum"], prop, common)
    if inner.get("type") == "array" and "enum" in inner.get("items", {}):
        return _choices(inner["items"]["enum"], prop, common)
    kind = (
        inner.get("format") if inner.get("format") in _BUILDERS else inner.get("type")
    )
    return _BUILDERS.get(str(kind), _json)(inner, prop, common)


def humanised(name: str) -> str:
    """Return ``from_date`` as ``From date``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _help(prop: Schema, label: str) -> str:
    own = prop.get("x-countersign", {})
    described = str(prop.get("description", ""))
    parts = [
        "" if described.strip(" .").casefold() == label.casefold() else described,
        f"In {own['unit']}." if own.get("unit") else "",
        _reach(prop) if "control" in own else "",
    ]
    if own.get("computed"):
        parts.append("Left empty, the notebook works it out.")
    # Form templates show help without escaping it, and this text is an author's.
    return escape(" ".join(part for part in parts if part))


def _reach(prop: Schema) -> str:
    """Return in words what a slider shows at a glance: ``0 to 60, in steps of 5.``"""
    if "minimum" not in prop:
        return ""
    steps = f", in steps of {prop['multipleOf']}" if "multipleOf" in prop else ""
    return f"{prop['minimum']} to {prop['maximum']}{steps}."


def _choice(values: list[Any], prop: Schema, common: dict[str, Any]) -> forms.Field:
    if common.get("initial") is not None:
        common["initial"] = Travel(values).out(common["initial"])
    radio = prop.get("x-countersign", {}).get("widget") == "radio"
    widget = forms.RadioSelect if radio else forms.Select
    blank = not common["required"] and prop.get("default") is None
    labels = labels_of(prop)
    return ScalarChoiceField(
        values=values, labels=labels, blank=blank, widget=widget, **common
    )


def _choices(values: list[Any], prop: Schema, common: dict[str, Any]) -> forms.Field:
    if "initial" in common:
        travel = Travel(values)
        common["initial"] = [travel.out(value) for value in common["initial"] or []]
    # No choice at all is a value; whether one is needed is the schema's to say.
    labels = labels_of(prop)
    return ScalarChoicesField(
        values=values, labels=labels, **common | {"required": False}
    )


def _integer(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
    return forms.IntegerField(
        min_value=inner.get("minimum"),
        max_value=inner.get("maximum"),
        step_size=inner.get("multipleOf"),
        localize=False,
        **common,
    )


def _number(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
    bounds: dict[str, Any] = {
        "min_value": inner.get("minimum"),
        "max_value": inner.get("maximum"),
    }
    return forms.FloatField(
        widget=forms.NumberInput(attrs={"step": "any"}),
        localize=False,
        **bounds,
        **common,
    )


def _boolean(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
    if isinstance(prop.get("default"), bool) and inner is prop:
        return forms.BooleanField(**common | {"required": False})
    if common.get("initial") is not None:
        common["initial"] = json.dumps(common["initial"])
    labels = {True: "Yes", False: "No"}
    return ScalarChoiceField(
        values=[True, False], labels=labels, blank=not common["required"], **common
    )


def _string(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
    long = (
        "\n" in str(prop.get("default"))
        or prop.get("x-countersign", {}).get("widget") == "textarea"
    )
    widget = forms.Textarea(attrs={"rows": 4}) if long else forms.TextInput()
    lengths = {
        "min_length": inner.get("minLength"),
        "max_length": min(inner.get("maxLength", MAX_TEXT), MAX_TEXT),
    }
    return forms.CharField(strip=False, widget=widget, **lengths, **common)


def _temporal(
    input_type: str,
) -> Callable[[Schema, Schema, dict[str, Any]], forms.Field]:
    """Browsers send these as ISO text, which is what the schema wants; the schema's own check follows."""

    def build(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
        widget = forms.TextInput(attrs={"step": "any"} if "time" in input_type else {})
        widget.input_type = input_type
        return forms.CharField(widget=widget, max_length=40, **common)

    return build


def _json(inner: Schema, prop: Schema, common: dict[str, Any]) -> forms.Field:
    if "initial" in common and common["initial"] is not None:
        common["initial"] = json.dumps(common["initial"], ensure_ascii=False)
    return JsonField(**common)


_BUILDERS: dict[str, Callable[[Schema, Schema, dict[str, Any]], forms.Field]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "date": _temporal("date"),
    "date-time": _temporal("datetime-local"),
    "time": _temporal("time"),
}
