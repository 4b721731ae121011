"""Personas: held by people, one active per session, each with a default purpose."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import IntegrityError, transaction
from django.test import RequestFactory

from accounts.context_processors import personas as context
from accounts.models import PersonaAssignment
from accounts.personas import (
    DEFAULT_PURPOSE,
    Persona,
    PersonaNotHeld,
    Purpose,
    active_persona,
    set_active_persona,
)
from accounts.services import set_personas
from audit.models import Event
from tests.accounts.conftest import NOW


def request_of(person):
    request = RequestFactory().get("/")
    request.user = person
    request.session = SessionStore()
    return request


def test_every_persona_has_a_default_purpose():
    assert set(DEFAULT_PURPOSE) == set(Persona)
    assert set(DEFAULT_PURPOSE.values()) <= set(Purpose)


def test_the_only_persona_is_active_by_itself(adams):
    assert active_persona(request_of(adams)) == "doctor"


def test_of_several_none_is_active_until_one_is_chosen(helen):
    request = request_of(helen)
    assert helen.personas == ["department_head", "doctor"]
    assert active_persona(request) is None
    set_active_persona(request, "doctor")
    assert active_persona(request) == "doctor"


def test_without_personas_none_is_active(nora):
    assert active_persona(request_of(nora)) is None
    assert active_persona(request_of(AnonymousUser())) is None


@pytest.mark.security
@pytest.mark.parametrize("persona", ["billing", "", "emperor"])
def test_a_persona_that_is_not_held_cannot_be_activated(adams, persona):
    with pytest.raises(PersonaNotHeld) as refusal:
        set_active_persona(request_of(adams), persona)
    assert refusal.value.persona == persona


@pytest.mark.security
def test_the_anonymous_activate_nothing():
    with pytest.raises(PersonaNotHeld):
        set_active_persona(request_of(AnonymousUser()), "doctor")


@pytest.mark.security
def test_an_active_persona_that_is_taken_away_is_active_no_more(helen, otto):
    request = request_of(helen)
    set_active_persona(request, "department_head")
    set_personas(person=helen, personas={"doctor": "cardiology"}, by=otto, now=NOW)
    assert active_persona(request) == "doctor"


@pytest.mark.security
def test_an_unknown_persona_cannot_be_stored(ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonaAssignment.objects.create(person=ada, persona="emperor")


def test_a_persona_is_held_once(adams):
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonaAssignment.objects.create(person=adams, persona="doctor")


@pytest.mark.parametrize(
    ("persona", "department", "label"),
    [
        ("doctor", "", "Doctor"),
        ("doctor", "cardiology", "Doctor, cardiology"),
        ("department_head", "cardiology", "Head of cardiology"),
        ("department_head", "", "Head of department"),
    ],
)
def test_a_persona_is_named_in_words(persona, department, label):
    assert PersonaAssignment(persona=persona, department=department).label == label


def test_pages_know_the_personas_and_the_active_one(helen):
    known = context(request_of(helen))
    assert [row.value for row in known["personas"]] == ["department_head", "doctor"]
    assert known["active_persona"] == ""
    assert context(request_of(AnonymousUser())) == {
        "personas": [],
        "active_persona": None,
    }


def test_pages_know_nothing_when_there_is_nobody():
    request = RequestFactory().get("/")
    assert context(request) == {"personas": [], "active_persona": None}


def test_switching_on_the_page_leads_back_and_is_recorded(sign_in, helen):
    client = sign_in(helen)
    answer = client.post("/persona/", {"persona": "doctor", "next": "/runs/?page=2"})
    assert answer.url == "/runs/?page=2"
    event = Event.objects.latest("seq")
    assert event.action == "session.persona_changed"
    assert event.data == {"persona": "doctor", "was": None}
    client.post("/persona/", {"persona": "doctor", "next": "https://evil.example"})
    assert Event.objects.latest("seq").seq == event.seq


@pytest.mark.security
def test_switching_to_one_not_held_changes_nothing(sign_in, helen):
    client = sign_in(helen)
    answer = client.post(
        "/persona/", {"persona": "billing", "next": "/profile/"}, follow=True
    )
    assert b"You do not hold this persona" in answer.content
    assert not Event.objects.exists()


def test_one_session_does_not_change_another(sign_in, helen):
    first, second = sign_in(helen), sign_in(helen)
    first.post("/persona/", {"persona": "doctor"})
    second.post("/persona/", {"persona": "department_head"})
    assert first.get("/api/v1/personas/").json()["active"] == "doctor"
    assert second.get("/api/v1/personas/").json()["active"] == "department_head"
