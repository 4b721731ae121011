"""Every pair of a version's states: the moves that exist, and all that do not."""

from datetime import timedelta
from itertools import product

import pytest

from accounts.models import User
from audit.models import Event
from audit.transitions import InvalidTransition, StaleState, move
from gallery.models import Version
from gallery.workflow import FINAL, TRANSITIONS, UNDER_REVIEW, Status
from reviews.models import Meaning
from tests.factories.gallery import NOW, make_version, person
from tests.rows import review_row, sign_off_row, signature_row

pytestmark = pytest.mark.django_db

PAIRS = list(product(Status, Status))
#: What the promise says, written out a second time.
MOVES = {
    ("draft", "in_review"),
    ("in_review", "peer_approved"),
    ("in_review", "changes_requested"),
    ("in_review", "withdrawn"),
    ("peer_approved", "approved"),
    ("peer_approved", "changes_requested"),
    ("peer_approved", "withdrawn"),
    ("approved", "revoked"),
    ("approved", "expired"),
    ("approved", "superseded"),
}


def step(version: Version, to: str, by: User | None = None) -> None:
    fields = {}
    if to == Status.APPROVED:
        fields = {"approved_at": NOW, "approval_expires_at": NOW + timedelta(days=1)}
    move(version, to=to, table=TRANSITIONS, by=by, now=NOW, **fields)


def sign_for(version: Version, to: str) -> None:
    """Store the signatures without which the database refuses the move."""
    if (version.status, to) == (Status.IN_REVIEW, Status.PEER_APPROVED):
        for peer in (person("ravi"), person("petra")):
            review_row(version, peer)
            signature_row(version, peer, Meaning.PEER_REVIEWED)
    if (version.status, to) == (Status.PEER_APPROVED, Status.APPROVED):
        sign_off_row(version, person("carol"))
        signature_row(version, person("carol"), Meaning.COMPLIANCE_APPROVED)


@pytest.mark.parametrize(("was", "to"), PAIRS)
def test_a_version_moves_along_the_table_and_nowhere_else(
    was: Status, to: Status, ada: User
) -> None:
    version = make_version(was)
    sign_for(version, to)
    events = Event.objects.count()
    if (was, to) in MOVES:
        step(version, to, ada)
        assert version.status == to
        last = Event.objects.latest("seq")
        assert (last.action, last.actor) == (f"version.{to}", "ada")
        assert last.data["was"] == was
    else:
        with pytest.raises(InvalidTransition):
            step(version, to, ada)
        assert Event.objects.count() == events
    stored = Version.objects.get(pk=version.pk).status
    assert stored == (to if (was, to) in MOVES else was)


def test_a_move_from_a_state_that_is_no_more_is_stale(ada: User) -> None:
    seen = make_version(Status.IN_REVIEW)
    step(Version.objects.get(pk=seen.pk), Status.WITHDRAWN, ada)
    events = Event.objects.count()
    with pytest.raises(StaleState):
        step(seen, Status.CHANGES_REQUESTED, ada)
    assert Event.objects.count() == events
    assert Version.objects.get(pk=seen.pk).status == Status.WITHDRAWN


def test_the_sets_of_states_are_what_they_say() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {
        "changes_requested",
        "withdrawn",
        "revoked",
        "expired",
        "superseded",
    } == FINAL
    assert {"in_review", "peer_approved"} == UNDER_REVIEW
