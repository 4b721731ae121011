"""What the API takes and answers about people, groups and one's own account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from rest_framework import serializers

from accounts.models import PersonaAssignment, Session, User
from accounts.personas import Persona
from accounts.policies import keep_person_blockers
from accounts.roles import ROLE_CHOICES
from accounts.strict import PasswordField, StrictSerializer

STATES = [("active", "Active"), ("closed", "Closed")]


class PasswordChangeSerializer(StrictSerializer):
    """One's own new password, and the present one."""

    old = PasswordField()
    new = PasswordField()


class PasswordChoiceSerializer(StrictSerializer):
    """What stands in an operator's link, and the password that is chosen with it."""

    username = serializers.CharField(max_length=63)
    token = serializers.CharField(max_length=200, write_only=True)
    new = PasswordField()


class OpenSessionSerializer(serializers.ModelSerializer[Session]):
    """One of the caller's sessions."""

    id = serializers.CharField(source="fingerprint")
    device = serializers.CharField(source="device_name")
    is_this_one = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ("id", "device", "signed_in_at", "last_active_at", "is_this_one")

    def get_is_this_one(self, session: Session) -> bool:
        return bool(session.session_key == self.context["session_key"])


class RoleDefinitionSerializer(serializers.Serializer[Any]):
    """A role in words, and what it allows."""

    role = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class HeldPersonaSerializer(serializers.ModelSerializer[PersonaAssignment]):
    """A persona that somebody holds."""

    label = serializers.CharField()

    class Meta:
        model = PersonaAssignment
        fields = ("persona", "department", "label")


class PersonSerializer(serializers.ModelSerializer[User]):
    """An account, to an operator."""

    printed_name = serializers.CharField()
    roles = serializers.SerializerMethodField()
    personas = HeldPersonaSerializer(source="persona_assignments", many=True)
    groups: serializers.SlugRelatedField[Group] = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )

    class Meta:
        model = User
        fields = (
            "username",
            "display_name",
            "printed_name",
            "is_active",
            "roles",
            "personas",
            "groups",
        )

    def get_roles(self, person: User) -> list[str]:
        return sorted(person.roles)


class ListedPersonSerializer(PersonSerializer):
    """An account in the list."""

    last_active_at = serializers.DateTimeField(allow_null=True)

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "last_active_at")


class ReasonWhyNotSerializer(serializers.Serializer[Any]):
    """One reason why not: a stable code, and a sentence."""

    code = serializers.CharField()
    message = serializers.CharField()


class PersonDetailSerializer(PersonSerializer):
    """An account, and why the caller may not change it; needs `by` and `now`."""

    open_sessions = serializers.SerializerMethodField()
    blockers = serializers.SerializerMethodField()

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "open_sessions", "blockers")

    def get_open_sessions(self, person: User) -> int:
        now = self.context["now"]
        return int(person.sessions.filter(expire_date__gt=now).count())

    def get_blockers(self, person: User) -> list[dict[str, str]]:
        blockers = keep_person_blockers(self.context["by"], person)
        return [ReasonWhyNotSerializer(blocker).data for blocker in blockers]


class PersonWithLinkSerializer(PersonDetailSerializer):
    """An account with the link through which its owner chooses a password, once."""

    password_link = serializers.SerializerMethodField()

    class Meta(PersonDetailSerializer.Meta):
        fields = (*PersonDetailSerializer.Meta.fields, "password_link")

    def get_password_link(self, person: User) -> str:
        return str(self.context["link"])


class PeopleQuerySerializer(serializers.Serializer[Any]):
    """Whom to list."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=100)
    role = serializers.ChoiceField(
        required=False, allow_blank=True, choices=ROLE_CHOICES
    )
    state = serializers.ChoiceField(required=False, allow_blank=True, choices=STATES)


class NameSerializer(StrictSerializer):
    """The name that is printed beside signatures from now on."""

    display_name = serializers.CharField(max_length=150, allow_blank=True)


class NewPersonSerializer(StrictSerializer):
    """A new account; its owner chooses the password."""

    username = serializers.CharField(max_length=63)
    display_name = serializers.CharField(
        max_length=150, allow_blank=True, required=False, default=""
    )


class RolesSerializer(StrictSerializer):
    """Every role that the person holds from now on."""

    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLE_CHOICES))


class PersonaRequestSerializer(StrictSerializer):
    """One persona, and the department for which it is held."""

    persona = serializers.ChoiceField(choices=Persona.choices)
    department = serializers.CharField(
        max_length=64, allow_blank=True, required=False, default=""
    )


class PersonasRequestSerializer(StrictSerializer):
    """Every persona that the person holds from now on."""

    personas = PersonaRequestSerializer(many=True)

    def validate_personas(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        if len({row["persona"] for row in rows}) != len(rows):
            message = "A persona is named twice."
            raise serializers.ValidationError(message, code="repeated")
        return rows

    def holdings(self) -> dict[str, str]:
        """Persona to department."""
        rows = self.validated_data["personas"]
        return {row["persona"]: row["department"] for row in rows}


class GroupsSerializer(StrictSerializer):
    """Every group that the person belongs to from now on, by name."""

    groups = serializers.SlugRelatedField(
        slug_field="name", many=True, queryset=Group.objects.all()
    )
    reason = serializers.CharField(
        max_length=300,
        default="",
        help_text="Wanted when joining opens an approved notebook; kept in the audit log.",
    )


class ClosingSerializer(StrictSerializer):
    """Why the account is closed; kept in the audit log."""

    reason = serializers.CharField(max_length=300)


class GroupSerializer(serializers.ModelSerializer[Group]):
    """A group and its size."""

    members = serializers.IntegerField()

    class Meta:
        model = Group
        fields = ("id", "name", "members")


class NewGroupSerializer(StrictSerializer):
    """A new group, empty."""

    name = serializers.CharField(max_length=150)
