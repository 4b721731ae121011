"""What the content origin answers for live sessions, to whom, and what its log keeps."""

import logging
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.test import Client
from django.utils import timezone

from gallery.workflow import Status
from runner.models import ContentLink, LinkKind, Run
from runner.results import links
from runner.results.headers import authority
from runner.results.logs import ForgetTokens
from runner.sessions import views
from runner.sessions.assets import MissingAssets
from runner.sessions.tokens import SALT, Channel, make_channel
from runner.workflow import Queue
from tests.factories.gallery import make_version
from tests.factories.runs import make_run
from tests.support.signing_in import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.security]

CONTENT = authority(settings.CONTENT_ORIGIN)
SIGN_IN = "f" * 16


@pytest.fixture
def run(adams) -> Run:
    version = make_version(Status.APPROVED)
    return make_run(version, adams, "running", queue=Queue.INTERACTIVE)


@pytest.fixture
def page_path(run, adams) -> str:
    return link_to(run, adams, LinkKind.SESSION)


def link_to(run, person, kind) -> str:
    token, now = f"token-of-{kind}", timezone.now()
    ContentLink.objects.create(
        token_sha256=links._hash(token),
        run=run,
        person=person,
        kind=kind,
        sign_in=sign_in(person).fingerprint,
        created_at=now,
        expires_at=now + timedelta(seconds=60),
    )
    return f"/live/{token}/"


def channel(run, person, **changed) -> str:
    known = {"run_id": run.pk, "person_id": person.pk, "sign_in": SIGN_IN, **changed}
    return make_channel(Channel(**known))


def look(path, method="get", dest="iframe", **headers):
    given = {"host": CONTENT, "sec-fetch-dest": dest, **headers}
    return getattr(Client(), method)(path, headers=given)


def test_a_fresh_link_shows_the_page_once_to_a_frame(page_path, run):
    response = look(f"{page_path}?theme=dark")
    assert response.status_code == 200
    text = response.content.decode()
    assert 'class="cs-theme-dark"' in text
    assert f'"kernelId": "{run.pk.hex}"' in text
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert not response.cookies
    (base,) = re.findall(r'"baseUrl": "([^"]+)"', text)
    assert base.startswith(f"{settings.CONTENT_ORIGIN}/live/")
    policy = response["Content-Security-Policy"]
    assert f"connect-src {base}api/kernels/{run.pk.hex} ws" in policy
    model = look(
        base.removeprefix(settings.CONTENT_ORIGIN) + f"api/kernels/{run.pk.hex}"
    )
    assert model.status_code == 200
    again = look(page_path)
    assert (again.status_code, b"Load the run" in again.content) == (410, True)


def test_no_source_is_in_the_page(page_path, run, monkeypatch):
    cells = [{"cell_type": "code", "metadata": {}, "source": "secret_formula"}]
    monkeypatch.setattr(views, "document", lambda version: {"cells": cells})
    assert b"secret_formula" not in look(page_path).content


def test_an_injected_cell_moves_the_indices(run, adams):
    given = {"injected_source": "# Parameters\nmonths = 6\n"}
    mine = make_run(run.version, adams, "running", queue=Queue.INTERACTIVE, **given)
    page = look(link_to(mine, adams, LinkKind.SESSION)).content.decode()
    assert page.count('data-number="0"') == 1
    assert "months" not in page.partition("<main")[2]


@pytest.mark.parametrize("kind", [LinkKind.HTML, LinkKind.LIVE])
def test_a_link_of_another_kind_shows_no_page(run, adams, kind):
    assert look(link_to(run, adams, kind)).status_code == 410


@pytest.mark.parametrize("dest", ["document", "empty", ""])
def test_only_a_frame_gets_the_page(page_path, dest):
    assert look(page_path, dest=dest).status_code == 403
    assert look(page_path, "post").status_code == 405
    assert look(page_path).status_code == 200, "and the link is still good"


def test_an_environment_that_is_not_installed_is_said_to_be(page_path, monkeypatch):
    def missing(**given):
        raise MissingAssets

    monkeypatch.setattr(views, "render_page", missing)
    response = look(page_path)
    assert response.status_code == 503
    assert "is missing on the web server" in response.content.decode()


def test_the_kernel_is_there_until_the_run_ends(run, adams):
    path = f"/live/{channel(run, adams)}/api/kernels/{run.pk.hex}"
    response = look(path, dest="empty", origin="null")
    assert response["Access-Control-Allow-Origin"] == "null"
    assert response["Cache-Control"] == "no-store"
    model = response.json()
    assert set(model) == {
        "id",
        "name",
        "last_activity",
        "execution_state",
        "connections",
    }
    assert (model["id"], model["execution_state"]) == (run.pk.hex, "busy")
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(status="cancelled", finished_at=now)
    assert look(path).json()["execution_state"] == "dead"
    assert look(path, "post").status_code == 405


def test_leaving_the_page_is_heard_and_does_nothing(run, adams):
    path = f"/live/{channel(run, adams)}/voila/api/shutdown/{run.pk.hex}"
    response = look(path, "post", dest="empty")
    assert (response.status_code, response.content) == (204, b"")
    run.refresh_from_db()
    assert run.status == "running"
    assert look(path).status_code == 405


@pytest.mark.parametrize("place", ["api/kernels", "voila/api/shutdown"])
def test_a_token_opens_its_own_session_only(run, adams, baker, place):
    method = "post" if "shutdown" in place else "get"
    other = make_run(run.version, baker, "running", queue=Queue.INTERACTIVE)
    batch = make_run(run.version, adams, "running")
    good = channel(run, adams)
    old = signing.TimestampSigner(salt=SALT, sep=".").sign_object([run.pk.hex, 1, "f"])
    for token, asked in [
        (good, other),
        (channel(run, baker), run),
        (channel(other, adams), other),
        (channel(batch, adams), batch),
        (good[:-1] + ("A" if good[-1] != "A" else "B"), run),
        (old.replace(".", "x"), run),
        ("nonsense", run),
    ]:
        response = look(f"/live/{token}/{place}/{asked.pk.hex}", method)
        assert response.status_code == 404, (token, asked)
        assert "Access-Control-Allow-Origin" not in response
    for kernel in (str(run.pk), run.pk.hex.upper() + "0", "x"):
        assert look(f"/live/{good}/{place}/{kernel}", method).status_code == 404


def test_no_log_line_and_no_request_keeps_a_token(run, adams, page_path, caplog):
    token = channel(run, adams)
    for path in (
        page_path,
        page_path,
        f"/live/{token}/api/kernels/{run.pk.hex}",
        f"/live/{token}/api/kernels/7",
        f"/live/{token}/nothing",
    ):
        response = look(path)
        assert response.wsgi_request.path == "/live/[token]/"
        assert response.wsgi_request.META["PATH_INFO"] == "/live/[token]/"
    assert token not in caplog.text
    assert page_path.split("/")[2] not in caplog.text


@pytest.mark.parametrize("text", ['- "WebSocket %s" [accepted]', '- "GET %s"'])
def test_the_web_servers_log_forgets_live_tokens(text, caplog):
    path = "/live/S3cret.token/api/kernels/7/channels?session_id=1"
    record = logging.LogRecord("uvicorn", logging.INFO, "", 1, text, (path,), None)
    assert ForgetTokens().filter(record)
    assert "S3cret" not in record.getMessage()
    assert "/live/[token]/api/kernels/7/channels" in record.getMessage()
