"""How many peers must approve a notebook: compliance chooses among the policies."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.policies import require
from accounts.strict import StrictSerializer
from gallery.fetching import notebook_or_404
from gallery.models import Notebook
from gallery.serializers import BlockerSerializer
from reviews.models import NotebookPolicy, ReviewPolicy
from reviews.policies import peers_required, policy_blockers
from reviews.services import assign_policy


class ReviewPolicySerializer(serializers.ModelSerializer[ReviewPolicy]):
    """One policy that may be chosen."""

    class Meta:
        """What the page says of it."""

        model = ReviewPolicy
        fields = ("name", "description", "peer_approvals")


class NotebookPolicySerializer(serializers.Serializer[Any]):
    """The policy of a notebook; null: the default of the service."""

    policy = serializers.CharField(allow_null=True)
    approvals_required = serializers.IntegerField()
    choices = ReviewPolicySerializer(many=True)
    blockers = BlockerSerializer(
        many=True, help_text="Why the caller may not choose another one."
    )


class PolicyRequestSerializer(StrictSerializer):
    """Which policy to follow from the next review on."""

    policy = serializers.SlugRelatedField(
        slug_field="name",
        queryset=ReviewPolicy.objects.all(),
        help_text="The name of one of the `choices`.",
    )


class PolicyView(APIView):
    """The review policy of a notebook."""

    @extend_schema(responses=NotebookPolicySerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Show how many peers must approve, and what compliance may choose from."""
        notebook = notebook_or_404(request.user, slug)
        return Response(policy_as_dict(request.user, notebook))

    @extend_schema(request=PolicyRequestSerializer, responses=NotebookPolicySerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Choose another one; the bar is not moved while a version is under review."""
        notebook = notebook_or_404(request.user, slug)
        require(policy_blockers(request.user, notebook))
        sent = PolicyRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        assign_policy(
            notebook=notebook,
            policy=sent.validated_data["policy"],
            by=request.user,
            now=timezone.now(),
        )
        return Response(policy_as_dict(request.user, notebook))


def policy_as_dict(user: User, notebook: Notebook) -> dict[str, Any]:
    """Return a notebook's policy as NotebookPolicySerializer says."""
    chosen = NotebookPolicy.objects.select_related("policy").filter(notebook=notebook)
    names = chosen.values_list("policy__name", flat=True)
    told = NotebookPolicySerializer(
        {
            "policy": names.first(),
            "approvals_required": peers_required(notebook),
            "choices": ReviewPolicy.objects.all(),
            "blockers": policy_blockers(user, notebook),
        }
    )
    return told.data
