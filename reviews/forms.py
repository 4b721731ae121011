"""Forms of the review: decide, comment, revoke, set the audience."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from accounts.models import User
from gallery.access import Audience
from gallery.forms import PasswordForm, ServiceForm
from gallery.services.access import Audiences
from reviews.models import ReviewDecision, ReviewPolicy, SignOffDecision
from reviews.services.decisions import Decision


def _comment_field(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class _DecisionForm(PasswordForm):
    """A decision with its reason, signed with the password."""

    field_order = ("decision", "comment", "password")

    def decided(self, seen: str) -> Decision:
        """Return what the service takes; `seen` is the page's fingerprint."""
        cleaned = self.cleaned_data
        return Decision(cleaned["decision"], cleaned["comment"], seen=seen)


class ReviewForm(_DecisionForm):
    """A peer's decision."""

    decision = forms.ChoiceField(
        label="Your decision",
        choices=ReviewDecision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose approve or request changes."},
    )
    comment = _comment_field("Comment")
    comment.help_text = "Needed when you request changes: say what has to change."


class SignOffForm(_DecisionForm):
    """A compliance officer's decision."""

    decision = forms.ChoiceField(
        label="Your decision",
        choices=[
            (SignOffDecision.APPROVE, "Sign off: it may run on real data"),
            (SignOffDecision.REJECT, "Reject: it goes back to its author"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose sign off or reject."},
    )
    comment = _comment_field("Comment")
    comment.help_text = "Needed when you reject: say what has to change."


class RevokeForm(PasswordForm):
    """Take an approval away, with a reason."""

    reason = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The author and everyone who may launch it will read this.",
        error_messages={"required": "Say why, in a sentence."},
    )
    field_order = ("reason", "password")


class CommentForm(ServiceForm):
    """A remark on a version, on a cell, or on one of its lines."""

    cell_id = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)
    line = forms.IntegerField(label="Line", required=False, min_value=1)
    body = forms.CharField(
        label="Comment",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something first."},
    )


class _PolicyChoice(forms.ModelChoiceField):
    """A policy by its name and what it asks for."""

    def label_from_instance(self, obj: ReviewPolicy) -> str:
        """Return `Light: 1 peer approval. For …`."""
        approvals = "approval" if obj.peer_approvals == 1 else "approvals"
        words = f"{obj.name}: {obj.peer_approvals} peer {approvals}."
        return f"{words} {obj.description}".strip()


class PolicyForm(ServiceForm):
    """Choose a notebook's review policy."""

    policy = _PolicyChoice(
        label="Policy",
        queryset=ReviewPolicy.objects.all(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose one of the policies."},
    )


class MembershipForm(ServiceForm):
    """The groups that a person is in, and why when that opens something."""

    groups = forms.ModelMultipleChoiceField(
        queryset=Group.objects.order_by("name"), required=False, label="Groups"
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=300,
        help_text="Needed when joining opens an approved notebook. Kept in the audit log.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _several(label: str) -> forms.MultipleChoiceField:
    boxes = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    return forms.MultipleChoiceField(label=label, required=False, widget=boxes)


#: What the form asks for as everyone or named people and groups.
AUDIENCES = ("launch", "source", "review")


class AccessForm(ServiceForm):
    """Who may launch, read the code, review and edit."""

    launch = forms.ChoiceField(
        label="Who may launch it",
        choices=[
            ("everyone", "Everyone who holds a persona"),
            ("named", "Only these people and groups"),
        ],
        widget=forms.RadioSelect,
    )
    launch_groups = _several("Groups")
    launch_people = _several("People")
    source = forms.ChoiceField(
        label="Who may read the code",
        choices=[
            ("everyone", "Its authors, reviewers, compliance officers and auditors"),
            ("named", "Its authors, and only these people and groups"),
        ],
        widget=forms.RadioSelect,
    )
    source_groups = _several("Groups")
    source_people = _several("People")
    review = forms.ChoiceField(
        label="Who may review it",
        choices=[
            ("everyone", "Every peer reviewer who did not write it"),
            ("named", "Only these of them"),
        ],
        widget=forms.RadioSelect,
    )
    review_groups = _several("Groups")
    review_people = _several("People")
    edit = _several("Co-authors")
    password = forms.CharField(
        label="Your password, again",
        required=False,
        strip=False,
        max_length=1024,
        help_text="Needed only to open an approved notebook to more people.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, maker: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(name, name) for name in Group.objects.values_list("name", flat=True)]
        people = [
            (person.username, f"{person.printed_name} ({person.username})")
            for person in User.objects.filter(is_active=True)
        ]
        others = [each for each in people if each[0] != maker.username]
        self.fields["edit"].choices = others  # type: ignore[attr-defined]  # a ChoiceField
        for who in AUDIENCES:
            self.fields[f"{who}_groups"].choices = groups  # type: ignore[attr-defined]  # ChoiceFields
            self.fields[f"{who}_people"].choices = people  # type: ignore[attr-defined]  # ChoiceFields

    @staticmethod
    def initial_of(present: Audiences) -> dict[str, Any]:
        """Return what the audiences are now."""
        initial: dict[str, Any] = {"edit": list(present.edit or ())}
        for who in AUDIENCES:
            audience = getattr(present, who)
            initial[who] = "everyone" if audience.everyone else "named"
            initial[f"{who}_groups"] = list(audience.groups)
            initial[f"{who}_people"] = list(audience.people)
        return initial

    def audiences(self) -> Audiences:
        """Return what the service takes."""
        return Audiences(
            launch=self._audience("launch"),
            source=self._audience("source"),
            review=self._audience("review"),
            edit=tuple(sorted(self.cleaned_data["edit"])),
        )

    def _audience(self, who: str) -> Audience:
        if self.cleaned_data[who] == "everyone":
            return Audience(everyone=True)
        return Audience(
            everyone=False,
            groups=tuple(sorted(self.cleaned_data[f"{who}_groups"])),
            people=tuple(sorted(self.cleaned_data[f"{who}_people"])),
        )
