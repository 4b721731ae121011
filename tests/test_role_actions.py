"""Who may do what, by role: every member of the cast × every action, as one table.

The policies are asked in the state in which the action is due, so that what is left
to stop somebody is who they are.
"""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.policies import Blocker
from gallery.models import Version
from gallery.policies import create_blockers, edit_blockers, read_blockers
from gallery.workflow import Status
from reviews.policies import (
    access_blockers,
    comment_blockers,
    policy_blockers,
    review_blockers,
    revoke_blockers,
    sign_off_blockers,
    submit_blockers,
    withdraw_blockers,
)
from runner.policies import cancel_blockers, launch_blockers, preview_blockers
from runner.policies import result_blockers as result_blockers_of
from runner.workflow import Status as RunStatus
from tests.factories.gallery import make_version, person
from tests.factories.runs import make_run
from tests.support import cast

pytestmark = pytest.mark.django_db

Ask = Callable[[User, Version], list[Blocker]]
AUTHOR = {"ada"}
PEERS = {"ravi", "petra"}
COMPLIANCE = {"carol", "chen"}
AUDITOR = {"iris"}
READERS = {"adams", "baker", "helen", "bill", "lena"}

ACTIONS: list[tuple[str, str, Ask, set[str]]] = [
    ("upload", Status.DRAFT, lambda user, _: create_blockers(user), AUTHOR),
    ("edit", Status.APPROVED, lambda user, v: edit_blockers(user, v.notebook), AUTHOR),
    ("read a draft", Status.DRAFT, read_blockers, AUTHOR),
    (
        "read the code",
        Status.IN_REVIEW,
        read_blockers,
        AUTHOR | PEERS | COMPLIANCE | AUDITOR,
    ),
    ("submit", Status.DRAFT, submit_blockers, AUTHOR),
    ("withdraw", Status.IN_REVIEW, withdraw_blockers, AUTHOR),
    ("review", Status.IN_REVIEW, review_blockers, PEERS),
    ("sign off", Status.PEER_APPROVED, sign_off_blockers, COMPLIANCE),
    ("revoke", Status.APPROVED, revoke_blockers, COMPLIANCE),
    ("comment", Status.IN_REVIEW, comment_blockers, AUTHOR | PEERS | COMPLIANCE),
    ("preview", Status.IN_REVIEW, preview_blockers, AUTHOR | PEERS | COMPLIANCE),
    (
        "launch",
        Status.APPROVED,
        lambda user, v: launch_blockers(user, v.notebook, v),
        AUTHOR | READERS,
    ),
    (
        "narrow the audience",
        Status.APPROVED,
        lambda user, v: access_blockers(user, v.notebook, widens_approved=False),
        AUTHOR | COMPLIANCE,
    ),
    (
        "widen the audience",
        Status.APPROVED,
        lambda user, v: access_blockers(user, v.notebook, widens_approved=True),
        COMPLIANCE,
    ),
    (
        "choose the review policy",
        Status.APPROVED,
        lambda user, v: policy_blockers(user, v.notebook),
        COMPLIANCE,
    ),
]


def who_may(ask: Callable[[User], list[Blocker]]) -> set[str]:
    return {name for name in cast.BY_NAME if not ask(person(name))}


@pytest.mark.parametrize(
    ("status", "ask", "expected"),
    [row[1:] for row in ACTIONS],
    ids=[row[0] for row in ACTIONS],
)
def test_an_action_is_for_these_people_and_nobody_else(
    status: str, ask: Ask, expected: set[str]
) -> None:
    version = make_version(status)
    assert who_may(lambda user: ask(user, version)) == expected


@pytest.mark.parametrize("row", ACTIONS, ids=[row[0] for row in ACTIONS])
def test_a_closed_account_acts_no_more(row: tuple[Any, ...]) -> None:
    _, status, ask, expected = row
    people = [person(name) for name in expected]
    version = make_version(status)
    User.objects.update(is_active=False)
    for closed in people:
        closed.refresh_from_db()
    assert [closed for closed in people if not ask(closed, version)] == []


@pytest.mark.parametrize(
    ("ask", "status"),
    [(result_blockers_of, RunStatus.SUCCEEDED), (cancel_blockers, RunStatus.RUNNING)],
)
def test_a_run_is_its_owners_alone(ask: Any, status: str) -> None:
    run = make_run(make_version(Status.APPROVED), person("adams"), status)
    assert who_may(lambda user: ask(user, run)) == {"adams"}
