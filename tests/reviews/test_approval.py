"""An approval holds by its signatures, never by its rows alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from audit.log import record
from audit.signing import public_key
from gallery.access import Audience
from gallery.models import Notebook, Version
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import Status
from reviews.approval import approval_problems
from reviews.models import Meaning, Review, Signature, SignOff
from reviews.policies import approval_blockers
from reviews.services import change_access
from reviews.signing import sign
from reviews.verification import signature_problems
from tests.factories.gallery import (
    NOW,
    confirmed,
    make_notebook,
    make_version,
    person,
    review,
    sign_off,
)
from tests.forging import forge_approval, forge_signature
from tests.rows import DIGEST, set_status

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(ada: User) -> Version:
    return make_version(Status.APPROVED)


def test_an_approval_through_the_services_holds(approved: Version) -> None:
    assert approval_problems(approved) == []
    assert approval_blockers(approved) == []


def test_rows_without_signatures_are_no_approval(
    ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    forged = forge_approval(make_version())
    assert approval_problems(forged) == ["No compliance officer's signature holds."]
    blocker = approval_blockers(forged)[0]
    assert blocker.code == "signatures_do_not_hold"
    assert "do not hold, so it does not run" in blocker.message
    assert f"approval.does_not_hold version_id={forged.pk}" in caplog.text


def test_signatures_of_another_version_are_no_approval(
    ada: User, approved: Version
) -> None:
    """Genuine signatures, copied with the columns that fit the other version."""
    other = make_version(Status.IN_REVIEW, title="Another")
    assert other.digest == approved.digest
    for each in approved.signatures.filter(meaning=Meaning.PEER_REVIEWED):
        Review.objects.create(
            version=other, decision="approve", reviewed_at=NOW, reviewed_by=each.person
        )
        copy(each, other)
    set_status(other, "peer_approved")
    officer = approved.signatures.get(meaning=Meaning.COMPLIANCE_APPROVED)
    SignOff.objects.create(
        version=other,
        decision="approve",
        audience={},
        signed_at=NOW,
        signed_by=officer.person,
    )
    copy(officer, other)
    set_status(
        other,
        "approved",
        approved_at=NOW,
        approval_expires_at=approved.approval_expires_at,
    )
    other.refresh_from_db()
    assert approval_problems(other) == ["No compliance officer's signature holds."]


def copy(signature: Signature, version: Version) -> None:
    signature.pk = None
    signature.version = version
    signature.save(force_insert=True)


def test_a_peer_who_did_not_sign_does_not_count(ada: User) -> None:
    """One peer signs, the other's signature is forged, compliance signs honestly."""
    version = make_version(Status.IN_REVIEW)
    review(version, person("ravi"))
    petra = person("petra")
    Review.objects.create(
        version=version, decision="approve", reviewed_at=NOW, reviewed_by=petra
    )
    forge_signature(version, petra, Meaning.PEER_REVIEWED)
    set_status(version, "peer_approved")
    version.refresh_from_db()
    sign_off(version, person("carol"))
    version.refresh_from_db()
    assert version.status == Status.APPROVED
    assert approval_problems(version) == ["1 of 2 peers' signatures hold."]


def test_another_key_approves_nothing(approved: Version, settings: Any) -> None:
    settings.SIGNING_KEY = b"k" * 32
    assert approval_problems(approved) == ["No compliance officer's signature holds."]


def test_who_joins_the_authors_later_takes_nothing_from_the_approval(
    approved: Version, ravi: User
) -> None:
    Version.objects.create(
        **{
            field.attname: getattr(approved, field.attname)
            for field in Version._meta.concrete_fields
            if field.attname not in {"id", "status", "approved_at"}
        }
        | {
            "number": 2,
            "digest": DIGEST,
            "created_at": NOW + timedelta(days=1),
            "created_by_id": ravi.pk,
            "approval_expires_at": None,
        }
    )
    assert approval_problems(approved) == []


def test_an_audience_that_nobody_signed_stops_the_approval(ada: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    narrow = Audience(everyone=False, people=("adams",))
    person("adams")
    everyone = Audience(everyone=True)
    apply_audiences(version.notebook, Audiences(narrow, everyone))
    sign_off(version, person("carol"))
    version = Version.objects.get(pk=version.pk)
    assert approval_problems(version) == []
    Notebook.objects.filter(pk=version.notebook_id).update(launch_restricted=False)
    version = Version.objects.get(pk=version.pk)
    assert approval_problems(version) == ["It is open to more people than was signed."]


def test_a_narrower_audience_needs_no_signature_and_a_signed_wider_one_holds(
    approved: Version, adams: User, baker: User, carol: User
) -> None:
    everyone = Audience(everyone=True)
    for people, confirmation in [
        (("adams",), None),
        (("adams", "baker"), confirmed(carol)),
    ]:
        change_access(
            notebook=approved.notebook,
            audiences=Audiences(Audience(everyone=False, people=people), everyone),
            by=carol,
            confirmation=confirmation,
            now=NOW,
        )
        assert approval_problems(Version.objects.get(pk=approved.pk)) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_notebook SET launch_restricted = false WHERE id = %s",
            [approved.notebook_id],
        )
    again = Version.objects.get(pk=approved.pk)
    assert approval_problems(again) == ["It is open to more people than was signed."]


NO_HASH = '{"previous_event_hash": "%s"}'


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "null",
        "{}",
        "{",
        "\ud800",
        "9" * 9,
        NO_HASH % r"\ud800",
        NO_HASH % r"\u0000",
    ],
)
def test_no_signed_text_breaks_the_check(approved: Version, payload: str) -> None:
    signature = approved.signatures.first()
    assert signature is not None
    signature.payload = payload
    assert "The signed text was changed." in signature_problems(
        signature, trusted_key=public_key()
    )


def test_an_approval_takes_as_many_queries_however_many_have_signed(
    ada: User, settings: Any
) -> None:
    RoleAssignment.objects.create(person=person("baker"), role=Role.PEER_REVIEWER)
    taken = []
    for number, peers in enumerate([("ravi", "petra"), ("ravi", "petra", "baker")]):
        settings.PEER_APPROVALS_REQUIRED = len(peers)
        notebook = make_notebook(title=f"Number {number}")
        version = make_version(Status.IN_REVIEW, notebook=notebook)
        for peer in peers:
            review(version, person(peer))
        sign_off(version, person("carol"))
        version = Version.objects.get(pk=version.pk)
        with CaptureQueriesContext(connection) as queries:
            assert approval_problems(version) == []
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_a_signature_without_its_act_in_the_log_does_not_hold(ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    ravi = person("ravi")
    with transaction.atomic():
        Review.objects.create(
            version=version, decision="approve", reviewed_at=NOW, reviewed_by=ravi
        )
        signature = sign(
            version=version,
            meaning=Meaning.PEER_REVIEWED,
            statement="",
            by=ravi,
            confirmation=confirmed(ravi),
            now=NOW,
        )
        record("comment.added", by=ravi, at=NOW, target=version)
    assert signature_problems(signature, trusted_key=public_key()) == [
        "The audit log does not hold the act where the signature says."
    ]
