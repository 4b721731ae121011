"""How tests call the API: as a person, from a signed-in session."""

from typing import Any

from rest_framework.test import APIClient

from accounts.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD = "countersign"
V1 = "/api/v1"


def as_person(person: User, *, csrf: bool = False) -> APIClient:
    """Return a client that is signed in; with `csrf` it has to prove its origin."""
    client = APIClient(enforce_csrf_checks=csrf)
    # A password that was checked meanwhile may have been hashed anew.
    person.refresh_from_db(fields=["password"])
    client.force_login(person, backend=BACKEND)
    return client


def post(client: APIClient, path: str, **body: Any) -> Any:
    """Send JSON."""
    return client.post(f"{V1}/{path}", body, format="json")


def codes(response: Any) -> list[str]:
    """Return the codes of a refusal's errors or blockers."""
    body = response.json()
    return [each["code"] for each in body.get("errors", []) + body.get("blockers", [])]


def fields(response: Any) -> list[str]:
    """Return the fields that a refusal complains of."""
    return [error["field"] for error in response.json()["errors"]]


def is_problem(response: Any, status: int) -> bool:
    """Tell whether the answer is a refusal as RFC 9457 has it."""
    body = response.json()
    return (
        response.status_code == status == body["status"]
        and response["Content-Type"] == "application/problem+json"
        and {"type", "title", "status", "detail"} <= set(body)
    )
