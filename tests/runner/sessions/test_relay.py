"""A session's worker alone: what it ends, bounds and keeps; the kernel host is played, the broker is real."""

import base64
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import User
from gallery.workflow import Status
from runner.kernelhost.client import ConnectionLost
from runner.live import mirror
from runner.live.comms import CONTROL_TARGET
from runner.live.frames import Frame, encode
from runner.live.traits import CONTROLS
from runner.models import Run, WidgetEventBatch
from runner.results.vault import unseal
from runner.sessions import outgoing, session
from runner.sessions.session import LiveSession
from runner.sessions.streams import Entry, Said, in_key, number_of, out_key
from runner.workflow import Status as RunStatus
from tests.factories.gallery import make_version
from tests.factories.runs import make_run
from tests.runner.live.messages import SLIDER, opened, told
from tests.runner.sessions.web_side import WebSide, data_of

pytestmark = pytest.mark.django_db
BUSY = told("status", {"execution_state": "busy"})


class Host:
    """A kernel host that remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.is_gone = False

    def end(self) -> None:
        self.told.append("end")

    def say(self, frame: bytes) -> None:
        if self.is_gone:
            raise ConnectionLost
        self.told.append(frame)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_790_000_000.0


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(session, "time", made)
    return made


@pytest.fixture
def run(adams: User) -> Run:
    return make_run(
        make_version(Status.APPROVED), adams, RunStatus.RUNNING, queue="interactive"
    )


@pytest.fixture
def live(run: Run, host: Host, clock: Clock) -> Iterator[LiveSession]:
    made = LiveSession(run, host)
    with made.open():
        yield made
    with redis.Redis.from_url(configured.BROKER_URL) as broker:
        broker.flushdb()


def says(live: LiveSession, *frames: Frame) -> None:
    for frame in frames:
        event = {"event": "frame", "frame": base64.b64encode(encode(frame)).decode()}
        live.take(event, now=timezone.now())


def after(live: LiveSession, clock: Clock, seconds: float) -> str:
    """What ends a session, looked at every five seconds, `seconds` from now."""
    for _ in range(int(seconds / 5)):
        clock.now += 5
        live.show(now=timezone.now())
    return live.ended_by


def test_nobody_comes(live: LiveSession, clock: Clock, host: Host) -> None:
    assert after(live, clock, configured.LIVE_DISCONNECTED_S - 5) == ""
    assert after(live, clock, 5) == "left"
    assert after(live, clock, 20) == "left"
    assert host.told == ["end"]


def recorded() -> list[dict[str, Any]]:
    """What the record says that readers did."""
    found: list[dict[str, Any]] = []
    for batch in WidgetEventBatch.objects.all():
        sealed, associated = bytes(batch.sealed), batch.associated
        found += json.loads(
            unseal(sealed, keys=configured.RESULT_KEYS, associated=associated)
        )
    return found


def stays(live: LiveSession, run: Run) -> WebSide:
    """A page that is there, and is heard."""
    page = WebSide(run)
    says(live, opened(SLIDER))
    page.connect()
    return page


def test_a_page_that_says_nothing_more_counts_as_gone(
    live: LiveSession, run: Run, clock: Clock
) -> None:
    stays(live, run)
    gone_s = session.PAGE_GONE_S + configured.LIVE_DISCONNECTED_S
    assert after(live, clock, gone_s - 10) == ""
    assert after(live, clock, 20) == "left"


def test_nobody_uses_it(
    live: LiveSession, run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE_GONE_S", 1e9)
    stays(live, run)
    assert after(live, clock, configured.LIVE_IDLE_S - 5) == ""
    assert after(live, clock, 10) == "idle"


def test_cells_that_are_executed_keep_it(
    live: LiveSession, run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE_GONE_S", 1e9)
    stays(live, run)
    assert after(live, clock, configured.LIVE_IDLE_S - 20) == ""
    live.take({"event": "cell_finished", "cell": 0, "status": "ok"}, now=timezone.now())
    assert after(live, clock, configured.LIVE_IDLE_S - 20) == ""


def test_use_keeps_it_and_time_ends_it(
    live: LiveSession,
    run: Run,
    clock: Clock,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "PAGE_GONE_S", 1e9)
    page = stays(live, run)
    used = 0
    while clock.now < 1_000 + configured.LIVE_SESSION_S - 600:
        assert after(live, clock, 500) == ""
        page.move(SLIDER, value=used % 10)
        used += 1
        wait_for(lambda used=used: len(host.told) == used)
    assert after(live, clock, 700) == "session_limit"


def wait_for(is_so: Any) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.security
def test_a_password_is_used_and_kept_nowhere(
    live: LiveSession, run: Run, clock: Clock, host: Host
) -> None:
    state = {"_model_module": CONTROLS, "_model_name": "PasswordModel", "value": ""}
    says(
        live,
        told(
            "comm_open",
            {"comm_id": "p", "target_name": "jupyter.widget", "data": {"state": state}},
        ),
    )
    page = WebSide(run)
    page.move("p", value="CANARY")
    wait_for(lambda: host.told)
    assert b"CANARY" in host.told[0]
    live.keep(now=timezone.now())
    batch = WidgetEventBatch.objects.get()
    kept = unseal(
        bytes(batch.sealed), keys=configured.RESULT_KEYS, associated=batch.associated
    )
    [entry] = json.loads(kept)
    assert (entry["values"], entry["withheld"]) == ({}, ["value"])


def test_of_a_long_value_the_record_keeps_the_length(
    live: LiveSession, run: Run, host: Host
) -> None:
    state = {"_model_module": CONTROLS, "_model_name": "TextareaModel", "value": ""}
    says(
        live,
        told(
            "comm_open",
            {"comm_id": "t", "target_name": "jupyter.widget", "data": {"state": state}},
        ),
    )
    WebSide(run).move("t", value="x" * 50_000)
    wait_for(lambda: host.told)
    live.keep(now=timezone.now())
    assert len(bytes(WidgetEventBatch.objects.get().sealed)) < 2_000


def test_widgets_that_hold_too_much_stop_it(
    live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MAX_BYTES", 1_000)
    says(live, opened(SLIDER))
    assert live.stop is None
    data = {"method": "update", "state": {"text": "x" * 5_000}, "buffer_paths": []}
    says(live, told("comm_msg", {"comm_id": SLIDER, "data": data}))
    assert live.stop is not None
    assert live.stop.code == "output_limit"


def test_a_kernel_host_that_is_gone_silences_nobody(
    live: LiveSession, run: Run, host: Host
) -> None:
    page = stays(live, run)
    host.is_gone = True
    page.move(SLIDER, value=1)
    assert data_of(page.connect())["method"] == "update_states"


def test_what_a_page_lags_behind_is_bounded(
    live: LiveSession, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MAX_ENTRIES", 10)
    says(live, *(BUSY for _ in range(50)))
    with redis.Redis.from_url(configured.BROKER_URL) as broker:
        entries = broker.xrange(out_key(run.pk))
        assert 0 < broker.ttl(out_key(run.pk)) <= 120
    numbers = [int(entry_id.split(b"-")[0]) for entry_id, _ in entries]
    assert (len(numbers), numbers[-1]) == (10, 50)
    assert numbers == list(range(41, 51))


def test_so_is_what_they_weigh(
    live: LiveSession, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MAX_BYTES", 2_000)
    says(live, *(opened(SLIDER) for _ in range(50)))
    with redis.Redis.from_url(configured.BROKER_URL) as broker:
        assert broker.xlen(out_key(run.pk)) < 10


def test_a_broker_that_is_away_ends_nothing(
    live: LiveSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError

    pipeline = type(live._out._client.pipeline())
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "execute", away)
        says(live, opened(SLIDER), opened(SLIDER))
    assert [record.message.split()[0] for record in caplog.records].count(
        "live.not_sent"
    ) == 1
    live._out._quiet_until = 0.0
    says(live, opened(SLIDER))


def test_a_page_that_asks_again_is_shown_everything_again(
    live: LiveSession, run: Run, clock: Clock
) -> None:
    """The first answer may have been lost with the broker."""
    page = stays(live, run)
    page.is_shown = False
    clock.now += 5
    page.send(Said.JOIN)
    assert data_of(page.connect())["method"] == "update_states"


@pytest.mark.security
def test_what_a_page_said_counts_once(live: LiveSession, run: Run, host: Host) -> None:
    """Who can write to the broker, and kept what passed by, presses no button again."""
    page = stays(live, run)
    page.move(SLIDER, value=1)
    wait_for(lambda: len(host.told) == 1)
    entry = Entry(Said.FRAME, page.connection, host.told[0])
    old = page.sealer.seal_said(entry, page.number)
    page.client.xadd(in_key(run.pk), old)
    page.client.xadd(in_key(run.pk), {**old, b"n": b"%d" % (page.number + 5)})
    page.client.xadd(in_key(run.pk), {**old, b"c": b"f" * 16})
    page.move(SLIDER, value=2)
    wait_for(lambda: len(host.told) == 2)
    assert b'"value": 2' in host.told[1]


def test_what_was_read_waits_no_more(live: LiveSession, run: Run, host: Host) -> None:
    page = stays(live, run)
    for value in range(5):
        page.move(SLIDER, value=value)
    wait_for(lambda: len(host.told) == 5)
    wait_for(lambda: page.client.xlen(in_key(run.pk)) == 0)


def test_an_event_that_breaks_the_relay_stops_the_session_and_loses_no_run(
    live: LiveSession,
) -> None:
    live.take({"event": "frame", "frame": "Kg=="}, now=timezone.now())
    assert live.stop is not None
    assert live.stop.code == "relay_failed"
    finished = {"event": "finished", "notebook": {}}
    live.take(finished, now=timezone.now())
    assert "widgets" in finished["notebook"]["metadata"]


def test_widgets_that_are_too_much_for_a_result_are_left_out(
    live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_SAVED_BYTES", 10)
    says(live, opened(SLIDER))
    finished = {"event": "finished", "notebook": {}}
    live.take(finished, now=timezone.now())
    assert finished["notebook"] == {}


def test_pages_that_come_and_go_leave_no_comm_open(live: LiveSession, run: Run) -> None:
    for _ in range(20):
        page = WebSide(run)
        comm = {"comm_id": page.connection, "target_name": CONTROL_TARGET, "data": {}}
        page.say("comm_open", comm)
        page.send(Said.LEAVE)
    assert data_of(WebSide(run).connect())["method"] == "update_states"


def test_a_broker_that_hangs_is_left_alone_for_a_while(
    live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def hang(*_: Any, **__: Any) -> None:
        tried.append(1)
        raise redis.TimeoutError

    pipeline = type(live._out._client.pipeline())
    monkeypatch.setattr(pipeline, "execute", hang)
    says(live, *(BUSY for _ in range(20)))
    assert len(tried) == 1


def test_what_got_lost_is_seen_though_nothing_more_is_said(
    live: LiveSession, run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = stays(live, run)

    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError

    pipeline = type(live._out._client.pipeline())
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "execute", away)
        says(live, BUSY)
    live._out._quiet_until = 0.0
    clock.now += 2
    live.show(now=timezone.now())
    entries = page.client.xrange(out_key(run.pk))
    numbers = [number_of(entry_id) for entry_id, _ in entries]
    gaps = [after - before for before, after in pairwise(numbers) if after - before > 1]
    assert len(gaps) == 1
