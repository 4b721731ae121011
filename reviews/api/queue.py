"""What waits for the caller, and what else is under review."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from gallery.access import source_readable_by
from gallery.models import Notebook, Version
from reviews.policies import peer_approvals, peers_required
from reviews.queries import drafts_of, under_review, waiting_for


def _readable_under_review(user: User) -> QuerySet[Version]:
    readable = Notebook.objects.filter(source_readable_by(user)).values("pk")
    return under_review().filter(notebook__in=readable)


QUEUES: dict[str, Callable[[User], QuerySet[Version]]] = {
    "waiting": waiting_for,
    "drafts": drafts_of,
    "under_review": _readable_under_review,
}
QUEUE_CHOICES = [(name, name) for name in QUEUES]


class QueueQuerySerializer(serializers.Serializer[Any]):
    """Which part of the queue."""

    queue = serializers.ChoiceField(
        required=False,
        default="waiting",
        choices=QUEUE_CHOICES,
        help_text="`waiting`: what you could decide now; `drafts`: your own versions "
        "that need your hand; `under_review`: all that is under review and open to you.",
    )


class QueuedVersionSerializer(serializers.ModelSerializer[Version]):
    """A version in the queue."""

    notebook = serializers.CharField(source="notebook.slug")
    title = serializers.CharField(source="notebook.title")
    created_by = serializers.CharField(source="created_by.username")
    approvals = serializers.SerializerMethodField()
    approvals_required = serializers.SerializerMethodField()

    class Meta:
        """What the queue's page shows."""

        model = Version
        fields = (
            "notebook",
            "title",
            "number",
            "status",
            "summary",
            "created_at",
            "created_by",
            "submitted_at",
            "approvals",
            "approvals_required",
        )

    def get_approvals(self, version: Version) -> int:
        """Return how many peers have approved."""
        counted = getattr(version, "approvals", None)
        return peer_approvals(version) if counted is None else counted

    def get_approvals_required(self, version: Version) -> int:
        """Return how many have to."""
        return peers_required(version.notebook)


class QueueView(GenericAPIView[Version]):
    """The review queue."""

    queryset = Version.objects.none()
    serializer_class = QueuedVersionSerializer

    @extend_schema(
        parameters=[QueueQuerySerializer], responses=QueuedVersionSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List what waits for the caller, or another part of the queue."""
        asked = QueueQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = QUEUES[asked.validated_data["queue"]](request.user)
        page = self.paginate_queryset(found.defer("document"))
        return self.get_paginated_response(
            QueuedVersionSerializer(page, many=True).data
        )
