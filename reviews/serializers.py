"""What the API takes and answers about reviews, and notebooks with their reviews."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.strict import PasswordField, StrictSerializer
from gallery.models import Notebook, Version
from gallery.serializers import (
    BlockerSerializer,
    NotebookFieldsSerializer,
    VersionFieldsSerializer,
)
from reviews.models import (
    DECIDING,
    Comment,
    Review,
    ReviewDecision,
    Signature,
    SignOff,
    SignOffDecision,
)
from reviews.policies import next_step_blockers
from reviews.services.decisions import Decision
from reviews.sheet import sheet_fingerprint


class DecisionSerializer(StrictSerializer):
    """What every decision takes."""

    comment = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=5000
    )
    password = PasswordField()
    seen = serializers.CharField(
        required=False,
        max_length=64,
        help_text="The `fingerprint` of the version as it was read; when it no longer "
        "holds, the answer is 409.",
    )

    def decided(self) -> Decision:
        """Return what the services take."""
        clean = self.validated_data
        return Decision(clean["decision"], clean["comment"], seen=clean.get("seen"))


class ReviewRequestSerializer(DecisionSerializer):
    """A peer's decision."""

    decision = serializers.ChoiceField(choices=ReviewDecision.choices)


class SignOffRequestSerializer(DecisionSerializer):
    """A compliance officer's decision."""

    decision = serializers.ChoiceField(choices=SignOffDecision.choices)


class RevocationSerializer(StrictSerializer):
    """An approval taken away, with the reason."""

    reason = serializers.CharField(max_length=500)
    password = PasswordField()


class _SignedSerializer(serializers.ModelSerializer[Any]):
    """A decision with what its signature shows: printed name, time, meaning.

    Needs the version's signatures prefetched, or costs a query each.
    """

    #: The field that names who decided.
    signer = ""
    printed_name = serializers.SerializerMethodField()
    meaning = serializers.SerializerMethodField()
    digest = serializers.SerializerMethodField(
        help_text="Of the bytes that were signed."
    )
    fingerprint = serializers.SerializerMethodField(
        help_text="What was in force when it was signed: the version's `fingerprint` "
        "at that moment. Empty for signatures older than this field."
    )
    comment = serializers.SerializerMethodField(
        help_text="Null for who may not read the code, which it may quote."
    )

    def get_printed_name(self, decision: Any) -> str:
        """Return the name as it was signed."""
        signature = self._signature(decision)
        return (
            signature.printed_name
            if signature
            else getattr(decision, self.signer).username
        )

    def get_meaning(self, decision: Any) -> str:
        """Return what the signature says, in words."""
        signature = self._signature(decision)
        return signature.get_meaning_display() if signature else ""

    def get_digest(self, decision: Any) -> str:
        """Return the digest that the signature names."""
        signature = self._signature(decision)
        return signature.digest if signature else ""

    def get_fingerprint(self, decision: Any) -> str:
        """Return what else the signature names: audience, reviews, comments."""
        signature = self._signature(decision)
        signed = json.loads(signature.payload) if signature else {}
        return str(signed.get("fingerprint", ""))

    def get_comment(self, decision: Any) -> str | None:
        """Return the remark to who may read the code."""
        readable = decision.version.notebook_id in self.context["code_readable"]
        return str(decision.comment) if readable else None

    def _signature(self, decision: Any) -> Signature | None:
        signer_id = getattr(decision, f"{self.signer}_id")
        return next(
            (
                signature
                for signature in decision.version.signatures.all()
                if signature.person_id == signer_id and signature.meaning in DECIDING
            ),
            None,
        )


class ReviewSerializer(_SignedSerializer):
    """A peer's decision and signature."""

    signer = "reviewed_by"
    reviewed_by = serializers.CharField(source="reviewed_by.username")

    class Meta:
        """What everybody sees who sees the version."""

        model = Review
        fields = (
            "decision",
            "comment",
            "reviewed_at",
            "reviewed_by",
            "printed_name",
            "meaning",
            "digest",
            "fingerprint",
        )


class SignOffSerializer(_SignedSerializer):
    """A compliance officer's decision and signature."""

    signer = "signed_by"
    signed_by = serializers.CharField(source="signed_by.username")
    audience = serializers.DictField(help_text="Who may launch, as it was signed.")

    class Meta:
        """What everybody sees who sees the version."""

        model = SignOff
        fields = (
            "decision",
            "comment",
            "audience",
            "signed_at",
            "signed_by",
            "printed_name",
            "meaning",
            "digest",
            "fingerprint",
        )


class VersionSerializer(VersionFieldsSerializer):
    """A version with who reviewed and signed it."""

    reviews = ReviewSerializer(many=True)
    sign_offs = SignOffSerializer(many=True)

    class Meta(VersionFieldsSerializer.Meta):
        """The gallery's fields and the review's."""

        fields = (*VersionFieldsSerializer.Meta.fields, "reviews", "sign_offs")


