"""Signing in and out on the pages: throttled, recorded, and back to where one was."""

from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from axes.models import AccessAttempt
from django.db import connection, transaction
from django.test import Client, RequestFactory

from accounts import services, throttle
from accounts.models import Session, User
from accounts.services import TooManyAttempts, WrongPassword, confirm_password
from accounts.sessions import SessionStore
from accounts.throttle import check_password
from audit.models import Event
from audit.verify import verify_log
from config.demo.people import PASSWORD
from tests.accounts.conftest import NOW


@pytest.fixture(autouse=True)
def _few_tries(settings):
    settings.AXES_FAILURE_LIMIT = 3


def post(client: Client, username: str, password: str, **more):
    return client.post(
        "/sign-in/", {"username": username, "password": password, **more}
    )


def actions() -> list[str]:
    return list(Event.objects.values_list("action", flat=True))


def test_the_page_asks_for_name_and_password(client, db):
    answer = client.get("/sign-in/")
    assert answer.status_code == 200
    assert b'name="username"' in answer.content
    assert b'autocomplete="current-password"' in answer.content


def test_the_right_password_begins_a_session(client, ada):
    answer = post(client, "ada", PASSWORD)
    assert answer.status_code == 302
    assert answer.url == "/"
    session = Session.objects.get()
    assert session.person == ada
    assert session.signed_in_at is not None
    event = Event.objects.latest("seq")
    assert (event.action, event.actor) == ("session.signed_in", "ada")
    assert event.data == {"address": "127.0.0.1"}


def test_the_session_and_its_event_are_stored_together(ada):
    request = RequestFactory().post("/sign-in/")
    request.session = SessionStore()
    services.sign_in(request, username="ada", password=PASSWORD, now=NOW)
    session = Session.objects.get()
    assert (session.person, session.signed_in_at) == (ada, NOW)
    assert Event.objects.latest("seq").action == "session.signed_in"


def test_capitals_and_blanks_around_the_name_do_not_matter(client, ada):
    assert post(client, " Ada ", PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "my guess"), ("nobody", "my guess"), ("ada", PASSWORD + " ")],
)
def test_a_wrong_name_or_password_says_the_same(client, ada, username, password):
    answer = post(client, username, password)
    assert answer.status_code == 200
    assert b"The user name or the password is not right." in answer.content
    assert b"my guess" not in answer.content
    assert not Session.objects.exists()


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_what_cannot_be_a_name_is_refused(client, ada, name):
    assert post(client, name, PASSWORD).status_code == 200
    assert not Session.objects.exists()


def test_a_closed_account_cannot_sign_in(client, ada):
    User.objects.update(is_active=False)
    assert post(client, "ada", PASSWORD).status_code == 200
    assert not Session.objects.exists()


def test_a_failure_on_a_known_name_is_recorded_and_no_password_with_it(client, ada):
    post(client, "ada", "my secret guess")
    event = Event.objects.get()
    assert event.action == "session.sign_in_refused"
    assert (event.actor, event.target_label) == ("", "ada")
    assert "my secret guess" not in event.payload


def test_a_failure_on_an_unknown_name_keeps_no_name(client, db):
    post(client, "a password typed too early", "")
    post(client, "a password typed too early", "x")
    assert not Event.objects.exists()


def test_axes_keeps_no_form_data(client, ada):
    post(client, "ada", "my secret guess", comment="private")
    attempt = AccessAttempt.objects.get()
    assert attempt.post_data == ""
    assert attempt.ip_address == "127.0.0.1"


@pytest.mark.security
def test_after_the_last_try_even_the_right_password_waits(client, ada, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert post(client, "ada", "wrong").status_code == 200
    answer = post(client, "ada", "wrong")
    assert answer.status_code == 429
    assert b"Wait 15 minutes" in answer.content
    assert post(client, "ada", PASSWORD).status_code == 429
    assert not Session.objects.exists()


def test_a_lock_is_of_one_name_from_one_address(client, ada, petra, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        post(client, "ada", "wrong")
    assert post(client, "petra", PASSWORD).status_code == 302
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    assert post(elsewhere, "ada", PASSWORD).status_code == 302


def test_a_lock_ends_after_a_quarter_of_an_hour(client, ada, settings):
    with time_machine.travel(NOW, tick=False):
        for _ in range(settings.AXES_FAILURE_LIMIT):
            post(client, "ada", "wrong")
        assert post(client, "ada", PASSWORD).status_code == 429
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        assert post(client, "ada", PASSWORD).status_code == 302


def test_signing_in_forgets_earlier_failures(client, ada, settings):
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            post(client, "ada", "wrong")
        assert post(Client(), "ada", PASSWORD).status_code == 302


def test_right_passwords_are_never_throttled(ada):
    for _ in range(5):
        assert post(Client(), "ada", PASSWORD).status_code == 302
    assert Session.objects.filter(person=ada).count() == 5


@pytest.mark.security
def test_ten_guesses_at_once_are_no_more_than_one_by_one(committed_db, ada, settings):
    refusals = []

    def guess():
        try:
            check_password(username="ada", password="wrong", request=None)
        except (WrongPassword, TooManyAttempts) as refusal:
            refusals.append(type(refusal))
        finally:
            connection.close()

    threads = [Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals.count(WrongPassword) == settings.AXES_FAILURE_LIMIT - 1
    assert refusals.count(TooManyAttempts) == 10 - settings.AXES_FAILURE_LIMIT + 1


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/notebooks/trends/?tab=code", "/notebooks/trends/?tab=code"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://testserver//evil.example/", "/"),
        ("http://testserver/runs/", "/runs/"),
    ],
)
def test_signing_in_leads_back_and_never_off_the_site(client, ada, wanted, led_to):
    assert post(client, "ada", PASSWORD, next=wanted).url == led_to


