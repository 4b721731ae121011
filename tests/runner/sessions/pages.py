"""A live session without a kernel: its page as a bare WebSocket, its worker as streams."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts import sessions
from accounts.models import Session, User
from runner.live.frames import SUBPROTOCOL, Frame, decode, encode
from runner.models import Run
from runner.sessions import streams
from runner.sessions.streams import EVERYBODY, Entry, Said, Sealer
from runner.sessions.tokens import Channel, make_channel
from runner.workflow import Queue, Status
from tests.factories.runs import make_run
from tests.runner.launching import approved
from tests.runner.live.messages import WIDGETS, opened, told
from tests.support.fixtures import Site

PATIENCE_S = 8.0


def live_run(by: User, status: str = Status.RUNNING, **fields: Any) -> Run:
    """A live session of `by`, as its worker leaves it."""
    return make_run(approved("1"), by, status, queue=Queue.INTERACTIVE, **fields)


def signed_in(person: User) -> tuple[Client, Session]:
    """A browser in which a person is signed in, and the session that it is."""
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    kept = browser.session
    now_s = timezone.now().timestamp()
    kept.update({sessions.SIGNED_IN_AT: now_s, sessions.LAST_ACTIVE_AT: now_s})
    kept.save()
    return browser, Session.objects.get(pk=kept.session_key)


def channel_of(run: Run, person: User | None = None) -> Channel:
    """What a page of the run would show: a new sign-in of `person`, else of its owner."""
    person = person or run.requested_by
    _, session = signed_in(person)
    return Channel(run.pk, person.pk, session.fingerprint)


@dataclass
class Door:
    """How a page asks to be let in; a test changes one thing of it."""

    site: Site
    path: str
    host: str = ""
    origin: str | None = "null"
    subprotocols: tuple[str, ...] = (SUBPROTOCOL,)
    headers: list[tuple[str, str]] = field(default_factory=list)

    def but(self, **changes: Any) -> "Door":
        """The same, with something changed."""
        return replace(self, **changes)

    @contextmanager
    def open(self) -> Iterator[ClientConnection]:
        """Connect.  Raises websockets' InvalidStatus when refused."""
        import socket

        raw = socket.create_connection(("127.0.0.1", self.site.port), 10)
        host = self.host or self.site.content_url.removeprefix("http://")
        with connect(
            f"ws://{host}{self.path}",
            sock=raw,
            origin=self.origin,  # type: ignore[arg-type]
            subprotocols=list(self.subprotocols) or None,  # type: ignore[arg-type]
            additional_headers=self.headers,
            compression=None,
            max_size=None,
            user_agent_header=None,
            close_timeout=3,
        ) as socket_:
            yield socket_


def path_of(token: str, run_id: UUID, tail: str = "channels") -> str:
    return f"/live/{token}/api/kernels/{run_id.hex}/{tail}"


def door(site: Site, channel: Channel) -> Door:
    """The door as the page knows it."""
    return Door(site, path_of(make_channel(channel), channel.run_id))


class Worker:
    """The session's worker: reads what pages say, and writes what they are shown."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id, self.number, self.last = run_id, 0, b"0-0"
        self.sealer = Sealer(run_id)
        self.broker: Any = redis.Redis.from_url(settings.BROKER_URL)

    def read(self) -> list[Entry]:
        """What has come since the last time."""
        found = self.broker.xrange(streams.in_key(self.run_id), min=b"(" + self.last)
        self.last = found[-1][0] if found else self.last
        return [self.sealer.open_said(fields)[0] for _, fields in found]

    def wait(self, said: Said, *, within_s: float = PATIENCE_S) -> Entry:
        """The next entry of this kind; what comes before it is forgotten."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for entry in self.read():
                if entry.said is said:
                    return entry
            time.sleep(0.02)
        raise AssertionError(f"no {said.name} came")

    def frames(self, count: int, *, within_s: float = PATIENCE_S) -> list[Frame]:
        """The next so many messages of pages."""
        found: list[Frame] = []
        deadline = time.monotonic() + within_s
        while len(found) < count and time.monotonic() < deadline:
            found += [decode(e.body) for e in self.read() if e.said is Said.FRAME]
            time.sleep(0.01)
        assert len(found) == count
        return found

    def write(self, entry: Entry, *, at: int | None = None) -> None:
        """Put an entry where pages read; `at` is another number than the next."""
        self.number = self.number + 1 if at is None else at
        place = streams.out_place(self.number)
        fields = self.sealer.seal(entry, place=place)
        self.broker.xadd(streams.out_key(self.run_id), fields, id=f"{self.number}-0")

    def show(self, frame: Frame, to: str = EVERYBODY) -> None:
        """Show a message to one page, or to all."""
        self.write(Entry(Said.FRAME, to, encode(frame)))

    def welcome(self) -> str:
        """Let the page that joins know that it is shown everything; return its id."""
        joined = self.wait(Said.JOIN)
        self.write(Entry(Said.SHOWING, joined.connection))
        return joined.connection

    def list_widgets(self) -> None:
        """Say which widgets there are, none; from then on pages hear of new ones."""
        self.show(told("comm_info_reply", {"comms": {}}, channel="shell"))

    def widgets(self, page: ClientConnection) -> None:
        """Show every kind of widget that tests use, and wait until they were seen."""
        self.list_widgets()
        page.recv(timeout=PATIENCE_S)
        for comm_id in WIDGETS:
            self.show(opened(comm_id))
        for _ in WIDGETS:
            page.recv(timeout=PATIENCE_S)


@contextmanager
def visiting(place: Door, run_id: UUID) -> Iterator[tuple[ClientConnection, Worker]]:
    """A page that is connected and was shown every kind of widget."""
    worker = Worker(run_id)
    with place.open() as page:
        worker.welcome()
        worker.widgets(page)
        yield page, worker


def heard(page: ClientConnection, *, within_s: float = PATIENCE_S) -> Frame:
    """The next message that a page hears."""
    data = page.recv(timeout=within_s)
    assert isinstance(data, bytes)
    return decode(data)


def close_code(page: ClientConnection, *, within_s: float = PATIENCE_S) -> int:
    """Wait for the server to close; return the code, 0 when it said none."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            page.recv(timeout=0.2)
        except TimeoutError:
            continue
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
    raise AssertionError("still open")


def status(state: str) -> Frame:
    """A kernel's word on whether it works."""
    return told("status", {"execution_state": state})
