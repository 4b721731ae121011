"""A decision on a page that no longer holds: nothing is signed."""

import json
from datetime import timedelta

import pytest

from accounts.models import User
from audit.log import stamp
from audit.transitions import StaleState
from gallery.access import Audience
from gallery.models import Version
from gallery.services import edit_notebook
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import Status
from reviews.approval import approval_problems
from reviews.models import (
    Review,
)
from reviews.services import add_comment, record_review, record_sign_off
from reviews.services.comments import Place
from reviews.services.decisions import Decision
from reviews.sheet import sheet_fingerprint
from tests.factories.gallery import (
    NOW,
    confirmed,
    make_version,
    person,
    review,
)

pytestmark = pytest.mark.django_db

EVERYONE = Audience(everyone=True)


def status_of(version: Version) -> str:
    return Version.objects.get(pk=version.pk).status


def test_a_page_that_was_read_before_a_colleague_decided_is_stale(
    ravi: User, petra: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    seen = sheet_fingerprint(version)
    review(version, ravi)
    with pytest.raises(StaleState):
        record_review(
            version=version,
            decision=Decision("approve", seen=seen),
            by=petra,
            confirmation=confirmed(petra),
            now=NOW,
        )
    assert Review.objects.filter(version=version).count() == 1


def test_a_sheet_that_was_read_before_a_comment_is_stale(
    ravi: User, carol: User
) -> None:
    version = make_version(Status.PEER_APPROVED)
    seen = sheet_fingerprint(version)
    add_comment(version=version, body="Wait.", place=Place(), by=ravi, now=NOW)
    with pytest.raises(StaleState):
        record_sign_off(
            version=version,
            decision=Decision("approve", seen=seen),
            by=carol,
            confirmation=confirmed(carol),
            now=NOW,
        )
    assert status_of(version) == Status.PEER_APPROVED


def test_a_sheet_that_was_read_before_the_audience_changed_is_stale(
    carol: User, adams: User
) -> None:
    version = make_version(Status.PEER_APPROVED)
    seen = sheet_fingerprint(version)
    launch = Audience(everyone=False, people=("adams",))
    apply_audiences(version.notebook, Audiences(launch=launch, source=EVERYONE))
    with pytest.raises(StaleState):
        record_sign_off(
            version=version,
            decision=Decision("approve", seen=seen),
            by=carol,
            confirmation=confirmed(carol),
            now=NOW,
        )


def test_a_page_that_still_holds_is_signed(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    record_review(
        version=version,
        decision=Decision("approve", seen=sheet_fingerprint(version)),
        by=ravi,
        confirmation=confirmed(ravi),
        now=NOW,
    )
    assert Review.objects.filter(version=version).count() == 1


@pytest.mark.parametrize("change", ["title", "description", "source"])
def test_the_fingerprint_knows_all_that_the_sheet_shows(ada: User, change: str) -> None:
    version = make_version(Status.PEER_APPROVED)
    seen = sheet_fingerprint(version)
    notebook = version.notebook
    if change == "source":
        nobody = Audience(everyone=False, people=("ada",))
        apply_audiences(notebook, Audiences(Audience(everyone=True), nobody))
    else:
        edit_notebook(
            notebook=notebook,
            title="Other" if change == "title" else notebook.title,
            description="Other" if change == "description" else notebook.description,
            tags=notebook.tags,
            department=notebook.department,
            by=ada,
            now=NOW,
        )
    carol = person("carol")
    with pytest.raises(StaleState):
        record_sign_off(
            version=version,
            decision=Decision("approve", seen=seen),
            by=carol,
            confirmation=confirmed(carol),
            now=NOW,
        )
    assert status_of(version) == "peer_approved"


def test_a_sign_off_signs_what_the_sheet_shows(ada: User) -> None:
    version = make_version(Status.APPROVED)
    payload = version.signatures.get(meaning="compliance_approved").payload
    signed = json.loads(payload)
    notebook = version.notebook
    assert (signed["title"], signed["description"]) == (
        notebook.title,
        notebook.description,
    )
    everyone = {"everyone": True, "groups": [], "people": []}
    assert (signed["audience"], signed["source"]) == (everyone, everyone)
    assert signed["peer_approvals_required"] == 2
    assert signed["expires_at"] == stamp(version.approval_expires_at)


@pytest.mark.parametrize("name", ["title", "description", "expires_at"])
def test_what_was_signed_beside_the_version_is_compared_with_what_is_in_force(
    ada: User, name: str
) -> None:
    version = make_version(Status.APPROVED)
    if name == "expires_at":
        version.approval_expires_at += timedelta(days=1)
    else:
        setattr(version.notebook, name, "Other")
    assert len(approval_problems(version)) == 1
