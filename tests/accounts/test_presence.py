"""Somebody who works in a page of the other origin is there, as long as they are signed in."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts import sessions
from accounts.models import Session
from accounts.queries import standing_session
from accounts.services import note_presence
from accounts.sessions import TOUCH_EVERY_S
from tests.accounts.conftest import NOW

pytestmark = pytest.mark.security
IDLE = timedelta(seconds=settings.SESSION_IDLE_S)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser(clock, sign_in, ada):
    return sign_in(ada)


@pytest.fixture
def session(browser) -> Session:
    return Session.objects.get(pk=browser.session.session_key)


def note(session: Session) -> bool:
    return note_presence(
        person_id=session.person_id,
        fingerprint=session.fingerprint,
        now=timezone.now(),
    )


def is_in(browser) -> bool:
    return browser.get("/profile/").status_code == 200


def stands(session: Session) -> bool:
    person_id, name = session.person_id, session.fingerprint
    return standing_session(person_id, name, now=timezone.now()) is not None


def test_who_is_seen_stays_signed_in(clock, browser, session) -> None:
    for _ in range(3):
        clock.shift(IDLE - SECOND)
        assert note(session)
    clock.shift(IDLE - SECOND)
    assert is_in(browser)


def test_who_is_not_seen_does_not(clock, browser, session) -> None:
    clock.shift(IDLE + SECOND)
    assert not is_in(browser)


def test_a_session_that_was_idle_for_too_long_is_not_brought_back(
    clock, browser, session
) -> None:
    clock.shift(IDLE + SECOND)
    assert not stands(session)
    assert not note(session)
    assert not is_in(browser)


def test_the_greatest_age_of_a_session_stays(clock, browser, session) -> None:
    # Every request that writes a session puts its expiry off.
    far = NOW + timedelta(days=3)
    Session.objects.filter(pk=session.pk).update(expire_date=far)
    while stands(session):
        note(session)
        clock.shift(IDLE / 2 + SECOND)
    age = timezone.now() - session.signed_in_at
    assert age - IDLE <= timedelta(seconds=settings.SESSION_ABSOLUTE_S) < age
    assert not note(session)
    assert not is_in(browser)


def test_a_session_that_has_ended_is_not_made_anew(browser, session) -> None:
    browser.post("/sign-out/")
    assert not stands(session)
    assert not note(session)
    assert not Session.objects.filter(pk=session.pk).exists()


def test_it_is_that_session_and_no_other(clock, sign_in, session, ada) -> None:
    other = sign_in(ada)
    clock.shift(IDLE - SECOND)
    assert note(session)
    clock.shift(2 * SECOND)
    assert not is_in(other)


@pytest.mark.parametrize("fingerprint", ["", "0" * 16, None])
def test_a_name_that_no_session_has_keeps_none(
    clock, browser, session, fingerprint
) -> None:
    found = note_presence(
        person_id=session.person_id, fingerprint=fingerprint, now=NOW + SECOND
    )
    assert not found


def test_somebody_elses_session_is_not_theirs(session, ravi) -> None:
    assert not note_presence(
        person_id=ravi.pk, fingerprint=session.fingerprint, now=timezone.now()
    )


def test_nothing_else_in_it_is_changed(clock, browser, session) -> None:
    kept = browser.session
    kept["anything"] = "else"
    kept.save()
    clock.shift(timedelta(minutes=5))
    note(session)
    data = dict(browser.session)
    assert data["anything"] == "else"
    assert data[sessions.LAST_ACTIVE_AT] == timezone.now().timestamp()
    assert Session.objects.get(pk=session.pk).last_active_at == timezone.now()


def test_it_is_written_down_now_and_then_only(
    clock, session, django_assert_num_queries
) -> None:
    clock.shift(timedelta(seconds=TOUCH_EVERY_S - 1))
    note(session)
    session.refresh_from_db()
    assert session.last_active_at == NOW
    clock.shift(SECOND)
    note(session)
    session.refresh_from_db()
    assert session.last_active_at == timezone.now()
