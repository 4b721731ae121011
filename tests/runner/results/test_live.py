"""Outputs as they come: one look, one person, in a frame, until the run has ended."""

import asyncio
import contextlib
import functools
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.policies import NotAllowed
from config.embedded.files import free_port
from gallery.workflow import Status as VersionStatus
from runner.models import ContentLink, Run, RunOutput
from runner.progress import channel
from runner.results import links, live
from runner.results.document import stylesheet_hash
from runner.results.headers import authority, content_policy
from runner.results.parts import LivePart
from runner.services.live_outputs import append_outputs
from runner.stream import changes
from runner.workflow import Status
from tests.factories.gallery import make_version
from tests.factories.runs import finish, make_run
from tests.pages import as_reader
from tests.runner.results.finished import events
from tests.support import processes
from tests.support.fixtures import Site

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.security]

CONTENT = authority(settings.CONTENT_ORIGIN)
FRAME = {"sec-fetch-dest": "iframe"}


@pytest.fixture
def run(adams: User) -> Run:
    """A run under way of adams, who is signed in."""
    sign_in(adams)
    return make_run(make_version(VersionStatus.APPROVED), adams, Status.RUNNING)


@pytest.fixture
def other(run: Run, adams: User) -> Run:
    return make_run(run.version, adams, Status.RUNNING)


def sign_in(person: User) -> None:
    as_reader(person).get("/runs/")


def show(run: Run, *parts: LivePart | bytes, after: int = 0) -> None:
    made = [LivePart(1, part) if isinstance(part, bytes) else part for part in parts]
    append_outputs(run_id=run.pk, parts=made, after=after, now=timezone.now())


def path_of(run: Run, by: User) -> str:
    link = links.make_live_link(run, by=by, now=timezone.now())
    return re.sub(r"^https?://[^/]+", "", link)


def look(path: str, *, dest: str | None = "iframe", method: str = "get"):
    headers = {"host": CONTENT} | ({"sec-fetch-dest": dest} if dest else {})
    return getattr(Client(), method)(path, headers=headers)


def in_a_loop_of_its_own(test: Callable[..., Coroutine[Any, Any, None]]):
    """Run an async test in another thread: a browser may keep a loop in this one."""

    @functools.wraps(test)
    def run_it(*args: Any, **kwargs: Any) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, test(*args, **kwargs)).result()

    return run_it


class Reading:
    """A document that is being read, chunk by chunk, as a browser does."""

    def __init__(self, run: Run) -> None:
        self.watcher = live.Watcher(run.pk, run.requested_by_id, "Trends")
        self.chunks = live.growing_document(self.watcher)

    async def next(self) -> str:
        chunk = await asyncio.wait_for(anext(self.chunks), 10)
        return chunk.decode()

    async def rest(self) -> str:
        async with asyncio.timeout(10):
            return "".join([chunk.decode() async for chunk in self.chunks])


@contextlib.asynccontextmanager
async def reading(run: Run) -> AsyncIterator[Reading]:
    """A document whose head has been read."""
    document = Reading(run)
    async with contextlib.aclosing(document.chunks):
        head = await document.next()
        assert "appears here as it comes" in head
        assert "</main>" not in head
        yield document


def do(act, *args, **more):
    def closing() -> None:
        act(*args, **more)
        connections.close_all()

    return sync_to_async(closing, thread_sensitive=False)()


# The document


@in_a_loop_of_its_own
async def test_each_part_comes_when_it_is_there_and_in_order(run: Run) -> None:
    await do(show, run, b"<p>one</p>", b"<p>two</p>")
    async with reading(run) as document:
        first = await document.next()
        assert first.index("one") < first.index("two")
        begun = time.monotonic()
        await do(show, run, b"<p>three</p>", after=2)
        second = await document.next()
        assert time.monotonic() - begun < live.LOOK_EVERY_S / 2  # a signal woke it
        assert "three" in second
        assert "one" not in second


@in_a_loop_of_its_own
async def test_each_cell_has_a_section_and_what_comes_anew_says_so(run: Run) -> None:
    parts = [LivePart(1, b"a"), LivePart(1, b"b", replaces=True), LivePart(3, b"c")]
    async with reading(run) as document:
        await do(show, run, *parts)
        found = await document.next()
    assert found == (
        '<section class="cs-cell"><div class="cs-part cs-again">b</div>\n'
        '</section><section class="cs-cell"><div class="cs-part">c</div>\n'
    )


