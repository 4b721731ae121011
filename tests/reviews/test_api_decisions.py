"""The API of submitting, reviewing, signing off, revoking."""

import json
from typing import Any

import pytest

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from audit.signing import public_key
from gallery.models import Version
from gallery.workflow import Status
from reviews.models import Review, Signature
from tests.api import PASSWORD, V1, as_person, codes, fields, is_problem, post
from tests.factories.gallery import make_version, review

pytestmark = pytest.mark.django_db

APPROVE = {"decision": "approve", "comment": "", "password": PASSWORD}


def act(by: User, version: Version, name: str, **body: Any) -> Any:
    path = f"notebooks/{version.notebook.slug}/versions/{version.number}/{name}/"
    return post(as_person(by), path, **body)


def status_of(version: Version) -> str:
    return Version.objects.get(pk=version.pk).status


def test_a_script_walks_a_version_from_draft_to_revoked(
    ada: User, ravi: User, petra: User, carol: User, chen: User
) -> None:
    version = make_version()
    submitted = act(ada, version, "submit")
    assert (submitted.status_code, submitted.json()["status"]) == (200, "in_review")
    reviewed = act(ravi, version, "reviews", **APPROVE)
    assert reviewed.status_code == 201
    assert reviewed.json()["printed_name"] == "Ravi Menon"
    assert reviewed.json()["meaning"] == "Peer reviewed and approved"
    assert act(petra, version, "reviews", **APPROVE).status_code == 201
    signed = act(carol, version, "sign-offs", **APPROVE)
    assert signed.status_code == 201
    assert signed.json()["signed_by"] == "carol"
    assert signed.json()["audience"]["everyone"] is True
    assert status_of(version) == Status.APPROVED
    revoked = act(chen, version, "revoke", reason="Wrong.", password=PASSWORD)
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert revoked.json()["end_reason"] == "Wrong."


def test_a_withdrawn_version_stays_withdrawn(ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    assert act(ada, version, "withdraw").json()["status"] == "withdrawn"
    again = act(ada, version, "withdraw")
    assert is_problem(again, 409)
    assert codes(again) == ["not_under_review"]


def test_a_wrong_password_signs_nothing(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = act(ravi, version, "reviews", **APPROVE | {"password": "guess"})
    assert is_problem(answer, 403)
    assert answer.json()["code"] == "wrong_password"
    assert not Review.objects.exists()


def test_too_many_wrong_passwords_are_429_even_when_right_at_last(
    ravi: User, settings: Any
) -> None:
    version = make_version(Status.IN_REVIEW)
    wrong = APPROVE | {"password": "guess"}
    answers = [
        act(ravi, version, "reviews", **wrong).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert answers[0] == 403
    assert is_problem(act(ravi, version, "reviews", **APPROVE), 429)
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("reviews", {"decision": "approve"}),
        ("sign-offs", {"decision": "approve"}),
        ("revoke", {"reason": "Wrong."}),
    ],
)
def test_signing_without_a_password_is_400(
    name: str, body: dict[str, str], carol: User
) -> None:
    answer = act(carol, make_version(Status.IN_REVIEW), name, **body)
    assert is_problem(answer, 400)
    assert fields(answer) == ["password"]


def test_own_work_is_403_with_its_reason(ada: User) -> None:
    RoleAssignment.objects.create(person=ada, role=Role.PEER_REVIEWER)
    RoleAssignment.objects.create(person=ada, role=Role.COMPLIANCE_OFFICER)
    in_review = make_version(Status.IN_REVIEW)
    refused = act(ada, in_review, "reviews", **APPROVE)
    assert is_problem(refused, 403)
    assert codes(refused) == ["own_work"]
    peer_approved = make_version(Status.PEER_APPROVED)
    refused = act(ada, peer_approved, "sign-offs", **APPROVE)
    assert is_problem(refused, 403)
    assert codes(refused) == ["own_work"]


def test_a_wrong_role_is_403_with_its_reason(ravi: User, carol: User) -> None:
    refused = act(carol, make_version(Status.IN_REVIEW), "reviews", **APPROVE)
    assert is_problem(refused, 403)
    assert codes(refused) == ["not_a_reviewer"]
    refused = act(
        ravi, make_version(Status.APPROVED), "revoke", reason="x", password=PASSWORD
    )
    assert is_problem(refused, 403)


def test_out_of_order_is_409_with_its_reason(carol: User) -> None:
    refused = act(carol, make_version(Status.IN_REVIEW), "sign-offs", **APPROVE)
    assert is_problem(refused, 409)
    assert codes(refused) == ["peer_quorum_missing"]


def test_a_second_review_by_the_same_peer_is_403(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    act(ravi, version, "reviews", **APPROVE)
    refused = act(ravi, version, "reviews", **APPROVE)
    assert is_problem(refused, 403)
    assert codes(refused) == ["already_signed"]


def test_a_stale_fingerprint_is_409_and_a_fresh_one_signs(
    ravi: User, petra: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/"
    seen = as_person(petra).get(path).json()["fingerprint"]
    review(version, ravi)
    stale = act(petra, version, "reviews", **APPROVE, seen=seen)
    assert is_problem(stale, 409)
    fresh = as_person(petra).get(path).json()["fingerprint"]
    assert act(petra, version, "reviews", **APPROVE, seen=fresh).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "maybe"}, "decision"),
        ({"decision": "request_changes"}, "comment"),
        ({"decision": ["approve"]}, "decision"),
        ({"comment": "x" * 5001}, "comment"),
        ({"comment": "a\x00b"}, "comment"),
        ({"passwrd": "x"}, "passwrd"),
        ({"decision": None}, "decision"),
    ],
)
def test_a_malformed_decision_is_400_and_names_the_field(
    body: dict[str, Any], field: str, ravi: User
) -> None:
    answer = act(ravi, make_version(Status.IN_REVIEW), "reviews", **APPROVE | body)
    assert is_problem(answer, 400)
    assert fields(answer) == [field]
    assert not Review.objects.exists()


