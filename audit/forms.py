"""The filter above the log."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.queries import EventFilter


class EventFilterForm(forms.Form):
    """Who, what on, which kind, from when to when."""

    person = forms.CharField(required=False, label="Person", max_length=63)
    notebook = forms.CharField(required=False, label="Notebook", max_length=150)
    run = forms.CharField(required=False, label="Run", max_length=36)
    kind = forms.RegexField(
        r"^[a-z_]+(\.[a-z_]+)*$",
        required=False,
        label="Kind",
        max_length=100,
        widget=forms.TextInput(attrs={"list": "audit-kinds", "autocomplete": "off"}),
    )
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day is before the first.")
        return cleaned

    def chosen(self) -> EventFilter:
        """The filter; fields that are wrong do not narrow (the form says so)."""
        self.is_valid()
        return EventFilter(
            **{name: value for name, value in self.cleaned_data.items() if value}
        )
