"""The form beside every Run button: parameters, persona, purpose."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict

from accounts.models import User
from accounts.personas import DEFAULT_PURPOSE, Persona, Purpose, active_persona
from gallery.forms import ServiceForm
from gallery.interactive import is_interactive, waits_for_reader
from gallery.models import Version
from runner.models import RunKind
from runner.parameters.fields import JsonField
from runner.parameters.forms import form_class
from runner.services import Launch, require_shown


class LaunchForm(ServiceForm):
    """As whom and what for; a person with one persona is not asked as whom."""

    persona = forms.ChoiceField(
        label="Acting as",
        error_messages={"required": "Choose whom you act as."},
    )
    purpose = forms.ChoiceField(
        label="Purpose of use", choices=Purpose.choices, required=False
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        request: HttpRequest,
        kind: RunKind,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        choices = _personas(request.user, kind)
        active = active_persona(request)
        initial = self.initial.get("persona") or active
        if kind == RunKind.RUN and len(choices) == 1:
            self.fields["persona"].widget = forms.HiddenInput()
            initial = choices[0][0]
        elif initial is None:
            choices = [("", "Choose"), *choices]
        self.fields["persona"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
        self.initial["persona"] = initial
        if initial in Persona.values:
            self.initial.setdefault("purpose", DEFAULT_PURPOSE[Persona(initial)])
        else:
            usual = [("", "The usual one of that persona"), *Purpose.choices]
            self.fields["purpose"].choices = usual  # type: ignore[attr-defined]  # a ChoiceField


def _personas(user: User, kind: RunKind) -> list[tuple[str, str]]:
    """Return what may be chosen: one's own, or in a preview everybody's."""
    if kind == RunKind.PREVIEW:
        return [(value, label) for value, label in Persona.choices]
    return [(row.persona, row.label) for row in user.held_personas]


def _shown(field: forms.Field, value: Any) -> Any:
    """Return an earlier run's value as its form field shows it."""
    if isinstance(field, forms.TypedMultipleChoiceField):
        return [_choice(field, each) for each in value or []]
    if isinstance(field, forms.TypedChoiceField):
        return _choice(field, value)
    if isinstance(field, JsonField):
        return json.dumps(value, ensure_ascii=False)
    return value


def _choice(
    field: forms.TypedChoiceField | forms.TypedMultipleChoiceField, value: Any
) -> str | None:
    """Return the text with which a value travels: the one that is read as it."""
    texts = [text for text, _ in field.choices if text != ""]
    return next((text for text in texts if field.coerce(text) == value), None)


class RunForms:
    """The two forms of one launch, shown and sent as one."""

    def __init__(
        self,
        request: HttpRequest,
        version: Version,
        *,
        kind: RunKind,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        sent = request.POST if request.method == "POST" else None
        self.version = version
        self.kind = kind
        #: What the page was shown for: sent back, so that nothing else runs unseen.
        self.seen = _number(str(sent.get("version", "")) if sent else "")
        self.launch = LaunchForm(
            sent, request=request, kind=kind, initial=dict(initial or {})
        )
        kind_of_form = form_class(version.parameters)
        values = (initial or {}).get("parameters", {})
        self.parameters = kind_of_form(
            sent,
            initial={
                name: _shown(kind_of_form.base_fields[name], value)
                for name, value in values.items()
                if name in kind_of_form.base_fields
            },
        )

    def is_valid(self) -> bool:
        """Check all, so that every mistake is shown at once."""
        valid = all([self.launch.is_valid(), self.parameters.is_valid()])
        return self._is_of_this_version() and valid

    def _is_of_this_version(self) -> bool:
        """Refuse a form that was shown for another version, keeping what was typed."""
        if self.is_current:
            return True
        self.launch.carry_out(lambda: require_shown(self.version, self.seen))
        return False

    @property
    def is_current(self) -> bool:
        """Tell whether the form was shown for this version; a preview's address says."""
        return self.kind == RunKind.PREVIEW or self.seen == self.version.number

    @property
    def is_interactive(self) -> bool:
        """Tell whether the version can be opened as a live page."""
        return is_interactive(self.version)

    @property
    def needs_page(self) -> bool:
        """Tell whether the version cannot run without a live page."""
        return waits_for_reader(self.version)

    @property
    def status(self) -> int:
        """Return the HTTP status of the page that shows the forms."""
        refused = self.parameters.is_bound and self.parameters.errors
        return 400 if refused and self.is_current else self.launch.status

    def launched(self) -> Launch:
        """Return what the services take."""
        return Launch(
            parameters=self.parameters.parameters(),
            persona=self.launch.cleaned_data["persona"],
            purpose=self.launch.cleaned_data["purpose"] or None,
            number=self.seen,
        )


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