class VersionDetailSerializer(VersionSerializer):
    """A version with what the caller may do next.

    `blockers` are the reasons why the caller may not take the version's next step:
    submit a draft, review or sign off what is under review.  An approved version has
    none; one whose life is over has the reason that ended it.
    """

    blockers = serializers.SerializerMethodField()
    fingerprint = serializers.SerializerMethodField(
        help_text="Of everything that a decision rests on; send it back as `seen`."
    )

    class Meta(VersionSerializer.Meta):
        """Adds what is the caller's own."""

        fields = (*VersionSerializer.Meta.fields, "blockers", "fingerprint")

    @extend_schema_field(BlockerSerializer(many=True))
    def get_blockers(self, version: Version) -> list[dict[str, str]]:
        """Return why the caller may not take the next step."""
        blockers = next_step_blockers(self.context["user"], version)
        return [BlockerSerializer(blocker).data for blocker in blockers]

    def get_fingerprint(self, version: Version) -> str:
        """Return what a signing call sends back."""
        return sheet_fingerprint(version)


class NotebookSerializer(NotebookFieldsSerializer):
    """A catalog entry with those of its versions that the caller may see."""

    versions = VersionSerializer(many=True, source="seen_versions")

    class Meta(NotebookFieldsSerializer.Meta):
        """The entry and its versions, ascending by number."""

        model = Notebook
        fields = (*NotebookFieldsSerializer.Meta.fields, "versions")


class NotebookDetailSerializer(NotebookSerializer):
    """The same, each version with what the caller may do next."""

    versions = VersionDetailSerializer(many=True, source="seen_versions")


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """A remark on a version, a cell or a line of it."""

    written_by = serializers.CharField(source="written_by.username")
    printed_name = serializers.CharField(source="written_by.printed_name")
    resolved_by = serializers.CharField(
        source="resolved_by.username", allow_null=True, default=None
    )

    class Meta:
        """Everything but the version, which the address names."""

        model = Comment
        fields = (
            "id",
            "cell_id",
            "line",
            "body",
            "written_at",
            "written_by",
            "printed_name",
            "resolved_at",
            "resolved_by",
        )


class CommentRequestSerializer(StrictSerializer):
    """A new remark; without a cell it is on the whole version."""

    body = serializers.CharField(max_length=5000)
    cell_id = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=64
    )
    line = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1
    )


class AudienceSerializer(serializers.Serializer[Any]):
    """Named groups and people, or everyone whom the default means."""

    everyone = serializers.BooleanField()
    groups = serializers.ListField(child=serializers.CharField())
    people = serializers.ListField(child=serializers.CharField())


class AccessSerializer(serializers.Serializer[Any]):
    """Who may launch the approved version, read the code, review it and edit it."""

    launch = AudienceSerializer()
    source = AudienceSerializer()
    review = AudienceSerializer(
        help_text="Which of the peer reviewers; never the authors."
    )
    edit = serializers.ListField(
        child=serializers.CharField(),
        help_text="Co-authors: they edit as who made it does, and never review or sign.",
    )


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": True},
            {"type": "string", "enum": ["everyone"]},
            {"type": "null"},
        ],
        "description": "Names of groups and people in one list, or an object with "
        "`groups` and `people`, or `everyone`.",
    }
)
class AudienceField(serializers.JSONField):
    """An audience in any of the forms that `read_audience` takes."""


class AccessRequestSerializer(StrictSerializer):
    """A change of some of them; what is left out stays as it is."""

    launch = AudienceField(required=False, allow_null=True)
    source = AudienceField(required=False, allow_null=True)
    review = AudienceField(required=False, allow_null=True)
    edit = serializers.ListField(
        required=False,
        child=serializers.CharField(max_length=150),
        max_length=500,
        help_text="User names of the co-authors.",
    )
    password = PasswordField(
        required=False,
        help_text="Only to widen the audience of an approved notebook, which is signed.",
    )


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    """A signature with all that it takes to check it elsewhere."""

    person = serializers.CharField(source="person.username")
    meaning_in_words = serializers.CharField(source="get_meaning_display")
    payload = serializers.CharField(help_text="The exact text that was signed.")
    signature = serializers.SerializerMethodField(help_text="Ed25519, hexadecimal.")
    public_key = serializers.SerializerMethodField(help_text="Ed25519, hexadecimal.")

    class Meta:
        """Everything that was signed."""

        model = Signature
        fields = (
            "person",
            "printed_name",
            "meaning",
            "meaning_in_words",
            "signed_at",
            "digest",
            "payload",
            "signature",
            "public_key",
        )

    def get_signature(self, signature: Signature) -> str:
        """Return the 64 bytes."""
        return bytes(signature.signature).hex()

    def get_public_key(self, signature: Signature) -> str:
        """Return the 32 bytes."""
        return bytes(signature.public_key).hex()
