"""Sessions that nobody came back to are deleted, once, and with an event."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings

from accounts import tasks
from accounts.models import Session
from accounts.services import expire_sessions
from audit.models import Event
from config.celery import app
from config.demo.people import PASSWORD
from tests.accounts.conftest import NOW

LIFETIME = timedelta(seconds=settings.SESSION_ABSOLUTE_S)
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def session(client, ada):
    """ada signed in at NOW and went away."""
    with time_machine.travel(NOW, tick=False):
        client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    return Session.objects.get()


def expirations():
    return list(Event.objects.filter(action="session.expired"))


def test_a_session_that_is_over_leaves_no_person_and_no_device(session):
    assert expire_sessions(now=NOW + LIFETIME + A_SECOND) == 1
    assert not Session.objects.exists()
    (event,) = expirations()
    assert (event.actor, event.target_label) == ("", "ada")
    assert event.data == {"reason": "absolute"}


def test_a_session_that_can_be_used_stays(session):
    idle = timedelta(seconds=settings.SESSION_IDLE_S) - A_SECOND
    assert expire_sessions(now=NOW + idle) == 0
    assert Session.objects.exists()
    assert expirations() == []


def test_an_idle_one_stays_until_its_person_can_be_told_no_more(session, client):
    later = NOW + LIFETIME - A_SECOND
    assert expire_sessions(now=later) == 0
    with time_machine.travel(later, tick=False):
        client.get("/")
    assert [event.data["reason"] for event in expirations()] == ["idle"]


def test_keeping_a_session_busy_does_not_keep_its_row_beyond_its_time(session):
    Session.objects.update(expire_date=NOW + 2 * LIFETIME)
    assert expire_sessions(now=NOW + LIFETIME + A_SECOND) == 1


def test_one_without_a_person_goes_without_an_event(db):
    Session.objects.create(session_key="a" * 32, session_data="", expire_date=NOW)
    assert expire_sessions(now=NOW) == 1
    assert expirations() == []


def test_what_somebody_else_deletes_meanwhile_is_recorded_by_them_alone(
    session, monkeypatch
):
    deleted = Session.objects.all().delete

    def late(self, *args, **kwargs):
        deleted()
        return 0, {}

    monkeypatch.setattr("django.db.models.query.QuerySet.delete", late)
    assert expire_sessions(now=NOW + LIFETIME + A_SECOND) == 0
    assert expirations() == []


def test_beat_has_it_done_by_the_sweeping_worker(session, time_machine):
    scheduled = {row["task"] for row in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.sweep_sessions.name in scheduled
    route = app.amqp.router.route({}, tasks.sweep_sessions.name)
    assert route["queue"].name == "sweep"
    time_machine.move_to(NOW + LIFETIME + A_SECOND)
    tasks.sweep_sessions()
    assert not Session.objects.exists()
