"""The API of sessions and personas, with the errors that the contract promises."""

import pytest
from django.test import Client

from accounts.models import Session
from audit.models import Event
from config.demo.people import PASSWORD

SESSION = "/api/v1/session/"
PERSONAS = "/api/v1/personas/"
JSON = "application/json"


def post(client: Client, address: str, body, **more):
    return client.post(address, body, content_type=JSON, **more)


def problem(answer, status: int, code: str) -> dict:
    """The answer's problem document, checked for what RFC 9457 wants."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"urn:countersign:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return body


def test_the_anonymous_learn_that_they_are_and_get_a_csrf_cookie(client, db):
    answer = client.get(SESSION)
    assert answer.status_code == 200
    assert answer.json() == {
        "authenticated": False,
        "username": None,
        "printed_name": None,
        "roles": [],
        "personas": [],
        "active_persona": None,
    }
    assert "csrftoken" in answer.cookies


def test_a_script_signs_in_acts_and_signs_out(helen):
    script = Client(enforce_csrf_checks=True)
    script.get(SESSION)
    headers = {"HTTP_X_CSRFTOKEN": script.cookies["csrftoken"].value}
    answer = post(
        script, SESSION, {"username": "helen", "password": PASSWORD}, **headers
    )
    assert answer.status_code == 200
    assert answer.json()["username"] == "helen"
    assert answer.json()["personas"] == ["department_head", "doctor"]
    assert "sessionid" in script.cookies
    headers = {"HTTP_X_CSRFTOKEN": script.cookies["csrftoken"].value}
    answer = post(script, PERSONAS, {"active": "doctor"}, **headers)
    assert answer.json()["active"] == "doctor"
    assert script.get(SESSION).json()["active_persona"] == "doctor"
    assert script.delete(SESSION, **headers).status_code == 204
    assert script.get(SESSION).json()["authenticated"] is False
    assert [event.action for event in Event.objects.all()] == [
        "session.signed_in",
        "session.persona_changed",
        "session.signed_out",
    ]


def test_signing_out_when_nobody_is_signed_in_is_fine(client, db):
    assert client.delete(SESSION).status_code == 204


@pytest.mark.security
def test_signing_in_without_the_csrf_token_is_refused(ada):
    careful = Client(enforce_csrf_checks=True)
    answer = post(careful, SESSION, {"username": "ada", "password": PASSWORD})
    problem(answer, 403, "permission_denied")
    assert not Session.objects.exists()


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong"), ("nobody", "x")])
def test_a_wrong_name_or_password_is_401(client, ada, username, password):
    answer = post(client, SESSION, {"username": username, "password": password})
    problem(answer, 401, "wrong_credentials")
    assert answer["WWW-Authenticate"]


@pytest.mark.security
def test_too_many_wrong_passwords_are_429(client, ada, settings):
    settings.AXES_FAILURE_LIMIT = 2
    wrong = {"username": "ada", "password": "wrong"}
    problem(post(client, SESSION, wrong), 401, "wrong_credentials")
    problem(post(client, SESSION, wrong), 429, "too_many_attempts")
    right = {"username": "ada", "password": PASSWORD}
    problem(post(client, SESSION, right), 429, "too_many_attempts")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username", "password"}),
        ({"username": "ada"}, {"password"}),
        ({"username": ["ada"], "password": "x"}, {"username"}),
        ({"username": "a\0", "password": "x"}, {"username"}),
        ({"username": "x" * 200, "password": "x"}, {"username"}),
        ([], {""}),
    ],
)
def test_bad_input_names_its_fields(client, db, body, fields):
    found = problem(post(client, SESSION, body), 400, "bad_input")
    assert {error["field"] for error in found["errors"]} == fields
    for error in found["errors"]:
        assert set(error) == {"field", "code", "message"}


def test_what_is_not_json_is_400(client, db):
    answer = client.post(SESSION, "{", content_type=JSON)
    problem(answer, 400, "parse_error")


def test_another_content_type_is_415(client, db):
    problem(
        client.post(SESSION, "x", content_type="text/csv"),
        415,
        "unsupported_media_type",
    )


def test_another_method_is_405(client, db):
    problem(client.put(SESSION), 405, "method_not_allowed")


def test_a_body_that_is_too_large_is_413(client, db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    problem(post(client, SESSION, {"username": "x" * 50}), 413, "too_large")


@pytest.mark.security
def test_personas_are_for_the_signed_in(client, db):
    answer = client.get(PERSONAS)
    problem(answer, 401, "not_authenticated")
    problem(post(client, PERSONAS, {"active": "doctor"}), 401, "not_authenticated")


def test_personas_are_listed_with_words(sign_in, helen):
    assert sign_in(helen).get(PERSONAS).json() == {
        "personas": ["department_head", "doctor"],
        "labels": {
            "department_head": "Head of cardiology",
            "doctor": "Doctor, cardiology",
        },
        "active": None,
    }


@pytest.mark.security
def test_a_persona_not_held_is_403_with_a_blocker(sign_in, adams):
    answer = post(sign_in(adams), PERSONAS, {"active": "billing"})
    body = problem(answer, 403, "not_allowed")
    assert body["blockers"] == [
        {"code": "persona_not_held", "message": "You do not hold this persona."}
    ]


@pytest.mark.parametrize("body", [{}, {"active": "emperor"}, {"active": None}])
def test_no_persona_at_all_is_400(sign_in, adams, body):
    found = problem(post(sign_in(adams), PERSONAS, body), 400, "bad_input")
    assert found["errors"][0]["field"] == "active"


@pytest.mark.security
def test_acting_as_another_persona_wants_the_csrf_token(helen):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(helen)
    answer = post(careful, PERSONAS, {"active": "doctor"})
    problem(answer, 403, "permission_denied")
