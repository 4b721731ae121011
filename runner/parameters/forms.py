"""The form that asks for a version's parameters, made from its approved schema."""

from typing import Any

from django import forms

from gallery.parameters.annotations import Schema, non_null, nullable
from gallery.parameters.validate import InvalidParameters, clean_parameters
from runner.parameters.fields import (
    build_field,
    humanised,
    sends_nothing_when_empty,
)

_NULL = "__null"
_PRESENT = "__present"


class ParameterForm(forms.Form):
    """A form over one schema. The schema has the last word: what fields let through is checked against it.

    Three states per parameter: unset (left to the notebook), null, a value. Field names carry a prefix, so
    that no parameter can take the place of the page's own fields.
    """

    prefix = "parameter"
    schema: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        """Check the values together; errors land on their fields."""
        cleaned = super().clean() or self.cleaned_data
        self._refuse_value_and_none()
        if self.errors:
            return cleaned
        self._parameters: dict[str, Any] = {}
        try:
            self._parameters = clean_parameters(self.schema, self._set_values())
        except InvalidParameters as invalid:
            for error in invalid.errors:
                field = error.field if error.field in self.fields else None
                self.add_error(
                    field, forms.ValidationError(error.message, code=error.code)
                )
        return cleaned

    def parameters(self) -> dict[str, Any]:
        """Return the values that were set; a parameter that was left to the notebook is not among them.

        Call it on a valid form only; raises ValueError otherwise.
        """
        if not self.is_valid():
            raise ValueError("The form has errors, so it has no parameters.")
        return self._parameters

    def _refuse_value_and_none(self) -> None:
        """A value beside the tick for none is a contradiction, unless it is just the default that was there."""
        for name, prop in self.schema["properties"].items():
            value = self.cleaned_data.get(name)
            if self.cleaned_data.get(f"{name}{_NULL}") and value not in (
                None,
                "",
                [],
                prop.get("default"),
            ):
                self.add_error(
                    name,
                    forms.ValidationError(
                        "Enter a value or tick “none”, not both.", code="both"
                    ),
                )

    def _was_on_page(self, name: str) -> bool:
        html_name = self.add_prefix(name)
        return html_name in self.data or f"{html_name}{_PRESENT}" in self.data

    def _set_values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, prop in self.schema["properties"].items():
            if self.cleaned_data.get(f"{name}{_NULL}"):
                values[name] = None
            elif self._was_on_page(name):
                value = self.cleaned_data[name]
                if not _is_left_out(value, prop):
                    values[name] = _lf(value)
        return values


def _is_left_out(value: Any, prop: Schema) -> bool:
    """Nothing entered: unset, but for text whose default is text, where it may be meant."""
    if value is None:
        return True
    return value == "" and not (
        isinstance(prop.get("default"), str) and "format" not in non_null(prop)
    )


def _lf(value: Any) -> Any:
    """Browsers send the lines of a text area with CRLF, whatever was typed."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _starts_empty(prop: Schema) -> bool:
    """Whether leaving a control as it is already means none."""
    own = prop.get("x-countersign", {})
    return "control" in own and prop.get("default", ...) is None


def form_class(schema: dict[str, Any]) -> type[ParameterForm]:
    """Return a form class for ``schema``, its fields in the schema's order."""
    properties: dict[str, Schema] = schema.get("properties", {})
    required = set(schema.get("required", []))
    fields: dict[str, Any] = {}
    for name in sorted(
        properties,
        key=lambda each: properties[each].get("x-countersign", {}).get("order", 0),
    ):
        prop = properties[name]
        may_be_null = nullable(prop) is prop
        fields[name] = build_field(
            name, prop, required=name in required and not may_be_null
        )
        if sends_nothing_when_empty(fields[name]):
            # Tells a box without a tick apart from a box that was not on the page.
            fields[f"{name}{_PRESENT}"] = forms.CharField(
                widget=forms.HiddenInput, initial="1", required=False
            )
        if may_be_null and not _starts_empty(prop):
            fields[f"{name}{_NULL}"] = forms.BooleanField(
                label=f"{prop.get('title') or humanised(name)}: none",
                help_text="Tick this to pass no value (None) on purpose.",
                required=False,
            )
    return type(
        "RunParametersForm",
        (ParameterForm,),
        fields | {"schema": {"properties": {}} | schema},
    )