@pytest.mark.parametrize("name", ["submit", "withdraw"])
def test_a_call_without_a_body_takes_none(name: str, ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = act(ada, version, name, force=True)
    assert is_problem(answer, 400)
    assert status_of(version) == Status.IN_REVIEW


def test_what_one_may_not_see_is_404_before_anything_else(
    ravi: User, adams: User
) -> None:
    draft = make_version()
    for name, body in (("submit", {}), ("reviews", APPROVE), ("sign-offs", APPROVE)):
        assert is_problem(act(ravi, draft, name, **body), 404)
        assert is_problem(act(adams, draft, name, **body), 404)


def test_signing_needs_the_csrf_token(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/reviews/"
    answer = as_person(ravi, csrf=True).post(path, APPROVE, format="json")
    assert is_problem(answer, 403)
    assert not Review.objects.exists()


def test_signatures_come_with_all_it_takes_to_check_them(
    carol: User, adams: User
) -> None:
    version = make_version(Status.APPROVED)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/signatures/"
    page = as_person(carol).get(path).json()
    assert (page["count"], page["next"], page["previous"]) == (3, None, None)
    told = page["results"]
    assert [each["person"] for each in told] == ["ravi", "petra", "carol"]
    assert {each["public_key"] for each in told} == {public_key().hex()}
    stored = Signature.objects.get(person=carol)
    assert told[2]["signature"] == bytes(stored.signature).hex()
    assert told[2]["payload"] == stored.payload
    refused = as_person(adams).get(path)
    assert is_problem(refused, 403)
    assert codes(refused) == ["no_source_access"]


def test_signatures_come_by_the_page(carol: User) -> None:
    version = make_version(Status.APPROVED)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/signatures/"
    page = as_person(carol).get(path, {"page": 2, "page_size": 2}).json()
    assert (page["count"], page["next"]) == (3, None)
    assert [each["person"] for each in page["results"]] == ["carol"]
    assert is_problem(as_person(carol).get(path, {"page": 9}), 404)


def test_a_password_appears_in_no_answer(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    good = act(ravi, version, "reviews", **APPROVE)
    bad = act(ravi, version, "reviews", **APPROVE | {"password": "hunter2hunter2"})
    assert b'countersign"' not in good.content
    assert b"hunter2hunter2" not in bad.content


def test_who_does_not_say_what_they_read_signs_what_is_in_force_and_is_told(
    ada: User, carol: User
) -> None:
    version = make_version(Status.PEER_APPROVED)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/"
    read = as_person(carol).get(path).json()["fingerprint"]
    narrowed = post_access(ada, version, launch=["carol"])
    assert narrowed.status_code == 200
    in_force = as_person(carol).get(path).json()["fingerprint"]
    answer = act(carol, version, "sign-offs", **APPROVE)
    assert answer.status_code == 201
    assert answer.json()["fingerprint"] == in_force != read
    assert answer.json()["digest"] == version.digest
    assert answer.json()["audience"]["people"] == ["carol"]
    signed = json.loads(version.signatures.get(person=carol).payload)
    assert signed["fingerprint"] == in_force
    assert signed["audience"] == answer.json()["audience"]


def test_a_review_answers_what_was_signed(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/"
    in_force = as_person(ravi).get(path).json()["fingerprint"]
    answer = act(ravi, version, "reviews", **APPROVE).json()
    assert (answer["digest"], answer["fingerprint"]) == (version.digest, in_force)


def post_access(by: User, version: Version, **body: Any) -> Any:
    path = f"{V1}/notebooks/{version.notebook.slug}/access/"
    return as_person(by).put(path, {"source": None, **body}, format="json")
