"""The content origin: one look, one person, inside a frame, without a cookie."""

import re
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve
from django.utils import timezone

from accounts.policies import NotAllowed
from runner.models import ContentLink, RunResult
from runner.results import links, vault
from runner.results.document import around
from runner.results.headers import authority, content_policy
from runner.results.middleware import ContentOriginMiddleware
from tests.runner.results.finished import NOW, again, events, finished_run, queued_run

pytestmark = [pytest.mark.django_db, pytest.mark.security]

APPLICATION = authority(settings.APPLICATION_ORIGIN)
CONTENT = authority(settings.CONTENT_ORIGIN)
SECOND = timedelta(seconds=1)


@pytest.fixture
def run(adams):
    return finished_run(adams, now=timezone.now())


@pytest.fixture
def path(run, adams) -> str:
    link = links.make_link(run, by=adams, now=timezone.now())
    return link.removeprefix(settings.CONTENT_ORIGIN)


def look(path: str, *, host: str = CONTENT, dest: str | None = "iframe", **more):
    headers = {"sec-fetch-dest": dest} if dest else {}
    return Client().get(path, headers={"host": host, **headers, **more})


def test_a_fresh_link_shows_the_result_to_a_frame(path):
    response = look(path)
    assert response.status_code == 200
    assert b"31 prescriptions" in response.content
    assert response["Content-Type"] == "text/html; charset=utf-8"


def test_every_look_is_an_event_of_its_owner(path, run, adams):
    look(path)
    (event,) = events("result.viewed")
    assert (event.actor, event.target_id) == (adams.username, str(run.pk))


def test_a_link_is_good_once(path):
    assert look(path).status_code == 200
    again_ = look(path)
    assert again_.status_code == 410
    assert b"31 prescriptions" not in again_.content
    assert len(events("result.viewed")) == 1


def test_a_link_is_dead_after_a_minute(run, adams):
    token = _token(links.make_link(run, by=adams, now=NOW))
    with pytest.raises(links.LinkRefused):
        links.redeem(token, now=NOW + links.LIFETIME)
    assert timedelta(seconds=60) >= links.LIFETIME
    assert links.redeem(token, now=NOW + links.LIFETIME - SECOND).run == run


def test_another_token_leads_nowhere(path):
    assert look("/results/" + "x" * 43 + "/").status_code == 410
    assert look(path).status_code == 200


def test_two_frames_that_race_for_one_link_get_one_result(run, adams):
    token = _token(links.make_link(run, by=adams, now=NOW))
    seen = ContentLink.objects.get()
    links.redeem(token, now=NOW)
    ContentLink.objects.filter(pk=seen.pk).update(expires_at=NOW + links.LIFETIME)
    with pytest.raises(links.LinkRefused):
        links.redeem(token, now=NOW)


def test_another_person_gets_no_link(run, baker):
    with pytest.raises(NotAllowed) as refusal:
        links.make_link(run, by=baker, now=NOW)
    assert refusal.value.blockers[0].code == "not_your_run"


def test_a_link_in_another_persons_name_leads_nowhere(run, path, baker):
    ContentLink.objects.update(person=baker)
    assert look(path).status_code == 410


def test_a_link_dies_with_its_owners_account(path, adams):
    adams.is_active = False
    adams.save(update_fields=["is_active"])
    assert look(path).status_code == 410
    assert events("result.viewed") == []


def test_a_link_to_an_expired_result_leads_nowhere(adams, monkeypatch):
    """The link is good for a minute; the result ends within it."""
    now = timezone.now()
    retention = timedelta(days=settings.RESULT_RETENTION_DAYS)
    run = finished_run(adams, now=now - retention + 30 * SECOND)
    path = links.make_link(run, by=adams, now=now)
    path = path.removeprefix(settings.CONTENT_ORIGIN)
    monkeypatch.setattr(timezone, "now", lambda: now + 40 * SECOND)
    assert look(path).status_code == 410
    assert ContentLink.objects.get().expires_at > timezone.now()


def test_a_run_without_a_result_gets_no_link(adams):
    with pytest.raises(NotAllowed) as refusal:
        links.make_link(queued_run(adams), by=adams, now=NOW)
    assert refusal.value.blockers[0].code == "not_finished"


