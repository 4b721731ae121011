"""One's own account by script: password, sessions, roles in words."""

import logging
from typing import Any

import pytest
from django.test import Client

from accounts.models import Session, User
from accounts.roles import ROLES
from accounts.services import password_link_token
from audit.models import Event
from config.demo.people import PASSWORD
from tests.api import V1, codes, fields, is_problem

JSON = "application/json"
NEW = "a sentence that only I know"


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(f"{V1}/{address}", body, content_type=JSON)


def test_a_changed_password_ends_the_other_sessions(sign_in: Any, ravi: User) -> None:
    here, elsewhere = sign_in(ravi), sign_in(ravi)
    assert post(here, "password/", old=PASSWORD, new=NEW).status_code == 204
    assert here.get(f"{V1}/session/").json()["authenticated"] is True
    assert elsewhere.get(f"{V1}/session/").json()["authenticated"] is False
    ravi.refresh_from_db()
    assert ravi.check_password(NEW)
    assert Event.objects.get().action == "person.password_changed"


@pytest.mark.security
def test_without_the_present_password_nothing_changes(sign_in: Any, ravi: User) -> None:
    answer = post(sign_in(ravi), "password/", old="guess", new=NEW)
    assert is_problem(answer, 403)
    assert answer.json()["code"] == "wrong_password"
    ravi.refresh_from_db()
    assert ravi.check_password(PASSWORD)
    assert Event.objects.get().action == "session.password_refused"


@pytest.mark.security
def test_guessing_the_present_password_is_throttled(
    sign_in: Any, ravi: User, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    client = sign_in(ravi)
    assert is_problem(post(client, "password/", old="guess", new=NEW), 403)
    assert is_problem(post(client, "password/", old="guess", new=NEW), 429)
    assert is_problem(post(client, "password/", old=PASSWORD, new=NEW), 429)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"old": PASSWORD}, "new"),
        ({"new": NEW}, "old"),
        ({"old": PASSWORD, "new": "short"}, "new"),
        ({"old": PASSWORD, "new": "x" * 1025}, "new"),
        ({"old": PASSWORD, "new": NEW, "person": "ada"}, "person"),
    ],
)
def test_a_password_that_cannot_be_taken_is_400(
    sign_in: Any, ravi: User, body: dict[str, str], field: str
) -> None:
    answer = post(sign_in(ravi), "password/", **body)
    assert is_problem(answer, 400)
    assert field in fields(answer)
    ravi.refresh_from_db()
    assert ravi.check_password(PASSWORD)


@pytest.mark.security
def test_a_password_stands_in_no_answer_event_or_log(
    sign_in: Any, ravi: User, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    client = sign_in(ravi)
    answers = [
        post(client, "password/", old="guessed-wrongly", new=NEW),
        post(client, "password/", old=PASSWORD, new="shortish"),
        post(client, "password/", old=PASSWORD, new=NEW),
    ]
    kept = caplog.text + "".join(event.payload for event in Event.objects.all())
    kept += "".join(answer.content.decode() for answer in answers)
    for secret in ("guessed-wrongly", "shortish", NEW, PASSWORD + '"'):
        assert secret not in kept


@pytest.mark.security
@pytest.mark.parametrize("address", ["password/", "password/choose/"])
def test_passwords_are_taken_with_the_csrf_token_only(ravi: User, address: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    if address == "password/":
        careful.force_login(ravi)
    body = {"old": PASSWORD, "new": NEW}
    if address == "password/choose/":
        token = password_link_token(ravi)
        body = {"username": "ravi", "token": token, "new": NEW}
    assert is_problem(post(careful, address, **body), 403)
    ravi.refresh_from_db()
    assert ravi.check_password(PASSWORD)


@pytest.mark.security
def test_the_anonymous_change_no_password(client: Client, db: None) -> None:
    assert is_problem(post(client, "password/", old=PASSWORD, new=NEW), 401)


@pytest.mark.security
def test_a_link_works_once_and_signs_out_everywhere(
    client: Client, sign_in: Any, ravi: User
) -> None:
    browser = sign_in(ravi)
    token = password_link_token(ravi)
    link = {"username": "ravi", "token": token, "new": NEW}
    assert post(client, "password/choose/", **link).status_code == 204
    assert browser.get(f"{V1}/session/").json()["authenticated"] is False
    again = post(client, "password/choose/", **link | {"new": NEW + "!"})
    assert is_problem(again, 403)
    assert codes(again) == ["link_used"]
    ravi.refresh_from_db()
    assert ravi.check_password(NEW)


@pytest.mark.security
def test_a_link_is_for_one_person(client: Client, ravi: User, petra: User) -> None:
    link = {"username": "petra", "token": password_link_token(ravi), "new": NEW}
    assert is_problem(post(client, "password/choose/", **link), 403)
    assert is_problem(
        post(client, "password/choose/", **link | {"username": "nobody"}), 404
    )
    weak = post(client, "password/choose/", **link | {"new": "short"})
    assert is_problem(weak, 400)
    assert not Event.objects.exists()


def test_sessions_are_listed_and_ended_one_by_one(sign_in: Any, ravi: User) -> None:
    here = sign_in(ravi)
    phone = sign_in(ravi, HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Safari/604.1")
    listed = here.get(f"{V1}/sessions/").json()
    assert listed["count"] == 2
    (other,) = [row for row in listed["results"] if not row["is_this_one"]]
    keys = set(Session.objects.values_list("session_key", flat=True))
    assert other["id"] not in keys
    address = f"{V1}/sessions/{other['id']}/"
    assert here.delete(address).status_code == 204
    assert phone.get(f"{V1}/session/").json()["authenticated"] is False
    assert is_problem(here.delete(address), 404)
    assert Event.objects.get().action == "session.ended"


@pytest.mark.security
def test_other_peoples_sessions_do_not_exist(
    sign_in: Any, ravi: User, otto: User
) -> None:
    theirs = sign_in(ravi)
    session = Session.objects.get(person=ravi)
    operator = sign_in(otto)
    answer = operator.delete(f"{V1}/sessions/{session.fingerprint}/")
    assert is_problem(answer, 404)
    assert theirs.get(f"{V1}/session/").json()["authenticated"] is True


def test_the_roles_are_those_of_the_code(sign_in: Any, nora: User) -> None:
    told = sign_in(nora).get(f"{V1}/roles/").json()["results"]
    assert {row["role"]: set(row["permissions"]) for row in told} == {
        role.value: set(definition.permissions) for role, definition in ROLES.items()
    }
