"""Sessions end: idle, too old, by their owner, by an operator; polling does not count."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.views import View

from accounts.activity import not_activity
from accounts.models import Session
from accounts.services import deactivate_person, end_session, expire_session
from accounts.sessions import SessionStore
from audit.models import Event
from config.demo.people import PASSWORD
from config.urls import urlpatterns as real_urls
from tests.accounts.conftest import NOW


def page(request):
    return HttpResponse("here")


@not_activity
def polled(request):
    return HttpResponse("polled")


@not_activity
class PolledClass(View):
    def get(self, request):
        return HttpResponse("polled")


class ByAttribute(View):
    not_activity = True

    def get(self, request):
        return HttpResponse("polled")


@not_activity
async def streamed(request):
    return HttpResponse("streamed")


@login_not_required
def open_to_all(request):
    return HttpResponse("open")


urlpatterns = [
    path("t/page/", page),
    path("t/polled/", polled),
    path("t/class/", PolledClass.as_view()),
    path("t/attribute/", ByAttribute.as_view()),
    path("t/streamed/", streamed),
    path("t/open/", open_to_all),
    *real_urls,
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def is_in(client: Client, address: str = "/t/page/") -> bool:
    return client.get(address).status_code == 200


def test_a_quarter_of_an_hour_of_nothing_ends_the_session(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=15, seconds=1))
    answer = client.get("/t/page/?a=1&b=2")
    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=%2Ft%2Fpage%2F%3Fa%3D1%26b%3D2&ended=idle"
    assert not Session.objects.filter(person=ada).exists()
    event = Event.objects.latest("seq")
    assert (event.action, event.target_label) == ("session.expired", "ada")
    assert event.data == {"reason": "idle"}


def test_two_requests_that_notice_at_once_record_it_once(clock, sign_in, ada):
    requests = []
    for _ in range(2):
        request = RequestFactory().get("/")
        request.user = ada
        requests.append(request)
    key = sign_in(ada).session.session_key
    for request in requests:
        request.session = SessionStore(key)
        request.session.load()
    for request in requests:
        expire_session(request, reason="idle", now=NOW)
    assert Event.objects.filter(action="session.expired").count() == 1


def test_the_page_says_why_and_leads_back(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=16))
    answer = client.get("/t/page/", follow=True)
    assert b"nothing happened for a while" in answer.content
    answer = client.post(
        "/sign-in/", {"username": "ada", "password": PASSWORD, "next": "/t/page/"}
    )
    assert answer.url == "/t/page/"


def test_activity_keeps_a_session(clock, sign_in, ada):
    client = sign_in(ada)
    for _ in range(6):
        clock.shift(timedelta(minutes=14))
        assert is_in(client)


@pytest.mark.security
@pytest.mark.parametrize(
    "address", ["/t/polled/", "/t/class/", "/t/attribute/", "/t/streamed/"]
)
def test_polling_answers_but_keeps_nobody_signed_in(clock, sign_in, ada, address):
    client = sign_in(ada)
    for _ in range(14):
        clock.shift(timedelta(minutes=1))
        assert is_in(client, address)
    clock.shift(timedelta(minutes=2))
    assert not is_in(client, address)


def test_a_page_that_does_not_exist_is_no_activity(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=10))
    client.get("/t/nowhere/")
    clock.shift(timedelta(minutes=6))
    assert not is_in(client)


@pytest.mark.security
def test_twelve_hours_end_a_session_however_busy(clock, sign_in, ada):
    client = sign_in(ada)
    for _ in range(12 * 5):
        clock.shift(timedelta(minutes=12))
        assert is_in(client)
    clock.shift(timedelta(minutes=1))
    answer = client.get("/t/page/")
    assert answer.url.endswith("ended=absolute")
    assert Event.objects.latest("seq").data == {"reason": "absolute"}


def test_an_open_page_also_ends_an_idle_session(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=16))
    assert client.get("/t/open/").status_code == 200
    assert not Session.objects.filter(person=ada).exists()


def test_the_last_activity_is_kept_with_the_session(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=5))
    is_in(client)
    session = Session.objects.get()
    assert session.last_active_at == NOW + timedelta(minutes=5)
    assert session.signed_in_at == NOW


def test_a_form_sent_too_late_leads_back_to_the_page_that_held_it(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=16))
    answer = client.post("/persona/", HTTP_REFERER="http://testserver/t/page/?tab=2")
    assert answer.url == "/sign-in/?next=%2Ft%2Fpage%2F%3Ftab%3D2&ended=idle"
    answer = client.post("/persona/", HTTP_REFERER="https://evil.example/")
    assert answer.url == "/sign-in/"


def test_htmx_is_told_to_move_the_whole_page(client, db):
    answer = client.get(
        "/t/page/",
        HTTP_HX_REQUEST="true",
        HTTP_HX_CURRENT_URL="http://testserver/runs/?page=2",
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Fruns%2F%3Fpage%3D2"


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_script_gets_401_and_no_page(client, db, kind):
    assert client.get("/t/page/", HTTP_ACCEPT=kind).status_code == 401


@pytest.mark.security
def test_a_view_wants_a_signed_in_person_unless_it_says_otherwise(client, db):
    assert client.get("/t/page/").status_code == 302
    assert client.get("/t/open/").status_code == 200


@pytest.mark.security
def test_closing_an_account_ends_its_sessions_at_once(sign_in, ada, otto):
    clients = [sign_in(ada), sign_in(ada)]
    bystander = sign_in(otto)
    deactivate_person(person=ada, reason="left", by=otto, now=NOW)
    assert not Session.objects.filter(person=ada).exists()
    assert [is_in(client) for client in clients] == [False, False]
    assert is_in(bystander)
    assert Event.objects.latest("seq").data["sessions_ended"] == 2


@pytest.mark.security
def test_a_request_in_flight_does_not_revive_an_ended_session(sign_in, ada, otto):
    in_flight = sign_in(ada).session
    in_flight["something"] = "changed"
    deactivate_person(person=ada, reason="left", by=otto, now=NOW)
    with pytest.raises(UpdateError):
        in_flight.save()
    assert not Session.objects.filter(person=ada).exists()


def test_one_ends_another_session_of_ones_own(sign_in, ada):
    here, lost_phone = sign_in(ada), sign_in(ada, HTTP_USER_AGENT="Lost phone")
    session = Session.objects.get(device="Lost phone")
    answer = here.post(f"/profile/sessions/{session.fingerprint}/end/")
    assert answer.url == "/profile/"
    assert is_in(here)
    assert not is_in(lost_phone)
    assert Event.objects.latest("seq").data == {"device": "Lost phone"}


@pytest.mark.security
def test_nobody_ends_another_persons_session_there(sign_in, ada, petra):
    sign_in(petra)
    session = Session.objects.get(person=petra)
    answer = sign_in(ada).post(f"/profile/sessions/{session.fingerprint}/end/")
    assert answer.status_code == 404
    end_session(session=session, by=ada, now=NOW)
    assert Session.objects.filter(person=petra).exists()


def test_the_profile_lists_sessions_without_their_keys(sign_in, ada):
    client = sign_in(ada, HTTP_USER_AGENT="My browser")
    sign_in(ada, HTTP_USER_AGENT="Another <b>browser</b>")
    content = client.get("/profile/").content.decode()
    assert "My browser" in content
    assert "Another &lt;b&gt;browser" in content
    for session in Session.objects.all():
        assert session.session_key not in content


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19 Safari/604",
            "Safari on an iPhone",
        ),
        ("curl/8.5", "curl/8.5"),
        ("", "An unnamed browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, name):
    assert Session(device=user_agent).device_name == name


async def test_a_waiting_view_is_asked_for_a_session_too(async_client, db):
    answer = await async_client.get("/t/streamed/")
    assert answer.status_code == 302


def left(client: Client) -> dict[str, object]:
    answer = client.get("/session/left/")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.security
def test_asking_how_long_it_still_lasts_is_no_activity(clock, sign_in, ada):
    client = sign_in(ada)
    for minutes in range(1, 15):
        clock.shift(timedelta(minutes=1))
        expected = {"person": "ada", "seconds_left": 900 - 60 * minutes}
        assert left(client) == {**expected, "limit": "idle"}
    clock.shift(timedelta(seconds=61))
    assert left(client) == {"person": None, "seconds_left": 0, "limit": "idle"}
    assert left(client) == {"person": None, "seconds_left": 0, "limit": None}
    assert Event.objects.filter(action="session.expired").count() == 1


def test_staying_signed_in_is_activity(clock, sign_in, ada):
    client = sign_in(ada)
    clock.shift(timedelta(minutes=14))
    assert client.post("/session/stay/").json()["seconds_left"] == 900
    clock.shift(timedelta(minutes=14))
    assert is_in(client)


def test_nobody_stays_beyond_the_absolute_end(clock, sign_in, ada):
    client = sign_in(ada)
    for _ in range(12 * 5 - 1):
        clock.shift(timedelta(minutes=12))
        is_in(client)
    clock.shift(timedelta(minutes=11))
    answer = client.post("/session/stay/").json()
    assert answer == {"person": "ada", "seconds_left": 60, "limit": "absolute"}
    clock.shift(timedelta(seconds=61))
    assert left(client)["limit"] == "absolute"


@pytest.mark.security
def test_staying_needs_a_session_and_a_form_of_ours(clock, sign_in, ada):
    assert Client(headers={"Accept": "application/json"}).post(
        "/session/stay/"
    ).status_code == (401)
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in(ada).cookies
    clock.shift(timedelta(minutes=10))
    assert client.post("/session/stay/").status_code == 403
    assert left(client)["seconds_left"] == 300
    assert client.get("/session/stay/").status_code == 405


def test_a_page_says_how_long_its_session_lasts(clock, sign_in, ada):
    client = sign_in(ada)
    page = client.get("/profile/").content.decode()
    assert 'data-left="900" data-limit="idle" data-warn="120"' in page
    assert "data-session-end" not in Client().get("/sign-in/").content.decode()
