"""The API's description: every call lists the refusals that it may answer."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as PlainAutoSchema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation

from accounts.problems import CONTENT_TYPE

_BODY_METHODS = {"POST", "PUT", "PATCH"}
_MEANINGS = {
    "400": "Something that was sent cannot be used.",
    "401": "Nobody is signed in.",
    "403": "The caller may see this but not do it; `blockers` say why.",
    "404": "There is nothing here that the caller may see.",
    "405": "This address does not take the method; `Allow` names those that it does.",
    "406": "The answer has none of the forms that `Accept` asks for.",
    "409": "The state is another one, or has changed meanwhile.",
    "413": "The body is larger than this address takes.",
    "415": "The body is of a media type that this address does not take.",
    "429": "Too many wrong passwords.",
    "503": "A part of the service does not answer.",
}


class SessionScheme(OpenApiAuthenticationExtension):
    """How a caller shows who they are."""

    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: PlainAutoSchema) -> dict[str, str]:
        """Return the cookie; calls that write also send the CSRF token."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Sign in by `POST session/`. Calls that write also send the "
            f"cookie {settings.CSRF_COOKIE_NAME} back as the header X-CSRFToken.",
        }


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One thing wrong with one field; an empty name means the whole."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ReasonSerializer(serializers.Serializer[Any]):
    """One reason why not."""

    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FieldProblemSerializer(many=True, required=False)
    blockers = ReasonSerializer(many=True, required=False)


class AutoSchema(PlainAutoSchema):
    """Adds the refusals to what drf-spectacular finds."""

    def get_tags(self) -> list[str]:
        """Group by the first word of the address."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for code in self._refusals():
            responses.setdefault(code, self._refusal(code))
        return dict(sorted(responses.items()))

    def _refusals(self) -> list[str]:
        found = {"401", "403", "405", "503"}
        if issubclass(self._negotiation(), DefaultContentNegotiation):
            found |= {"406"}
        if "{" in self.path:
            found |= {"404"}
        if self.method in _BODY_METHODS:
            found |= {"400", "409", "413", "415", "429"}
        return sorted(found)

    def _negotiation(self) -> type[Any]:
        """Return how the view chooses the form of its answer: downloads have but one."""
        chosen: type[Any] = self.view.content_negotiation_class
        return chosen

    def _refusal(self, code: str) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer(), "response")
        return {
            "description": _MEANINGS[code],
            "content": {CONTENT_TYPE: {"schema": component.ref}},
        }
