"""A link to the page of a live session: once, soon, one person, one sign-in."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Session
from accounts.policies import NotAllowed
from accounts.services import deactivate_person
from runner.models import ContentLink, LinkKind
from runner.policies import session_blockers
from runner.results import links
from runner.workflow import Status
from tests.factories.runs import finish, make_run
from tests.runner.launching import approved
from tests.runner.results.finished import events
from tests.runner.sessions.pages import live_run, signed_in

pytestmark = [pytest.mark.security, pytest.mark.django_db]


@pytest.fixture
def run(adams):
    return live_run(adams)


@pytest.fixture
def session(adams) -> Session:
    return signed_in(adams)[1]


def token_of(run, session) -> str:
    address = links.make_session_link(
        run, by=run.requested_by, sign_in=session.fingerprint, now=timezone.now()
    )
    head, token, tail = address.rsplit("/", 2)
    assert (head, tail) == (f"{settings.CONTENT_ORIGIN}/live", "")
    return token


def codes(user, run) -> list[str]:
    return [each.code for each in session_blockers(user, run)]


def refused(token: str) -> bool:
    with pytest.raises(links.LinkRefused):
        links.redeem_session(token, now=timezone.now())
    return True


def test_it_leads_to_the_session_once_and_that_is_recorded(run, session, adams):
    token = token_of(run, session)
    link = links.redeem_session(token, now=timezone.now())
    assert (link.run, link.person, link.kind) == (run, adams, LinkKind.SESSION)
    assert link.sign_in == session.fingerprint
    (event,) = events("result.watched")
    assert (event.actor, event.target_id) == ("adams", str(run.pk))
    assert refused(token)


def test_it_is_good_for_a_minute(run, session):
    token = token_of(run, session)
    late = timezone.now() + links.LIFETIME + timedelta(seconds=1)
    with pytest.raises(links.LinkRefused):
        links.redeem_session(token, now=late)


def test_links_of_other_kinds_lead_nowhere_here(run, session, adams):
    live = links.make_live_link(run, by=adams, now=timezone.now())
    assert refused(live.split("/results/")[1].split("/")[0])
    token = token_of(run, session)
    for redeem in (links.redeem, links.redeem_live):
        with pytest.raises(links.LinkRefused):
            redeem(token, now=timezone.now())


def test_the_end_of_the_sign_in_ends_it(run, session):
    token = token_of(run, session)
    session.delete()
    assert refused(token)
    assert events("result.watched") == []


def test_the_end_of_the_session_ends_it(run, session):
    token = token_of(run, session)
    finish(run, Status.SUCCEEDED, now=timezone.now())
    assert refused(token)
    assert not ContentLink.objects.get().used_at


def test_a_closed_account_ends_it(run, session, adams, otto):
    token = token_of(run, session)
    deactivate_person(person=adams, reason="left", by=otto, now=timezone.now())
    assert refused(token)


def test_somebody_elses_session_has_no_link(run, session, baker):
    with pytest.raises(NotAllowed):
        links.make_session_link(
            run, by=baker, sign_in=session.fingerprint, now=timezone.now()
        )
    assert codes(baker, run) == ["not_your_run"]
    assert not ContentLink.objects.exists()


def test_a_run_that_is_not_live_has_no_page(adams):
    run = make_run(approved("1"), adams, Status.RUNNING)
    assert codes(adams, run) == ["not_a_live_session"]


@pytest.mark.parametrize("status", [Status.QUEUED, Status.STARTING, Status.RUNNING])
def test_a_session_under_way_has_a_page(adams, status):
    assert codes(adams, live_run(adams, status)) == []


def test_one_that_has_ended_has_none(adams):
    assert codes(adams, live_run(adams, Status.SUCCEEDED)) == ["already_finished"]


def test_a_closed_account_has_none(run, adams):
    adams.is_active = False
    assert codes(adams, run) == ["not_your_run"]