@in_a_loop_of_its_own
async def test_the_document_is_closed_when_the_run_has_ended(run: Run) -> None:
    async with reading(run) as document:
        await do(show, run, b"<p>one</p>")
        await document.next()
        await do(finish, run, Status.SUCCEEDED, now=timezone.now())
        rest = await document.rest()
    assert rest.startswith("</section></div>")
    assert live.ENDED in rest
    assert rest.rstrip().endswith("</html>")
    assert "Twelve prescriptions" not in rest


@in_a_loop_of_its_own
async def test_the_document_is_closed_when_its_time_is_over(run, monkeypatch) -> None:
    monkeypatch.setattr(live, "LIFETIME_S", 0.2)
    async with reading(run) as document:
        assert live.TOO_LONG in await document.rest()


@in_a_loop_of_its_own
async def test_a_closed_account_sees_no_more(run: Run, adams: User) -> None:
    async with reading(run) as document:
        await do(User.objects.filter(pk=adams.pk).update, is_active=False)
        await do(show, run, b"<p>31 prescriptions</p>")
        assert "31 prescriptions" not in await document.rest()


@in_a_loop_of_its_own
async def test_who_signs_out_sees_no_more(run: Run, adams: User) -> None:
    async with reading(run) as document:
        await do(Session.objects.filter(person=adams).delete)
        await do(show, run, b"<p>31 prescriptions</p>")
        assert "31 prescriptions" not in await document.rest()


@in_a_loop_of_its_own
async def test_an_idle_session_sees_no_more(run: Run, adams: User) -> None:
    long_ago = timezone.now() - timedelta(seconds=settings.SESSION_IDLE_S + 1)
    async with reading(run) as document:
        await do(Session.objects.filter(person=adams).update, last_active_at=long_ago)
        await do(show, run, b"<p>31 prescriptions</p>")
        assert "31 prescriptions" not in await document.rest()


@in_a_loop_of_its_own
async def test_another_person_sees_nothing(run: Run, baker: User) -> None:
    await do(sign_in, baker)
    await do(show, run, b"<p>31 prescriptions</p>")
    async with reading(run) as document:
        document.watcher.person_id = baker.pk
        assert "31 prescriptions" not in await document.rest()


@in_a_loop_of_its_own
async def test_a_part_that_was_moved_from_another_run_is_not_shown(
    run: Run, other: Run
) -> None:
    await do(show, run, b"<p>31 prescriptions</p>")
    await do(_move_part, run, other)
    async with reading(other) as document:
        rest = await document.rest()
    assert live.BROKEN in rest
    assert "31 prescriptions" not in rest


def _move_part(run: Run, other: Run) -> None:
    sealed = bytes(RunOutput.objects.get(run=run).html)
    RunOutput.objects.create(
        run=other, sequence=1, cell=1, html=sealed, stored_at=timezone.now()
    )


@in_a_loop_of_its_own
async def test_who_goes_away_leaves_no_subscription(run: Run) -> None:
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        name = channel(run.pk)
        async with reading(run) as document:
            waiting = asyncio.create_task(document.next())
            while dict(broker.pubsub_numsub(name))[name.encode()] != 1:
                await asyncio.sleep(0.02)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        for _ in range(50):
            if dict(broker.pubsub_numsub(name))[name.encode()] == 0:
                return
            await asyncio.sleep(0.02)
    pytest.fail("the subscription is still there")


@in_a_loop_of_its_own
async def test_the_event_stream_waits_in_the_same_way(run: Run, monkeypatch) -> None:
    looks = []

    async def watch(run_id, look, **_):
        looks.append(run_id)
        yield await sync_to_async(look)()

    monkeypatch.setattr("runner.stream.watch", watch)
    assert [event async for event in changes(run.pk)] == [
        b"event: progress\ndata: {}\n\n"
    ]
    assert looks == [run.pk]


# The link


def test_another_person_gets_no_link(run: Run, baker: User) -> None:
    with pytest.raises(NotAllowed) as refusal:
        links.make_live_link(run, by=baker, now=timezone.now())
    assert refusal.value.blockers[0].code == "not_your_run"


