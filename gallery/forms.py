"""Forms of the gallery, and the one way in which a form carries out a service."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.policies import BadInput, NotAllowed, Unavailable
from accounts.problems import problem_of
from accounts.throttle import TooManyAttempts, WrongPassword
from gallery.limits import most_in_words
from gallery.models import Notebook
from gallery.policies import SIGNED_WITH_A_VERSION
from gallery.services import Upload

T = TypeVar("T")


class ServiceForm(forms.Form):
    """A form whose service may refuse: the reasons stand on it, what was typed stays.

    `status` is the HTTP status of the page that shows it again.
    """

    refused_with = 400

    @property
    def status(self) -> int:
        """Return 200 while nothing is wrong with what was sent."""
        return self.refused_with if self.is_bound and self.errors else 200

    def carry_out(self, act: Callable[[], T]) -> T | None:
        """Run a service call; None when it refused, with its reasons on the form.

        A stale page is not caught: nothing on it can be trusted any more.
        """
        try:
            return act()
        except (BadInput, NotAllowed, Unavailable) as refusal:
            self._refuse(refusal, field="")
        except (WrongPassword, TooManyAttempts) as refusal:
            self._refuse(refusal, field="password")
        return None

    def _refuse(self, refusal: Exception, *, field: str) -> None:
        problem = problem_of(refusal)
        if problem is None:
            raise refusal
        self.refused_with = problem.status
        reasons = [(each.field, each.code, each.message) for each in problem.errors]
        reasons += [(field, each.code, each.message) for each in problem.blockers]
        for name, code, message in reasons or [(field, problem.code, problem.detail)]:
            place = name if name in self.fields else None
            self.add_error(place, ValidationError(message, code=code))


class PasswordForm(ServiceForm):
    """A form that signs: the password is entered again, and never shown back."""

    password = forms.CharField(
        label="Your password, again",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
        max_length=1024,
    )


class _FileForm(ServiceForm):
    """What every upload has."""

    file = forms.FileField(
        label="Notebook file",
        help_text="An .ipynb file of at most 10 MB. Outputs are removed on arrival.",
        widget=forms.ClearableFileInput(attrs={"accept": ".ipynb,application/json"}),
        error_messages={
            "required": "Choose a notebook file, or drop one here.",
            "empty": "This file is empty. Choose another one.",
        },
    )
    environment = forms.ChoiceField(
        label="Environment",
        required=False,
        help_text="The packages that it runs with. Usually the kernel tells.",
    )
    manifest = forms.CharField(
        label="Data manifest",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=(
            "The tables and columns that it may read, as JSON: "
            '{"tables": {"clinic.patients": ["patient_id"]}}. '
            "Empty means undeclared; compliance sees that."
        ),
    )
    limits = forms.CharField(
        label="Limits",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locks = sorted(settings.ENVIRONMENT_LOCKS_DIR.glob("*.txt"))
        names = [(path.stem, path.stem) for path in locks]
        self.fields["environment"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", "Chosen by the notebook's kernel"),
            *names,
        ]
        self.fields["limits"].help_text = (
            "What it needs beyond every run's limits, as JSON: "
            '{"wall_clock_s": 1800}. The most that is given: '
            f"{most_in_words()}. Reviewers and compliance see it."
        )

    def upload(self) -> Upload:
        """Return what the services take."""
        cleaned = self.cleaned_data
        return Upload(
            data=cleaned["file"].read(),
            summary=cleaned["summary"],
            environment=cleaned["environment"] or None,
            manifest=cleaned["manifest"] or None,
            limits=cleaned["limits"] or None,
        )


class NotebookForm(_FileForm):
    """A new catalog entry with its first version."""

    title = forms.CharField(label="Title", max_length=120)
    description = forms.CharField(
        label="What it is for",
        required=False,
        max_length=2000,
        help_text="Two sentences for people who do not read code.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tags = forms.CharField(
        label="Tags", required=False, help_text="Separated by commas."
    )
    department = forms.CharField(label="Department", required=False, max_length=80)
    summary = forms.CharField(
        label="Note to the reviewers", required=False, max_length=500
    )
    field_order = ("file", "title", "description", "tags", "department", "summary")

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `create_notebook`."""
        cleaned = self.cleaned_data
        return {
            "title": cleaned["title"],
            "description": cleaned["description"],
            "tags": cleaned["tags"].split(","),
            "department": cleaned["department"],
            "upload": self.upload(),
        }


class VersionForm(_FileForm):
    """A new version of a notebook that exists."""

    summary = forms.CharField(
        label="What changed",
        max_length=500,
        help_text="One sentence for the reviewers.",
        error_messages={"required": "Say in one sentence what changed."},
    )
    field_order = ("file", "summary")


class EntryForm(ServiceForm):
    """What the catalog says of a notebook; its code stays as it is."""

    title = forms.CharField(label="Title", max_length=120)
    description = forms.CharField(
        label="What it is for",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tags = forms.CharField(
        label="Tags", required=False, help_text="Separated by commas."
    )
    department = forms.CharField(label="Department", required=False, max_length=80)

    def __init__(self, *args: Any, signed: bool = False, **kwargs: Any) -> None:
        """Show what was signed, and take nothing for it, while it is in force."""
        super().__init__(*args, **kwargs)
        for name in SIGNED_WITH_A_VERSION:
            self.fields[name].disabled = signed

    @staticmethod
    def initial_of(notebook: Notebook) -> dict[str, str]:
        """Return what the entry says now."""
        return {
            "title": notebook.title,
            "description": notebook.description,
            "tags": ", ".join(notebook.tags),
            "department": notebook.department,
        }

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `edit_notebook`."""
        return {**self.cleaned_data, "tags": self.cleaned_data["tags"].split(",")}
