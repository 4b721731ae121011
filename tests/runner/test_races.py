"""Acts that lock the same rows at once follow one another; none dies of a deadlock."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed
from accounts.services import deactivate_person, reactivate_person
from reviews.services import record_sign_off
from reviews.services.decisions import Decision
from reviews.signing import Confirmation
from runner.models import Run
from runner.services.lifecycle import claim_run
from tests.rows import peer_approve, version_row
from tests.runner.launching import approved, launch

pytestmark = pytest.mark.usefixtures("committed_db", "data_cluster")

ROUNDS = 5


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Do all acts at the same moment and return what they raised."""
    barrier, raised = threading.Barrier(len(acts)), []

    def act(each: Callable[[], object]) -> None:
        barrier.wait()
        try:
            each()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[each]) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def sign_off(version: object, officer: User) -> None:
    now = timezone.now()
    record_sign_off(
        version=version,
        decision=Decision("approve", "Fine."),
        by=officer,
        confirmation=Confirmation(officer.pk, now),
        now=now,
    )


def test_a_newer_approval_racing_the_start_of_an_older_one(
    ada: User, adams: User, ravi: User, petra: User, carol: User
) -> None:
    for _ in range(ROUNDS):
        old = approved("1")
        run = launch(old, adams)
        new = version_row(old.notebook, ada)
        peer_approve(new, ravi, petra)
        new.refresh_from_db()
        raised = at_once(
            lambda new=new: sign_off(new, carol),
            lambda run=run: claim_run(run_id=run.pk, now=timezone.now()),
        )
        assert raised == []
        old.refresh_from_db()
        new.refresh_from_db()
        assert (old.status, new.status) == ("superseded", "approved")
        assert Run.objects.get(pk=run.pk).status in {"starting", "cancelled"}


def test_a_signature_racing_the_deactivation_of_its_signer(
    ada: User, ravi: User, petra: User, carol: User, otto: User
) -> None:
    for _ in range(ROUNDS):
        version = approved("1")
        new = version_row(version.notebook, ada)
        peer_approve(new, ravi, petra)
        new.refresh_from_db()
        raised = at_once(
            lambda new=new: sign_off(new, carol),
            lambda: deactivate_person(
                person=carol, reason="She left.", by=otto, now=timezone.now()
            ),
        )
        assert [type(error) for error in raised] in ([], [NotAllowed])
        reactivate_person(person=carol, by=otto, now=timezone.now())
