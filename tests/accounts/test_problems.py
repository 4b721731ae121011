"""Every refusal that services raise has its status, for the API and for pages."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.test import Client
from django.urls import path
from rest_framework import exceptions, serializers

from accounts.personas import PersonaNotHeld
from accounts.policies import BadInput, Blocker, FieldError, NotAllowed, TooLarge
from accounts.problems import exception_handler, problem_of
from accounts.throttle import TooManyAttempts, WrongPassword
from audit.transitions import InvalidTransition, StaleState
from config.urls import handler404 as handler404
from config.urls import urlpatterns as real_urls

CHORE = SimpleNamespace(status="new")
OWN = Blocker("own_work", "You wrote this version.")
REFUSALS: dict[str, tuple[Exception, int, str]] = {
    "not-allowed": (NotAllowed([OWN]), 403, "not_allowed"),
    "persona": (PersonaNotHeld("lab"), 403, "not_allowed"),
    "password": (WrongPassword(), 403, "wrong_password"),
    "attempts": (TooManyAttempts(), 429, "too_many_attempts"),
    "stale": (StaleState(CHORE), 409, "stale_state"),
    "step": (InvalidTransition(CHORE, "x"), 409, "invalid_transition"),
    "input": (
        BadInput([FieldError("dose", "too_big", "At most 5.")]),
        400,
        "bad_input",
    ),
    "size": (
        TooLarge([FieldError("file", "too_large", "At most 10 MB.")]),
        413,
        "too_large",
    ),
    "request-size": (RequestDataTooBig(), 413, "too_large"),
    "denied": (PermissionDenied(), 403, "forbidden"),
    "missing": (Http404(), 404, "not_found"),
}


def refusing(name: str):
    def view(request):
        raise REFUSALS[name][0]

    return view


urlpatterns = [*(path(f"t/{name}/", refusing(name)) for name in REFUSALS), *real_urls]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize("name", REFUSALS)
def test_the_api_answers_with_the_right_problem(name):
    exc, status, code = REFUSALS[name]
    answer = exception_handler(exc, {})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.data["code"] == code
    assert answer.data["type"].endswith(code)
    assert answer.data["title"]
    assert answer.data["detail"]


@pytest.mark.parametrize("name", sorted(REFUSALS.keys() - {"missing"}))
def test_a_page_answers_with_the_same_status(sign_in, ada, name):
    answer = sign_in(ada).get(f"/t/{name}/")
    assert answer.status_code == REFUSALS[name][1]
    assert b"<h1>" in answer.content


def test_a_page_says_every_reason(sign_in, ada):
    assert b"You wrote this version." in sign_in(ada).get("/t/not-allowed/").content


def test_a_page_out_of_date_offers_the_page_it_came_from(sign_in, ada):
    client = sign_in(ada)
    came_from = client.post("/t/stale/", HTTP_REFERER="http://testserver/profile/?a=1")
    assert b'href="/profile/?a=1"' in came_from.content
    elsewhere = client.post("/t/stale/", HTTP_REFERER="https://evil.example/")
    assert b"evil.example" not in elsewhere.content


def test_errors_and_blockers_are_listed():
    assert problem_of(REFUSALS["not-allowed"][0]).as_dict()["blockers"] == [
        {"code": "own_work", "message": "You wrote this version."}
    ]
    assert problem_of(REFUSALS["input"][0]).as_dict()["errors"] == [
        {"field": "dose", "code": "too_big", "message": "At most 5."}
    ]


def every_refusal_of_the_framework():
    """One of each kind that REST framework raises by itself."""
    made = {
        exceptions.MethodNotAllowed: ["PUT"],
        exceptions.UnsupportedMediaType: ["a/b"],
    }
    for kind in exceptions.APIException.__subclasses__():
        yield kind(*made.get(kind, []))


@pytest.mark.parametrize(
    "exc", list(every_refusal_of_the_framework()), ids=lambda exc: type(exc).__name__
)
def test_a_title_holds_no_placeholder(exc):
    problem = problem_of(exc)
    assert problem.title
    assert not set("{}") & set(problem.title + problem.detail)


def test_a_title_names_the_kind_and_the_detail_the_occurrence():
    problem = problem_of(exceptions.MethodNotAllowed("PUT"))
    assert problem.title == "Method not allowed"
    assert problem.detail == 'Method "PUT" not allowed.'
    problem = problem_of(exceptions.UnsupportedMediaType("text/csv"))
    assert problem.title == "Media type not taken"
    assert "text/csv" in problem.detail


def test_an_unknown_address_of_the_api_is_a_problem_in_json(client, db):
    answer = client.get("/api/v1/nowhere/")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_an_unknown_address_of_a_page_is_a_page(client, db):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert b"<h1" in answer.content


def test_a_mistake_of_ours_is_no_refusal(sign_in, ada):
    assert problem_of(ZeroDivisionError()) is None
    assert exception_handler(ZeroDivisionError(), {}) is None


class Inner(serializers.Serializer):
    day = serializers.DateField()


class Outer(serializers.Serializer):
    name = serializers.CharField()
    inner = Inner()
    many = serializers.ListField(child=serializers.IntegerField())

    def validate(self, data):
        raise serializers.ValidationError("They do not fit.", "unfit")


def errors_of(data) -> list[tuple[str, str]]:
    serializer = Outer(data=data)
    with pytest.raises(exceptions.ValidationError) as refusal:
        serializer.is_valid(raise_exception=True)
    problem = problem_of(refusal.value)
    assert problem.status == 400
    return [(error.field, error.code) for error in problem.errors]


def test_nested_errors_are_flattened_with_their_path():
    assert errors_of({"inner": {}, "many": [1, "x"]}) == [
        ("name", "required"),
        ("inner.day", "required"),
        ("many.1", "invalid"),
    ]


def test_errors_of_the_whole_have_no_field():
    good = {"name": "x", "inner": {"day": "2026-01-01"}, "many": []}
    assert errors_of(good) == [("", "unfit")]


@pytest.mark.parametrize(
    ("exc", "status", "header"),
    [
        (exceptions.NotAuthenticated(), 401, None),
        (exceptions.Throttled(wait=12.3), 429, "13"),
        (exceptions.NotFound(), 404, None),
        (exceptions.MethodNotAllowed("PUT"), 405, None),
    ],
)
def test_the_frameworks_refusals_become_problems(exc, status, header):
    answer = exception_handler(exc, {})
    assert answer.status_code == status
    assert answer.get("Retry-After") == header
    assert answer.content_type == "application/problem+json"


def test_the_anonymous_are_led_to_sign_in_before_any_refusal(db):
    assert Client().get("/t/not-allowed/").status_code == 302
