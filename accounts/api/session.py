"""The API of sessions and personas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.middleware.csrf import get_token
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SessionAuthentication
from accounts.personas import Persona, active_persona
from accounts.requests import signed_in
from accounts.services import WrongPassword, act_as, sign_in, sign_out
from accounts.strict import PasswordField, StrictSerializer

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request


class CredentialsSerializer(StrictSerializer):
    """What signing in takes."""

    username = serializers.CharField(max_length=150)
    password = PasswordField()


class SessionSerializer(serializers.Serializer[Any]):
    """Who is calling."""

    authenticated = serializers.BooleanField()
    username = serializers.CharField(allow_null=True)
    printed_name = serializers.CharField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    personas = serializers.ListField(child=serializers.CharField())
    active_persona = serializers.CharField(allow_null=True)


class ActivePersonaSerializer(StrictSerializer):
    """Which persona to act as."""

    active = serializers.ChoiceField(choices=Persona.choices)


class PersonasSerializer(serializers.Serializer[Any]):
    """The personas held, in words too, and the active one of this session."""

    personas = serializers.ListField(child=serializers.CharField())
    labels = serializers.DictField(child=serializers.CharField())
    active = serializers.CharField(allow_null=True)


class SessionView(APIView):
    """Who am I; sign in; sign out."""

    permission_classes = (AllowAny,)

    @extend_schema(responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Say who is signed in, nobody included, and set the CSRF cookie."""
        return Response(session_as_dict(request._request))

    @extend_schema(request=CredentialsSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        """Sign in.  A wrong name or password is 401, too many of them 429."""
        SessionAuthentication().enforce_csrf(request)
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        try:
            sign_in(request._request, now=timezone.now(), **credentials.validated_data)
        except WrongPassword as refusal:
            message = "The user name or the password is not right."
            raise AuthenticationFailed(message, "wrong_credentials") from refusal
        return Response(session_as_dict(request._request))

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out; nobody signed in is fine."""
        sign_out(request._request, now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PersonasView(APIView):
    """The personas of the caller, and the active one of this session."""

    @extend_schema(responses=PersonasSerializer)
    def get(self, request: Request) -> Response:
        return Response(personas_as_dict(request._request))

    @extend_schema(request=ActivePersonaSerializer, responses=PersonasSerializer)
    def post(self, request: Request) -> Response:
        """Act as another persona from now on.  One that is not held is 403."""
        wanted = ActivePersonaSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        act_as(
            request._request,
            persona=wanted.validated_data["active"],
            now=timezone.now(),
        )
        return Response(personas_as_dict(request._request))


def session_as_dict(request: HttpRequest) -> dict[str, Any]:
    """Who is calling, as SessionSerializer says."""
    get_token(request)
    user = request.user
    if not user.is_authenticated:
        return {
            "authenticated": False,
            "username": None,
            "printed_name": None,
            "roles": [],
            "personas": [],
            "active_persona": None,
        }
    return {
        "authenticated": True,
        "username": user.username,
        "printed_name": user.printed_name,
        "roles": sorted(user.roles),
        "personas": user.personas,
        "active_persona": active_persona(request),
    }


def personas_as_dict(request: HttpRequest) -> dict[str, Any]:
    """The personas of the caller, as PersonasSerializer says."""
    held = list(signed_in(request).persona_assignments.order_by("persona"))
    return {
        "personas": [row.value for row in held],
        "labels": {row.value: row.label for row in held},
        "active": active_persona(request),
    }
