"""Operators keep who belongs to a group, which may open approved notebooks to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.operating import OperatorView, person_or_404
from accounts.api.people import person_as_dict
from accounts.requests import signed_in
from accounts.serializers import GroupsSerializer, PersonDetailSerializer
from reviews.services import change_groups

if TYPE_CHECKING:
    from rest_framework.request import Request


class PersonGroupsView(OperatorView):
    """The groups of a person."""

    @extend_schema(request=GroupsSerializer, responses=PersonDetailSerializer)
    def put(self, request: Request, username: str) -> Response:
        """Let the person belong to exactly these groups; nobody changes their own."""
        person = person_or_404(username)
        sent = GroupsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        change_groups(
            person=person,
            by=signed_in(request),
            now=timezone.now(),
            **sent.validated_data,
        )
        return Response(person_as_dict(request, person))
