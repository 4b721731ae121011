"""One's own account: password, sessions, and what the roles mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SessionAuthentication
from accounts.models import Session, User
from accounts.queries import open_sessions
from accounts.requests import signed_in
from accounts.roles import ROLES
from accounts.serializers import (
    OpenSessionSerializer,
    PasswordChangeSerializer,
    PasswordChoiceSerializer,
    RoleDefinitionSerializer,
)
from accounts.services import change_password, choose_password, end_session

if TYPE_CHECKING:
    from rest_framework.request import Request


class PasswordView(APIView):
    """One's own password: from a session, never from a token."""

    authentication_classes = (SessionAuthentication,)

    @extend_schema(request=PasswordChangeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the password; the caller's other sessions end."""
        sent = PasswordChangeSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        change_password(
            person=signed_in(request),
            request=request._request,
            now=timezone.now(),
            **sent.validated_data,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChoosePasswordView(APIView):
    """A first password, or a new one after an operator has voided it."""

    permission_classes = (AllowAny,)

    @extend_schema(request=PasswordChoiceSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Choose a password with what stands in an operator's link, once."""
        SessionAuthentication().enforce_csrf(request)
        sent = PasswordChoiceSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        clean = sent.validated_data
        choose_password(
            person=get_object_or_404(User, username=clean["username"]),
            token=clean["token"],
            new=clean["new"],
            now=timezone.now(),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionsView(GenericAPIView[Session]):
    """Where the caller is signed in."""

    queryset = Session.objects.none()
    serializer_class = OpenSessionSerializer

    @extend_schema(responses=OpenSessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's open sessions, the last used first."""
        found: Any = open_sessions(signed_in(request), now=timezone.now())
        told = OpenSessionSerializer(
            self.paginate_queryset(found),
            many=True,
            context={"session_key": request._request.session.session_key},
        )
        return self.get_paginated_response(told.data)


class OpenSessionView(APIView):
    """One of the caller's sessions."""

    authentication_classes = (SessionAuthentication,)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, fingerprint: str) -> Response:
        """End it, for example on a lost phone."""
        now = timezone.now()
        person = signed_in(request)
        for session in open_sessions(person, now=now):
            if session.fingerprint == fingerprint:
                end_session(session=session, by=person, now=now)
                return Response(status=status.HTTP_204_NO_CONTENT)
        raise Http404


class RolesView(GenericAPIView[Any]):
    """Who may do what."""

    queryset = User.objects.none()
    serializer_class = RoleDefinitionSerializer

    @extend_schema(responses=RoleDefinitionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the roles and what each allows, as the code knows them."""
        roles: Any = [
            {
                "role": role.value,
                "name": definition.name,
                "description": definition.description,
                "permissions": sorted(definition.permissions),
            }
            for role, definition in ROLES.items()
        ]
        told = RoleDefinitionSerializer(self.paginate_queryset(roles), many=True)
        return self.get_paginated_response(told.data)
