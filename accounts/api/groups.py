"""Operators keep groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from accounts.api.operating import OperatorView, bad_input
from accounts.queries import groups_with_members
from accounts.requests import signed_in
from accounts.serializers import (
    GroupSerializer,
    NewGroupSerializer,
)
from accounts.services import create_group, delete_group

if TYPE_CHECKING:
    from rest_framework.request import Request


class GroupsView(OperatorView, GenericAPIView[Group]):
    """All groups."""

    queryset = Group.objects.none()
    serializer_class = GroupSerializer

    @extend_schema(responses=GroupSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the groups by name, with how many people are in each."""
        page = self.paginate_queryset(groups_with_members())
        return self.get_paginated_response(GroupSerializer(page, many=True).data)

    @extend_schema(request=NewGroupSerializer, responses={201: GroupSerializer})
    def post(self, request: Request) -> Response:
        """Make an empty group."""
        sent = NewGroupSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            group = create_group(
                by=signed_in(request), now=timezone.now(), **sent.validated_data
            )
        except ValidationError as refusal:
            raise bad_input(refusal) from refusal
        made = groups_with_members().get(pk=group.pk)
        return Response(GroupSerializer(made).data, status=status.HTTP_201_CREATED)


class GroupView(OperatorView):
    """One group."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, group_id: int) -> Response:
        """Delete it; its members lose what they had through it alone."""
        group = get_object_or_404(Group, pk=group_id)
        delete_group(group=group, by=signed_in(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
