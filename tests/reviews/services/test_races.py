"""Two people at once: one of them is first, and the other learns of it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections

from accounts.models import User
from accounts.policies import NotAllowed
from audit.models import Event
from audit.verify import verify_log
from gallery.access import Audience
from gallery.models import Version
from gallery.services.access import Audiences
from gallery.workflow import Status
from reviews.models import Review, Signature, SignOff
from reviews.services import change_access, withdraw
from tests.factories.gallery import NOW, make_version, review, sign_off

pytestmark = pytest.mark.usefixtures("committed_db")

Act = Callable[[], object]


def at_once(*acts: Act) -> list[Exception | None]:
    """Do all at the same moment; return what each raised."""
    gate = threading.Barrier(len(acts))
    raised: list[Exception | None] = [None] * len(acts)

    def run(index: int, act: Act) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            act()
        except Exception as error:
            raised[index] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(index, act))
        for index, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def the_chain_is_whole() -> bool:
    return verify_log().is_whole


def test_two_peers_who_approve_at_once_both_count(ravi: User, petra: User) -> None:
    version = make_version(Status.IN_REVIEW)
    raised = at_once(lambda: review(version, ravi), lambda: review(version, petra))
    assert raised == [None, None]
    assert Version.objects.get(pk=version.pk).status == Status.PEER_APPROVED
    assert Event.objects.filter(action="version.peer_approved").count() == 1
    assert the_chain_is_whole()


def test_two_compliance_officers_who_sign_at_once_sign_once(
    carol: User, chen: User
) -> None:
    version = make_version(Status.PEER_APPROVED)
    raised = at_once(lambda: sign_off(version, carol), lambda: sign_off(version, chen))
    refused = [error for error in raised if error is not None]
    assert len(refused) == 1
    assert isinstance(refused[0], NotAllowed)
    assert SignOff.objects.count() == 1
    assert Signature.objects.filter(meaning="compliance_approved").count() == 1
    assert Version.objects.get(pk=version.pk).status == Status.APPROVED
    assert the_chain_is_whole()


def test_one_peer_in_two_windows_signs_once(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    raised = at_once(lambda: review(version, ravi), lambda: review(version, ravi))
    assert sum(error is None for error in raised) == 1
    assert Review.objects.count() == Signature.objects.count() == 1


def test_a_withdrawal_and_a_sign_off_do_not_both_happen(ada: User, carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    raised = at_once(
        lambda: withdraw(version=version, by=ada, now=NOW),
        lambda: sign_off(version, carol),
    )
    assert sum(error is None for error in raised) == 1
    status = Version.objects.get(pk=version.pk).status
    assert status == (Status.WITHDRAWN if raised[0] is None else Status.APPROVED)
    assert SignOff.objects.count() == (0 if raised[0] is None else 1)


def test_what_is_signed_is_the_audience_that_stands(
    ada: User, carol: User, adams: User
) -> None:
    """Either the sign-off came first and ada's change narrows it, or it signed hers."""
    version = make_version(Status.PEER_APPROVED)
    narrow = Audience(everyone=False, people=("adams",))
    raised = at_once(
        lambda: change_access(
            notebook=version.notebook,
            audiences=Audiences(launch=narrow, source=Audience(everyone=True)),
            by=ada,
            confirmation=None,
            now=NOW,
        ),
        lambda: sign_off(version, carol),
    )
    assert raised == [None, None]
    order = Event.objects.filter(
        action__in=["access.changed", "sign_off.recorded"]
    ).order_by("seq")
    first = order[0].action
    signed = SignOff.objects.get(version=version).audience
    assert signed["everyone"] is (first == "sign_off.recorded")
