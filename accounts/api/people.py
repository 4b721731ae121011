"""Operators keep people: list, new accounts, and every change to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from accounts import services
from accounts.api.operating import OperatorView, bad_input, person_or_404
from accounts.links import password_link
from accounts.models import User
from accounts.queries import people_matching
from accounts.requests import signed_in
from accounts.serializers import (
    ClosingSerializer,
    ListedPersonSerializer,
    NameSerializer,
    NewPersonSerializer,
    PeopleQuerySerializer,
    PersonasRequestSerializer,
    PersonDetailSerializer,
    PersonWithLinkSerializer,
    RolesSerializer,
)
from accounts.strict import EmptySerializer

if TYPE_CHECKING:
    from rest_framework.request import Request


class PeopleView(OperatorView, GenericAPIView[User]):
    """Everybody."""

    queryset = User.objects.none()
    serializer_class = ListedPersonSerializer

    @extend_schema(
        parameters=[PeopleQuerySerializer], responses=ListedPersonSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List people by name, role and state."""
        asked = PeopleQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        people = people_matching(
            text=wanted.get("q", ""),
            role=wanted.get("role", ""),
            state=wanted.get("state", ""),
        )
        told = ListedPersonSerializer(self.paginate_queryset(people), many=True)
        return self.get_paginated_response(told.data)

    @extend_schema(
        request=NewPersonSerializer, responses={201: PersonWithLinkSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make an account, and answer the link that its owner needs."""
        sent = NewPersonSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            person = services.create_person(
                by=signed_in(request), now=timezone.now(), **sent.validated_data
            )
        except ValidationError as refusal:
            raise bad_input(refusal) from refusal
        token = services.password_link_token(person)
        told = person_with_link(request, person, token)
        return Response(told, status=status.HTTP_201_CREATED)


class PersonView(OperatorView):
    """One account."""

    @extend_schema(responses=PersonDetailSerializer)
    def get(self, request: Request, username: str) -> Response:
        """Show an account, and why the caller may not change it."""
        return Response(person_as_dict(request, person_or_404(username)))

    @extend_schema(request=NameSerializer, responses=PersonDetailSerializer)
    def patch(self, request: Request, username: str) -> Response:
        """Change the name that is printed beside signatures from now on."""
        person = person_or_404(username)
        sent = NameSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.rename_person(
            person=person,
            by=signed_in(request),
            now=timezone.now(),
            **sent.validated_data,
        )
        return Response(person_as_dict(request, person))


class PersonRolesView(OperatorView):
    """The roles of a person."""

    @extend_schema(request=RolesSerializer, responses=PersonDetailSerializer)
    def put(self, request: Request, username: str) -> Response:
        """Let the person hold exactly these roles; nobody changes their own."""
        person = person_or_404(username)
        sent = RolesSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.set_roles(
            person=person,
            roles=set(sent.validated_data["roles"]),
            by=signed_in(request),
            now=timezone.now(),
        )
        return Response(person_as_dict(request, person))


class PersonPersonasView(OperatorView):
    """The personas of a person."""

    @extend_schema(request=PersonasRequestSerializer, responses=PersonDetailSerializer)
    def put(self, request: Request, username: str) -> Response:
        """Let the person hold exactly these personas; nobody changes their own."""
        person = person_or_404(username)
        sent = PersonasRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.set_personas(
            person=person,
            personas=sent.holdings(),
            by=signed_in(request),
            now=timezone.now(),
        )
        return Response(person_as_dict(request, person))


class DeactivateView(OperatorView):
    """Close an account."""

    @extend_schema(request=ClosingSerializer, responses=PersonDetailSerializer)
    def post(self, request: Request, username: str) -> Response:
        """Close it at once: its sessions end now, its runs within seconds."""
        person = person_or_404(username)
        sent = ClosingSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.deactivate_person(
            person=person,
            by=signed_in(request),
            now=timezone.now(),
            **sent.validated_data,
        )
        return Response(person_as_dict(request, person))


class ReactivateView(OperatorView):
    """Open a closed account."""

    @extend_schema(request=EmptySerializer, responses=PersonDetailSerializer)
    def post(self, request: Request, username: str) -> Response:
        """Open it again, with the roles that it had."""
        person = person_or_404(username)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        services.reactivate_person(
            person=person, by=signed_in(request), now=timezone.now()
        )
        return Response(person_as_dict(request, person))


class EndSessionsView(OperatorView):
    """Sign a person out."""

    @extend_schema(request=EmptySerializer, responses=PersonDetailSerializer)
    def post(self, request: Request, username: str) -> Response:
        """End all sessions of the person."""
        person = person_or_404(username)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        services.end_sessions(person=person, by=signed_in(request), now=timezone.now())
        return Response(person_as_dict(request, person))


class ResetPasswordView(OperatorView):
    """Void a password."""

    @extend_schema(request=EmptySerializer, responses=PersonWithLinkSerializer)
    def post(self, request: Request, username: str) -> Response:
        """Void it, end all sessions, and answer the link for a new one."""
        person = person_or_404(username)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        token = services.reset_password(
            person=person, by=signed_in(request), now=timezone.now()
        )
        return Response(person_with_link(request, person, token))


def person_as_dict(request: Request, person: User) -> dict[str, Any]:
    """An account, read afresh, as PersonDetailSerializer says."""
    found = User.objects.get(pk=person.pk)
    return dict(PersonDetailSerializer(found, context=_context(request)).data)


def person_with_link(request: Request, person: User, token: str) -> dict[str, Any]:
    """The same with the link that `token` belongs to."""
    link = password_link(request._request, person, token)
    context = {**_context(request), "link": link}
    found = User.objects.get(pk=person.pk)
    return dict(PersonWithLinkSerializer(found, context=context).data)


def _context(request: Request) -> dict[str, Any]:
    return {"by": signed_in(request), "now": timezone.now()}