def test_nothing_is_shown_when_the_event_cannot_be_written(path, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("runner.results.reading.record", broken)
    response = look(path)
    assert response.status_code == 500
    assert b"31 prescriptions" not in response.content


def test_a_result_moved_from_another_run_is_not_shown(run, path, adams):
    other = finished_run(adams, now=timezone.now())
    RunResult.objects.filter(run=run).update(html=other.result.html)
    assert look(path).status_code == 500
    assert events("result.viewed") == []


def test_the_database_holds_no_token(path):
    link = ContentLink.objects.get()
    token = path.split("/")[2]
    assert len(token) == 43  # 256 bits
    assert token.encode() not in bytes(link.token_sha256)


@pytest.mark.parametrize(
    "dest", [None, "document", "empty", "image", "script", "object"]
)
def test_only_a_frame_may_ask(path, dest):
    response = look(path, dest=dest)
    assert response.status_code == 403
    assert b"31 prescriptions" not in response.content
    assert look(path).status_code == 200  # the refusal did not use the link up


@pytest.mark.parametrize(
    "method", ["post", "put", "delete", "head", "options", "patch"]
)
def test_only_get_is_answered(path, method):
    response = getattr(Client(), method)(
        path, headers={"host": CONTENT, "sec-fetch-dest": "iframe"}
    )
    assert response.status_code == 405


def test_the_application_host_has_no_results(path):
    assert look(path, host=APPLICATION).status_code in {302, 404}
    with pytest.raises(Resolver404):
        resolve(path)
    assert ContentLink.objects.get().used_at is None


@pytest.mark.parametrize(
    "page",
    ["/", "/sign-in/", "/api/v1/session/", "/audit/", "/healthz", "/static/a.css"],
)
def test_the_content_host_has_no_application(page):
    response = look(page)
    assert response.status_code == 404
    assert b"There is nothing at this address." in response.content


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "127.0.0.1.:8000"])
def test_other_spellings_of_the_content_host_get_nothing(path, host):
    assert look("/sign-in/", host=host).status_code == 421
    assert look(path, host=host).status_code == 421


def test_a_foreign_host_gets_nothing(path):
    assert look(path, host="evil.example").status_code == 400


def test_the_content_origin_neither_reads_nor_sets_cookies(path, adams):
    client = Client()
    client.force_login(adams)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(
            path, headers={"host": CONTENT, "sec-fetch-dest": "iframe"}
        )
    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert not [query for query in queries if "django_session" in query["sql"]]
    assert not hasattr(response.wsgi_request, "session")
    assert not hasattr(response.wsgi_request, "user")


def test_every_answer_carries_the_headers(path):
    for response in (look(path), look(path), look("/"), look(path, dest=None)):
        assert response["Cache-Control"] == "no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        policy = response["Content-Security-Policy"]
        for part in (
            "sandbox",
            "default-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
            f"frame-ancestors {settings.APPLICATION_ORIGIN}",
        ):
            assert part in policy.split("; "), part
        assert "script-src" not in policy
        assert "allow-" not in policy
        assert not response.cookies


def test_the_policy_names_the_one_style_sheet_by_its_hash(path):
    policy = look(path)["Content-Security-Policy"]
    assert re.search(r"style-src-elem 'sha256-[\w+/]{43}='; style-src-attr", policy)
    assert "style" not in content_policy(application_origin="http://a.example")


def test_no_log_line_holds_a_live_token(path, caplog):
    look(path, dest="document")
    look("/results/short/")
    assert path.split("/")[2] not in caplog.text
    assert "[token]" in caplog.text


def test_after_the_answer_not_even_the_request_knows_the_token(path):
    """Whoever logs the request later, an error reporter for one, finds none."""
    for response in (look(path), look(path, dest="document"), look(path + "x")):
        assert response.wsgi_request.path == "/results/[token]/"
        assert path.split("/")[2] not in response.wsgi_request.META["PATH_INFO"]


async def test_the_asgi_handler_keeps_the_origins_apart_too():
    server = httpx.ASGITransport(app=get_asgi_application())
    async with httpx.AsyncClient(
        transport=server, base_url=settings.CONTENT_ORIGIN
    ) as client:
        for page, status in (("/sign-in/", 404), ("/results/x/", 403)):
            response = await client.get(page)
            assert response.status_code == status
            assert not response.cookies


def test_the_middleware_stands_first():
    assert settings.MIDDLEWARE[0] == (
        f"{ContentOriginMiddleware.__module__}.{ContentOriginMiddleware.__name__}"
    )


def test_an_unexpected_fault_is_answered_without_its_text(monkeypatch):
    def fault(*args, **kwargs):
        raise vault.Tampered("patient 17")

    monkeypatch.setattr("runner.results.views.redeem", fault)
    response = look("/results/x/")
    assert response.status_code == 500
    assert b"patient 17" not in response.content


def test_a_result_is_not_there_now_while_the_database_is_away(monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("no server at 10.1.2.3")

    monkeypatch.setattr("runner.results.views.redeem", away)
    response = look("/results/x/")
    assert response.status_code == 503
    assert b"10.1.2.3" not in response.content


def test_the_middleware_passes_the_application_on():
    answered = []
    middleware = ContentOriginMiddleware(lambda request: answered.append(1) or "page")
    request = RequestFactory().get("/", headers={"host": APPLICATION})
    assert middleware(request) == "page"
    assert answered == [1]


@pytest.mark.parametrize(
    ("asked", "found"), [("dark", "dark"), ("light", "light"), ('"><b>', "")]
)
def test_a_theme_is_one_of_two_words(asked: str, found: str) -> None:
    head, _ = around(title="Trends", theme=asked)
    wanted = f'<html lang="en-GB" class="cs-theme-{found}">'
    assert (wanted if found else '<html lang="en-GB">').encode() in head


def test_used_and_expired_links_are_swept(run, adams):
    links.make_link(run, by=adams, now=NOW)
    assert links.sweep_links(now=NOW) == 0
    assert links.sweep_links(now=NOW + links.LIFETIME) == 1
    assert again(run.pk) == run


def _token(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]
