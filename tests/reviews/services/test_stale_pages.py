"""A decision on a page that no longer holds: nothing is signed."""

import pytest

from accounts.models import User
from audit.transitions import StaleState
from gallery.access import Audience
from gallery.models import Version
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import Status
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
