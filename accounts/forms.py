"""Shape and type of what people enter; the rules are in policies and services."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from accounts.personas import Persona
from accounts.roles import ROLES
from accounts.throttle import MAX_PASSWORD_CHARS


def password_field(
    label: str, autocomplete: str, help_text: str = ""
) -> forms.CharField:
    """A password, exactly as typed."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=MAX_PASSWORD_CHARS,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class SignInForm(forms.Form):
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    password = password_field("Password", "current-password")


class ChoosePasswordForm(forms.Form):
    new = password_field(
        "New password",
        "new-password",
        "At least 12 characters. A sentence that only you would think of is good.",
    )
    again = password_field("New password again", "new-password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("new") and cleaned.get("new") != cleaned.get("again"):
            self.add_error("again", "The two passwords differ. Enter the same twice.")
        return cleaned


class ChangePasswordForm(ChoosePasswordForm):
    old = password_field("Present password", "current-password")
    field_order = ("old", "new", "again")


class NewPersonForm(forms.Form):
    username = User._meta.get_field("username").formfield()
    display_name = User._meta.get_field("display_name").formfield()


class NameForm(forms.Form):
    display_name = User._meta.get_field("display_name").formfield()


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        required=False,
        choices=[
            (role.value, f"{definition.name}: {definition.description}")
            for role, definition in ROLES.items()
        ],
        widget=forms.CheckboxSelectMultiple,
        label="This person is",
    )


class PersonasForm(forms.Form):
    """One box and one department for each persona."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for persona in Persona:
            self.fields[persona.value] = forms.BooleanField(
                required=False,
                label=str(persona.label),
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
            )
            self.fields[f"{persona.value}_department"] = forms.CharField(
                required=False,
                max_length=64,
                label=f"Department of {str(persona.label).lower()}",
                widget=forms.TextInput(
                    attrs={"class": "form-control", "placeholder": "Department"}
                ),
            )

    @classmethod
    def initial_of(cls, person: User) -> dict[str, Any]:
        initial: dict[str, Any] = {}
        for row in person.persona_assignments.all():
            initial[row.persona] = True
            initial[f"{row.persona}_department"] = row.department
        return initial

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Box and department of each persona, for the template."""
        return [(self[name], self[f"{name}_department"]) for name in Persona.values]

    def personas(self) -> dict[str, str]:
        """Persona to department, of the boxes that are ticked."""
        return {
            name: self.cleaned_data[f"{name}_department"].strip()
            for name in Persona.values
            if self.cleaned_data[name]
        }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Kept in the audit log.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class GroupForm(forms.Form):
    name = forms.CharField(label="Name of the new group", max_length=150)


class PeopleFilterForm(forms.Form):
    """Never refuses: a filter that makes no sense is as good as none."""

    q = forms.CharField(required=False, label="Name", max_length=100)
    role = forms.ChoiceField(
        required=False,
        label="Role",
        choices=[("", "Any role"), *((r.value, d.name) for r, d in ROLES.items())],
    )
    state = forms.ChoiceField(
        required=False,
        label="State",
        choices=[("", "All"), ("active", "Active"), ("closed", "Closed")],
    )
