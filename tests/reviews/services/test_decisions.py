"""Peer review and sign-off: the way to approval, and everything that is not it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group

from accounts.models import RoleAssignment, User
from accounts.policies import NotAllowed, NotNow
from accounts.roles import Role
from audit.log import BadEventData
from audit.models import Event
from gallery.access import Audience
from gallery.models import Version
from gallery.services import Upload, add_version
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import Status
from reviews.models import (
    Meaning,
    NotebookPolicy,
    Review,
    ReviewPolicy,
    Signature,
    SignOff,
)
from reviews.services import record_review, submit
from reviews.services.decisions import Decision, InvalidDecision
from reviews.signing import NotConfirmed
from tests.factories.gallery import (
    NOW,
    confirmed,
    ipynb,
    make_version,
    review,
    sign_off,
)

pytestmark = pytest.mark.django_db

EVERYONE = Audience(everyone=True)


def status_of(version: Version) -> str:
    return Version.objects.get(pk=version.pk).status


def codes(refusal: pytest.ExceptionInfo[NotAllowed]) -> list[str]:
    return [blocker.code for blocker in refusal.value.blockers]


def nothing_was_signed(version: Version) -> bool:
    return not (
        Review.objects.filter(version=version).exists()
        or SignOff.objects.filter(version=version).exists()
        or Signature.objects.filter(version=version).exists()
    )


def test_ada_submits_ravi_and_petra_approve_and_carol_signs_off(
    ada: User, ravi: User, petra: User, carol: User
) -> None:
    version = make_version()
    submit(version=version, by=ada, now=NOW)
    assert status_of(version) == Status.IN_REVIEW
    review(version, ravi, comment="Clear.")
    assert status_of(version) == Status.IN_REVIEW
    review(version, petra)
    assert status_of(version) == Status.PEER_APPROVED
    sign_off(version, carol, comment="Counts only.")
    version.refresh_from_db()
    assert version.status == Status.APPROVED
    assert version.approved_at == NOW
    valid = timedelta(days=settings.APPROVAL_VALID_DAYS)
    assert version.approval_expires_at == NOW + valid
    signed = version.signatures.values_list("person__username", "meaning")
    assert set(signed) == {
        ("ravi", Meaning.PEER_REVIEWED),
        ("petra", Meaning.PEER_REVIEWED),
        ("carol", Meaning.COMPLIANCE_APPROVED),
    }
    told = Event.objects.filter(target_type="gallery.version").order_by("seq")
    assert list(told.values_list("action", flat=True)) == [
        "version.uploaded",
        "version.submitted",
        "review.recorded",
        "review.recorded",
        "version.peer_approved",
        "sign_off.recorded",
        "version.approved",
    ]


def test_a_sign_off_keeps_the_audience_that_was_on_the_sheet(
    carol: User, adams: User
) -> None:
    version = make_version(Status.PEER_APPROVED)
    cardiology = Group.objects.create(name="Cardiology")
    launch = Audience(everyone=False, groups=(cardiology.name,), people=("adams",))
    apply_audiences(version.notebook, Audiences(launch=launch, source=EVERYONE))
    sign_off(version, carol)
    signed = SignOff.objects.get(version=version)
    assert signed.audience == {
        "everyone": False,
        "groups": ["Cardiology"],
        "people": ["adams"],
    }


def test_the_author_reviews_nothing_of_theirs_even_as_a_peer(ada: User) -> None:
    RoleAssignment.objects.create(person=ada, role=Role.PEER_REVIEWER)
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(NotAllowed) as refusal:
        review(version, ada)
    assert codes(refusal) == ["own_work"]
    assert nothing_was_signed(version)


def test_the_author_signs_off_nothing_of_theirs_even_as_compliance(ada: User) -> None:
    RoleAssignment.objects.create(person=ada, role=Role.COMPLIANCE_OFFICER)
    version = make_version(Status.PEER_APPROVED)
    with pytest.raises(NotAllowed) as refusal:
        sign_off(version, ada)
    assert codes(refusal) == ["own_work"]
    assert status_of(version) == Status.PEER_APPROVED


def test_whoever_wrote_any_version_of_the_notebook_reviews_none(
    ada: User, ravi: User
) -> None:
    RoleAssignment.objects.create(person=ravi, role=Role.AUTHOR)
    version = make_version(Status.IN_REVIEW)
    version.notebook.versions.create(
        **{
            field.attname: getattr(version, field.attname)
            for field in Version._meta.concrete_fields
            if field.attname not in {"id", "notebook_id", "number", "status"}
        }
        | {"number": 2, "created_by_id": ravi.pk}
    )
    with pytest.raises(NotAllowed) as refusal:
        review(version, ravi)
    assert codes(refusal) == ["own_work"]


@pytest.mark.parametrize(
    "name", ["ada", "carol", "adams", "otto", "iris", "nora", "helen"]
)
def test_a_review_refuses_whoever_is_no_peer_reviewer(
    name: str, request: pytest.FixtureRequest
) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(NotAllowed) as refusal:
        review(version, request.getfixturevalue(name))
    assert "not_a_reviewer" in codes(refusal)
    assert nothing_was_signed(version)


@pytest.mark.parametrize("name", ["ada", "adams", "otto", "iris", "nora", "bill"])
def test_a_sign_off_refuses_whoever_is_no_compliance_officer(
    name: str, request: pytest.FixtureRequest
) -> None:
    version = make_version(Status.PEER_APPROVED)
    with pytest.raises(NotAllowed) as refusal:
        sign_off(version, request.getfixturevalue(name))
    assert "not_a_compliance_officer" in codes(refusal)
    assert status_of(version) == Status.PEER_APPROVED


def test_a_deactivated_reviewer_reviews_nothing(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    ravi.is_active = False
    ravi.save()
    with pytest.raises(NotAllowed):
        review(version, ravi)
    assert nothing_was_signed(version)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.IN_REVIEW}))
def test_peers_review_only_what_is_in_review(status: Status, ravi: User) -> None:
    fresh = User.objects.create(username="rosa", display_name="Rosa Diaz")
    RoleAssignment.objects.create(person=fresh, role=Role.PEER_REVIEWER)
    version = make_version(status)
    with pytest.raises(NotNow) as refusal:
        review(version, fresh)
    assert codes(refusal) == ["not_in_review"]
    assert status_of(version) == status


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PEER_APPROVED}))
def test_compliance_signs_only_after_the_peers(status: Status, chen: User) -> None:
    version = make_version(status)
    with pytest.raises(NotNow) as refusal:
        sign_off(version, chen)
    expected = (
        "peer_quorum_missing" if status == Status.IN_REVIEW else "not_peer_approved"
    )
    assert codes(refusal) == [expected]
    assert status_of(version) == status


def test_a_peer_approves_once(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    review(version, ravi)
    with pytest.raises(NotAllowed) as refusal:
        review(version, ravi)
    assert codes(refusal) == ["already_signed"]
    assert Review.objects.filter(version=version).count() == 1
    assert status_of(version) == Status.IN_REVIEW


def test_a_peer_does_not_sign_off_what_they_reviewed(ravi: User) -> None:
    RoleAssignment.objects.create(person=ravi, role=Role.COMPLIANCE_OFFICER)
    version = make_version(Status.PEER_APPROVED)
    with pytest.raises(NotAllowed) as refusal:
        sign_off(version, ravi)
    assert codes(refusal) == ["already_signed"]
    assert status_of(version) == Status.PEER_APPROVED


def test_one_peer_who_requests_changes_ends_it(ravi: User, petra: User) -> None:
    version = make_version(Status.IN_REVIEW)
    review(version, ravi)
    review(version, petra, "request_changes", "The join drops rows.")
    version.refresh_from_db()
    assert version.status == Status.CHANGES_REQUESTED
    assert version.end_reason == "The join drops rows."
    assert version.ended_at == NOW


def test_a_rejected_sign_off_asks_for_another_version(carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    sign_off(version, carol, "reject", "The audience is too wide.")
    version.refresh_from_db()
    assert version.status == Status.CHANGES_REQUESTED
    signature = version.signatures.get(person=carol)
    assert signature.meaning == Meaning.COMPLIANCE_REJECTED


@pytest.mark.parametrize(
    ("decision", "comment", "field"),
    [
        ("request_changes", "", "comment"),
        ("request_changes", " \x00 ", "comment"),
        ("approve", "x" * 5001, "comment"),
        ("reject", "no", "decision"),
        ("", "", "decision"),
    ],
)
def test_a_review_needs_a_known_decision_and_a_reason_for_no(
    decision: str, comment: str, field: str, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(InvalidDecision) as refusal:
        review(version, ravi, decision, comment)
    assert [error.field for error in refusal.value.errors] == [field]
    assert nothing_was_signed(version)


def test_a_policy_of_one_peer_needs_one(ravi: User, carol: User) -> None:
    version = make_version()
    light = ReviewPolicy.objects.get(name="One peer")
    NotebookPolicy.objects.create(
        notebook=version.notebook, policy=light, assigned_at=NOW, assigned_by=carol
    )
    submit(version=version, by=version.created_by, now=NOW)
    review(version, ravi)
    assert status_of(version) == Status.PEER_APPROVED


def test_a_policy_of_three_peers_is_not_done_with_two(carol: User) -> None:
    version = make_version()
    strict = ReviewPolicy.objects.get(name="Three peers")
    NotebookPolicy.objects.create(
        notebook=version.notebook, policy=strict, assigned_at=NOW, assigned_by=carol
    )
    submit(version=version, by=version.created_by, now=NOW)
    for name in ("rosa", "sven"):
        peer = User.objects.create(username=name)
        RoleAssignment.objects.create(person=peer, role=Role.PEER_REVIEWER)
        review(version, peer)
    assert status_of(version) == Status.IN_REVIEW
    with pytest.raises(NotNow) as refusal:
        sign_off(version, carol)
    assert "2 of 3" in refusal.value.blockers[0].message


def test_an_approval_supersedes_the_one_before(ada: User) -> None:
    first = make_version(Status.APPROVED)
    second = make_version(Status.APPROVED, notebook=first.notebook)
    first.refresh_from_db()
    assert (first.status, second.status) == (Status.SUPERSEDED, Status.APPROVED)
    assert first.end_reason == "Replaced by version 2."


def test_equal_bytes_uploaded_again_are_a_draft_without_any_approval(
    ada: User,
) -> None:
    approved = make_version(Status.APPROVED)
    again = add_version(
        notebook=approved.notebook, upload=Upload(data=ipynb()), by=ada, now=NOW
    )
    assert again.digest == approved.digest
    assert again.status == Status.DRAFT
    assert nothing_was_signed(again)


@pytest.mark.parametrize("age", [timedelta(seconds=-1), timedelta(seconds=61)])
def test_a_password_given_for_another_moment_signs_nothing(
    age: timedelta, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(NotConfirmed):
        record_review(
            version=version,
            decision=Decision("approve"),
            by=ravi,
            confirmation=confirmed(ravi, NOW - age),
            now=NOW,
        )
    assert nothing_was_signed(version)


def test_a_colleagues_password_signs_nothing(ravi: User, petra: User) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(NotConfirmed):
        record_review(
            version=version,
            decision=Decision("approve"),
            by=ravi,
            confirmation=confirmed(petra),
            now=NOW,
        )
    assert nothing_was_signed(version)


def test_a_decision_whose_event_cannot_be_recorded_did_not_happen(
    ravi: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version(Status.IN_REVIEW)
    too_much = {"words": ["w" * 400] * 20}
    monkeypatch.setattr(Version, "audit_data", property(lambda _: too_much))
    with pytest.raises(BadEventData):
        review(version, ravi)
    assert nothing_was_signed(version)
    assert status_of(version) == Status.IN_REVIEW