def test_a_signed_in_person_is_led_on(sign_in, ada):
    answer = sign_in(ada).get("/sign-in/?next=/profile/")
    assert answer.url == "/profile/"


@pytest.mark.security
def test_signing_in_wants_the_csrf_token(ada):
    careful = Client(enforce_csrf_checks=True)
    assert post(careful, "ada", PASSWORD).status_code == 403
    assert not Session.objects.exists()


@pytest.mark.security
def test_signing_in_makes_a_new_session_key(client, ada):
    client.get("/sign-in/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    post(client, "ada", PASSWORD)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_signing_in_as_somebody_else_drops_the_first_persons_session(
    sign_in, helen, ada
):
    client = sign_in(helen)
    client.post("/persona/", {"persona": "doctor"})
    client.post("/sign-out/")
    post(client, "ada", PASSWORD)
    assert "active_persona" not in client.session


def test_signing_out_ends_the_session(sign_in, ada):
    client = sign_in(ada)
    answer = client.post("/sign-out/")
    assert answer.url == "/sign-in/"
    assert not Session.objects.exists()
    assert actions()[-1] == "session.signed_out"
    assert client.get("/profile/").status_code == 302


def test_signing_out_wants_a_post(sign_in, ada):
    assert sign_in(ada).get("/sign-out/").status_code == 405


def test_signing_out_twice_is_fine(client, db):
    assert client.post("/sign-out/").status_code == 302
    assert not Event.objects.exists()


def test_the_password_entered_again_is_confirmed(ada):
    confirm_password(user=ada, password=PASSWORD)


@pytest.mark.security
def test_a_wrong_password_entered_again_is_counted_and_recorded(ada, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        with pytest.raises(WrongPassword):
            confirm_password(user=ada, password="wrong")
    with pytest.raises(TooManyAttempts):
        confirm_password(user=ada, password="wrong")
    with pytest.raises(TooManyAttempts):
        confirm_password(user=ada, password=PASSWORD)
    assert set(actions()) == {"session.password_refused"}
    assert Event.objects.latest("seq").data == {"locked": True}


def test_confirming_forgets_earlier_failures(ada, settings):
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            with pytest.raises(WrongPassword):
                confirm_password(user=ada, password="wrong")
        confirm_password(user=ada, password=PASSWORD)


def test_another_persons_password_confirms_nothing(ada, petra):
    petra.set_password("quite another sentence")
    petra.save()
    with pytest.raises(WrongPassword):
        confirm_password(user=petra, password=PASSWORD)


def test_a_closed_account_confirms_nothing(ada):
    User.objects.update(is_active=False)
    with pytest.raises(WrongPassword):
        confirm_password(user=ada, password=PASSWORD)


@pytest.mark.security
def test_a_password_is_never_checked_inside_the_transaction_of_an_act(
    committed_db, ada
):
    with pytest.raises(RuntimeError), transaction.atomic():
        confirm_password(user=ada, password="wrong")


@pytest.mark.security
def test_a_failure_stays_counted_and_recorded_for_real(committed_db, ada):
    with pytest.raises(WrongPassword):
        confirm_password(user=ada, password="wrong")
    assert AccessAttempt.objects.get().failures_since_start == 1
    assert actions() == ["session.password_refused"]
    assert verify_log().is_whole


def test_a_very_long_password_costs_no_more_than_a_long_one(ada, monkeypatch):
    seen = []
    monkeypatch.setattr(
        throttle, "authenticate", lambda request, **given: seen.append(given)
    )
    with pytest.raises(WrongPassword):
        check_password(username="ada", password="x" * 10_000, request=None)
    assert len(seen[0]["password"]) == throttle.MAX_PASSWORD_CHARS
