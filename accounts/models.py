"""People, the roles and personas that they hold, and their sessions."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models

from accounts.devices import device_name
from accounts.permissions import Permission
from accounts.personas import Persona
from accounts.roles import ROLE_CHOICES, Role, permissions_of

USERNAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}\Z"


class PeopleManager(UserManager["User"]):
    """Makes people; nobody stands above the rules."""

    def create_superuser(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: somebody above all rules would break every promise made here."""
        message = "There are no superusers.  Use: manage.py create_operator"
        raise RuntimeError(message)


class User(AbstractUser):
    """A person who may sign in.  What they may do follows from their roles."""

    username = models.CharField(
        "user name",
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(
                USERNAME_PATTERN,
                "Use lower-case letters, digits, dot, hyphen and underscore; "
                "start with a letter or a digit.",
            )
        ],
        error_messages={"unique": "Somebody already has this user name."},
        help_text="Lower-case letters, digits, dot, hyphen and underscore.",
    )
    display_name = models.CharField(
        "printed name",
        max_length=150,
        blank=True,
        help_text="The name that is printed beside signatures.",
    )

    objects: ClassVar[PeopleManager] = PeopleManager()
    _remembers_rights = False
    _remembered_permissions: frozenset[Permission] | None = None

    class Meta:
        ordering = ("username",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(is_superuser=False),
                name="accounts_user_no_superuser",
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def printed_name(self) -> str:
        """The name beside a signature: display name, else full, else user name."""
        return self.display_name or self.get_full_name() or self.username

    @property
    def roles(self) -> set[str]:
        self._recall("role_assignments")
        return {assignment.role for assignment in self.role_assignments.all()}

    @property
    def personas(self) -> list[str]:
        return [row.persona for row in self.held_personas]

    @property
    def held_personas(self) -> list[PersonaAssignment]:
        """The personas with their departments, in order."""
        self._recall("persona_assignments")
        return sorted(self.persona_assignments.all(), key=lambda row: row.persona)

    def remember_rights(self) -> None:
        """Look roles and personas up once in the life of this object.

        For the person who reads a page, whose rights a page asks for dozens of times.
        Nothing that writes may decide on such an object: without this call every
        question is asked anew, inside the transaction of the act too.
        """
        self._remembers_rights = True

    def _recall(self, assignments: str) -> None:
        if self._remembers_rights:
            models.prefetch_related_objects([self], assignments)

    @property
    def held_permissions(self) -> frozenset[Permission]:
        """Everything that this person's roles allow together."""
        if not self._remembers_rights:
            return permissions_of(self.roles)
        if self._remembered_permissions is None:
            self._remembered_permissions = permissions_of(self.roles)
        return self._remembered_permissions


class RoleAssignment(models.Model):
    """A person holds a role."""

    person = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="role_assignments"
    )
    role = models.CharField(max_length=32, choices=ROLE_CHOICES)

    class Meta:
        ordering = ("person", "role")
        constraints = (
            models.UniqueConstraint(
                fields=("person", "role"), name="accounts_role_once_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]),
                name="accounts_role_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} is {self.get_role_display()}"


class PersonaAssignment(models.Model):
    """A person may act as a persona, for a department where that matters."""

    person = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="persona_assignments"
    )
    persona = models.CharField(max_length=32, choices=Persona.choices)
    department = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("person", "persona")
        constraints = (
            models.UniqueConstraint(
                fields=("person", "persona"), name="accounts_persona_once_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(persona__in=Persona.values),
                name="accounts_persona_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} as {self.label}"

    @property
    def value(self) -> str:
        return self.persona

    @property
    def label(self) -> str:
        """In words, as in "Acting as": "Doctor, cardiology", "Head of cardiology"."""
        if not self.department:
            return str(self.get_persona_display())
        if self.persona == Persona.DEPARTMENT_HEAD:
            return f"Head of {self.department}"
        return f"{self.get_persona_display()}, {self.department}"


def fingerprint(session_key: str) -> str:
    """Return a name for a session that may stand in a page, unlike its key."""
    return sha256(session_key.encode()).hexdigest()[:16]


class Session(AbstractBaseSession):
    """A server-side session that knows whose it is, so that it can be ended."""

    person = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="sessions"
    )
    signed_in_at = models.DateTimeField(null=True)
    last_active_at = models.DateTimeField(null=True)
    device = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ("-last_active_at",)

    @property
    def fingerprint(self) -> str:
        """A name for the session that may stand in a page, unlike its key."""
        return fingerprint(self.session_key)

    @property
    def device_name(self) -> str:
        """The browser in words, for its owner to recognise."""
        return device_name(self.device)