def test_a_link_in_another_persons_name_leads_nowhere(run, adams, baker) -> None:
    path = path_of(run, adams)
    ContentLink.objects.update(person=baker)
    assert look(path).status_code == 410
    assert events("result.watched") == []


def test_an_ended_run_gets_no_link_and_an_old_one_leads_nowhere(run, adams) -> None:
    path = path_of(run, adams)
    finish(run, Status.SUCCEEDED, now=timezone.now())
    run.refresh_from_db()
    with pytest.raises(NotAllowed):
        links.make_live_link(run, by=adams, now=timezone.now())
    assert look(path).status_code == 410


def test_a_link_is_good_once_and_for_a_minute(run: Run, adams: User) -> None:
    now = timezone.now()
    token = path_of(run, adams).split("/")[2]
    with pytest.raises(links.LinkRefused):
        links.redeem_live(token, now=now + links.LIFETIME + timedelta(seconds=1))
    assert links.redeem_live(token, now=now).run == run
    with pytest.raises(links.LinkRefused):
        links.redeem_live(token, now=now)
    assert len(events("result.watched")) == 1


def test_a_link_to_live_outputs_never_becomes_one_to_the_result(run, adams) -> None:
    token = path_of(run, adams).split("/")[2]
    finish(run, Status.SUCCEEDED, now=timezone.now())
    for redeem in (links.redeem, links.redeem_live):
        with pytest.raises(links.LinkRefused):
            redeem(token, now=timezone.now())


@pytest.mark.parametrize("dest", [None, "document", "empty", "image"])
def test_only_a_frame_may_ask(run: Run, adams: User, dest: str | None) -> None:
    path = path_of(run, adams)
    assert look(path, dest=dest).status_code == 403
    assert ContentLink.objects.get().used_at is None
    assert events("result.watched") == []


@pytest.mark.parametrize("method", ["post", "put", "delete", "head", "options"])
def test_only_get_is_answered(run: Run, adams: User, method: str) -> None:
    assert look(path_of(run, adams), method=method).status_code == 405


def test_nothing_is_shown_when_the_event_cannot_be_written(run, adams, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("runner.results.reading.record", broken)
    assert look(path_of(run, adams)).status_code == 500
    assert ContentLink.objects.get().used_at is None


# Over the wire


@contextlib.contextmanager
def opened(site: Site, path: str) -> Iterator[httpx.Response]:
    with (
        httpx.Client(base_url=site.content_url, timeout=20) as client,
        client.stream("GET", path, headers=FRAME) as response,
    ):
        yield response


def test_a_real_server_sends_what_there_is_at_once(site, run, adams) -> None:
    show(run, b"<p>one</p>")
    path = path_of(run, adams)
    with opened(site, path) as response:
        chunks = response.iter_text()
        found = ""
        while "<p>one</p>" not in found:
            found += next(chunks)
        assert "</html>" not in found
        (event,) = events("result.watched")
        assert (event.actor, event.target_id) == ("adams", str(run.pk))
        finish(run, Status.SUCCEEDED, now=timezone.now())
        assert "</html>" in "".join(chunks)
    assert path.split("/")[2] not in site.process.said()


def test_the_headers_are_those_of_a_result(site, run, adams) -> None:
    with opened(site, path_of(run, adams)) as response:
        headers = response.headers
    assert response.status_code == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == content_policy(
        application_origin=site.url, style_hash=stylesheet_hash()
    )
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Set-Cookie" not in headers


def test_a_server_that_shuts_down_does_not_wait_for_the_run(run, adams) -> None:
    port = free_port()
    process = processes.site(port)
    process.start(lambda: _listens(port))
    try:
        with opened(Site(port, process), path_of(run, adams)) as response:
            chunks = response.iter_raw()
            next(chunks)
            begun = time.monotonic()
            threading.Timer(0.1, process.popen.terminate).start()
            with contextlib.suppress(httpx.RemoteProtocolError):
                list(chunks)
            process.popen.wait(10)
            assert time.monotonic() - begun < 8
    finally:
        process.stop()


def _listens(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://localhost:{port}/healthz", timeout=5).is_success
    return False
