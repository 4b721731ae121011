"""`Prefer: wait=N` and event streams, as a client of the real web server sees them."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import OperationalError, connections
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.response import Response

from accounts.models import Session, User
from accounts.sessions import SessionStore
from gallery.models import Version
from gallery.workflow import Status as VersionStatus
from runner.api import waiting
from runner.api.waiting import wait_s
from runner.models import Run
from runner.services.lifecycle import CellState, claim_run, note_cells, start_run
from runner.workflow import Status
from tests.api import PASSWORD
from tests.factories.gallery import make_version
from tests.factories.runs import finish, make_run
from tests.support.fixtures import Site


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=10", 10),
        ("WAIT = 3", 3),
        ('wait="7"', 7),
        ("wait=5; foo=bar", 5),
        ("wait=3600", 60),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("await=5", 0),
        ("", 0),
    ],
)
def test_the_preference_is_read_as_rfc_7240_writes_it(
    header: str, seconds: int
) -> None:
    request = RequestFactory().get("/", headers={"Prefer": header})
    assert wait_s(request) == seconds


@pytest.fixture
def approved(site: Site, adams: User) -> Version:
    return make_version(VersionStatus.APPROVED)


@pytest.fixture
def caller(site: Site, adams: User) -> Iterator[httpx.Client]:
    """adams, signed in over HTTP."""
    with signed_in(site, "adams") as client:
        yield client


@contextlib.contextmanager
def signed_in(site: Site, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{site.url}/api/v1/", timeout=30) as client:
        client.get("session/")
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        credentials = {"username": name, "password": PASSWORD}
        assert client.post("session/", json=credentials).status_code == 200
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        yield client


def in_a_moment(act: Any, *args: Any, after_s: float = 0.5) -> threading.Thread:
    """Do something in another thread, as a worker would."""

    def later() -> None:
        time.sleep(after_s)
        try:
            act(*args)
        finally:
            connections.close_all()

    thread = threading.Thread(target=later)
    thread.start()
    return thread


def execute_the_queued_run() -> None:
    """Play the worker for the one run that is queued, as soon as there is one."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        waiting = Run.objects.filter(status=Status.QUEUED).first()
        if waiting is not None:
            run = claim_run(run_id=waiting.pk, now=timezone.now())
            assert run is not None
            execute(run)
            return
        time.sleep(0.05)


def execute(run: Run) -> None:
    start_run(run=run, evidence={}, now=timezone.now())
    note_cells(run=run, cells={1: CellState("ok", 5)}, now=timezone.now())
    finish(run, Status.SUCCEEDED, now=timezone.now())


@pytest.mark.usefixtures("data_cluster")
def test_a_run_that_ends_in_time_is_answered_200(
    approved: Version, caller: httpx.Client
) -> None:
    worker = in_a_moment(execute_the_queued_run)
    begun = time.monotonic()
    answer = caller.post(
        f"notebooks/{approved.notebook.slug}/runs/",
        json={},
        headers={"Prefer": "wait=20"},
    )
    worker.join()
    assert answer.status_code == 200
    assert answer.json()["status"] == "succeeded"
    assert answer.json()["finished_at"]
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert time.monotonic() - begun < 15


@pytest.mark.usefixtures("data_cluster")
def test_a_run_that_does_not_end_in_time_is_answered_202(
    approved: Version, caller: httpx.Client
) -> None:
    begun = time.monotonic()
    answer = caller.post(
        f"notebooks/{approved.notebook.slug}/runs/",
        json={},
        headers={"Prefer": "wait=1"},
    )
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    assert time.monotonic() - begun >= 1


def events(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_stream_tells_each_change_and_then_the_end(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    run = make_run(approved, adams, Status.STARTING)
    told = []
    with caller.stream("GET", f"runs/{run.pk}/events/") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        stream = events(response)
        told.append(next(stream))
        worker = in_a_moment(execute, run, after_s=0)
        told += list(stream)
        worker.join()
    names = [name for name, _ in told]
    assert names[0] == "progress"
    assert names[-1] == "finished"
    assert names.count("finished") == 1
    assert told[0][1]["status"] == "starting"
    last = told[-1][1]
    assert last["status"] == "succeeded"
    assert (last["cells_done"], last["cells_total"]) == (1, 2)
    assert last["cells"] == [{"index": 1, "status": "ok", "duration_ms": 5}]
    assert last["elapsed_s"] >= 0


def test_a_stream_of_a_finished_run_ends_at_once(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    run = make_run(approved, adams, Status.FAILED)
    with caller.stream("GET", f"runs/{run.pk}/events/") as response:
        told = list(events(response))
    assert [(name, data["status"]) for name, data in told] == [("finished", "failed")]


def test_a_stream_ends_when_its_follower_signs_out(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    run = make_run(approved, adams, Status.STARTING)
    with caller.stream("GET", f"runs/{run.pk}/events/") as response:
        stream = events(response)
        assert next(stream)[0] == "progress"
        Session.objects.filter(person=adams).delete()
        assert list(stream) == []


def test_a_stream_ends_when_its_followers_account_is_closed(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    run = make_run(approved, adams, Status.STARTING)
    with caller.stream("GET", f"runs/{run.pk}/events/") as response:
        stream = events(response)
        assert next(stream)[0] == "progress"
        User.objects.filter(pk=adams.pk).update(is_active=False)
        assert list(stream) == []


def test_following_a_run_is_no_sign_of_life(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    run = make_run(approved, adams, Status.FAILED)
    long_ago = timezone.now().timestamp() - 300
    session = Session.objects.get(person=adams)
    store = SessionStore(session.session_key)
    store["last_active_at"] = long_ago
    store.save()
    with caller.stream("GET", f"runs/{run.pk}/events/") as response:
        list(events(response))
    session.refresh_from_db()
    assert session.last_active_at.timestamp() == pytest.approx(long_ago)


def test_somebody_elses_stream_is_404(
    site: Site, approved: Version, adams: User, baker: User
) -> None:
    run = make_run(approved, adams, Status.RUNNING)
    with signed_in(site, "baker") as other:
        assert other.get(f"runs/{run.pk}/events/").status_code == 404


def test_those_who_wait_hold_no_database_connection(
    approved: Version, adams: User, caller: httpx.Client
) -> None:
    """Many more wait than the web server has connections, and others are served."""
    run = make_run(approved, adams, Status.STARTING)
    path = f"runs/{run.pk}/events/"
    with contextlib.ExitStack() as streams:
        for _ in range(20):
            stream = streams.enter_context(caller.stream("GET", path))
            assert next(stream.iter_lines()) == "event: progress"
        for _ in range(20):
            assert caller.get(f"runs/{run.pk}/").status_code == 200


async def test_a_run_that_was_taken_is_said_so_though_it_could_not_be_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def over(*_: Any, **__: Any) -> bool:
        return True

    def away(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(waiting, "let_go", lambda: None)
    monkeypatch.setattr(waiting, "ended", over)
    monkeypatch.setattr(waiting, "_as_it_stands", away)
    taken = {"id": str(uuid4()), "status": "queued"}
    answer = await waiting.preferring_to_wait(lambda _: Response(taken, status=202))(
        RequestFactory().post("/", headers={"Prefer": "wait=5"})
    )
    assert (answer.status_code, answer.data) == (202, taken)
