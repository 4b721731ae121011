"""A live session in its worker: the relay between the kernel host and the pages that look on.

What pages ask when they connect is answered here, so that a kernel that is busy keeps nobody waiting.
What is left for the kernel is messages of widgets, judged once more.
"""

import logging
import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.policies import Blocker
from runner.kernelhost.client import ConnectionLost, Session
from runner.live.comms import Comms
from runner.live.frames import MAX_FRAME_BYTES, BadFrame, Frame, decode, encode
from runner.live.inbound import Passed, Refused, WidgetEvent, idle, judge
from runner.live.mirror import Mirror, MirrorFull
from runner.live.outbound import shown
from runner.live.screen import CELL_OUTPUTS, Screen
from runner.live.traits import SECRET
from runner.models import Run
from runner.services.sealed_batches import keep_widget_events
from runner.sessions import answers
from runner.sessions.outgoing import Incoming, Outgoing
from runner.sessions.streams import EVERYBODY, PAGE_BEAT_S, Entry, Said

logger = logging.getLogger(__name__)

#: A page that has said nothing for so long is gone (seconds).
PAGE_GONE_S = 3 * PAGE_BEAT_S
#: Widget events are kept, and limits looked at, this often (seconds).
TICK_S = 1.0
#: Values of a record's entry longer than this are told by their length.
MAX_VALUE_CHARS = 10_000

TOO_MUCH = Blocker("output_limit", "Its widgets hold more than a page can show.")
SIGNED_OUT = Blocker("signed_out", "Whoever looked at it has signed out.")


class LiveSession:
    """One session; `take` events of the kernel host, `show` keeps it going."""

    def __init__(self, run: Run, host: Session) -> None:
        self.run = run
        #: Why it must stop now, where that was seen here.
        self.stop: Blocker | None = None
        #: Why it was ended, in a word for the record.
        self.ended_by = ""
        self._host = host
        self._lock = threading.Lock()
        incident = None if run.is_preview else run.incident
        self._incident = incident
        self._comms, self._mirror = Comms(), Mirror()
        self._screen = Screen(incident=incident)
        self._out = Outgoing(run.pk)
        self._in = Incoming(run.pk, self._hear)
        self._pages: dict[str, float] = {}
        now = time.monotonic()
        self._began_at = self._seen_at = self._used_at = self._ticked_at = now
        self._events: list[dict[str, Any]] = []
        self._kept_events = 0

    @contextmanager
    def open(self) -> Iterator["LiveSession"]:
        """Listen to pages meanwhile."""
        self._in.start()
        try:
            yield self
        finally:
            self._in.close()
            with self._lock:
                self._out.send(answers.dead())
                self._out.close()

    def take(self, event: dict[str, Any], *, now: datetime) -> None:
        """Tell pages what one event of the kernel host says; most say something."""
        with self._lock:
            match event["event"]:
                case "frame":
                    self._tell(b64decode(event["frame"]))
                case "finished":
                    metadata = event["notebook"].setdefault("metadata", {})
                    metadata["widgets"] = self._mirror.saved()
                case _:
                    self._show(self._screen.take(event))

    def _tell(self, data: bytes) -> None:
        frame = decode(data, max_json_bytes=MAX_FRAME_BYTES)
        try:
            self._mirror.heard(frame, size_bytes=len(data))
        except MirrorFull:
            self.stop = self.stop or TOO_MUCH
            return
        told = shown(
            frame, self._comms, cell_of=lambda _: None, incident=self._incident
        )
        if told is not None:
            self._out.send(told)

    def _show(self, change: Mapping[str, Any] | None, *, to: str = EVERYBODY) -> None:
        if change is not None:
            self._out.send(answers.about_cell(CELL_OUTPUTS, change), to=to)

    def _hear(self, entry: Entry) -> None:
        """Take what a page says; called from the reader's thread."""
        with self._lock:
            if entry.said == Said.END:
                self.stop = self.stop or SIGNED_OUT
                return
            if entry.said == Said.LEAVE:
                self._pages.pop(entry.connection, None)
                return
            is_new = entry.connection not in self._pages
            self._pages[entry.connection] = self._seen_at = time.monotonic()
            if entry.said == Said.JOIN and is_new:
                self._show_everything(entry.connection)
            elif entry.said == Said.FRAME:
                self._judge(entry)

    def _show_everything(self, connection: str) -> None:
        self._out.showing(connection)
        changes = list(self._screen.whole())
        self._out.send(
            *(answers.about_cell(CELL_OUTPUTS, change) for change in changes),
            to=connection,
        )

    def _judge(self, entry: Entry) -> None:
        try:
            verdict = judge(decode(entry.body), self._comms)
        except BadFrame as bad:
            verdict = Refused(bad.code)
        if isinstance(verdict, Refused):
            # The web process let it through, which it should not have.
            logger.error(
                "live.refused_in_worker run_id=%s code=%s", self.run.pk, verdict.code
            )
            if verdict.answer is not None:
                self._out.send(verdict.answer, to=entry.connection)
            return
        self._pass(verdict, entry.connection)

    def _pass(self, passed: Passed, connection: str) -> None:
        frame = passed.frame
        answer = self._answer(frame)
        if answer is not None:
            self._out.send(
                answers.busy(frame.header), *answer, idle(frame.header), to=connection
            )
            return
        if passed.event is not None:
            self._used_at = time.monotonic()
            self._note(passed.event)
        try:
            self._host.say(encode(frame))
        except ConnectionLost:
            logger.warning("live.kernel_host_gone run_id=%s", self.run.pk)

    def _answer(self, frame: Frame) -> tuple[Frame, ...] | None:
        """Return what a page hears at once; None for what the kernel must answer."""
        match frame.msg_type:
            case "kernel_info_request":
                return (answers.kernel_info(frame, self.run.version.language),)
            case "comm_info_request":
                return (answers.comm_info(frame, self._mirror.targets()),)
            case "comm_msg" if self._comms.is_control(str(frame.content["comm_id"])):
                states = answers.states(frame, self._mirror)
                told = shown(
                    states,
                    self._comms,
                    cell_of=lambda _: None,
                    incident=self._incident,
                )
                return (told,) if told is not None else ()
            case "comm_open" | "comm_close":
                return ()
            case _:
                return None

    def _note(self, event: WidgetEvent) -> None:
        secret = SECRET.get((event.module, event.model), frozenset())
        values = {
            name: None if name in secret else _bounded(value)
            for name, value in event.values.items()
        }
        self._events.append({**asdict(event), "values": values, "at": time.time()})

    def show(self, *, now: datetime) -> None:
        """Once a second: keep what readers did, and end what nobody looks at any more."""
        moment = time.monotonic()
        if moment - self._ticked_at < TICK_S:
            return
        self._ticked_at = moment
        with self._lock:
            self._keep_events(now)
            self._out.keep()
            self._forget_pages(moment)
            reason = self._over(moment)
        if reason:
            self.end(reason)

    def end(self, reason: str) -> None:
        """End it in order, once; `reason` is a word for the record."""
        if self.ended_by:
            return
        self.ended_by = reason
        logger.info("live.ends run_id=%s reason=%s", self.run.pk, reason)
        self._host.end()

    def _keep_events(self, now: datetime) -> None:
        events, self._events = self._events, []
        keep_widget_events(
            run=self.run, first=self._kept_events, events=events, now=now
        )
        self._kept_events += len(events)

    def keep(self, *, now: datetime) -> None:
        """Keep what readers did since the last time, at the session's end."""
        with self._lock:
            self._keep_events(now)

    def _forget_pages(self, moment: float) -> None:
        self._pages = {
            connection: seen_at
            for connection, seen_at in self._pages.items()
            if moment - seen_at < PAGE_GONE_S
        }
        if self._pages:
            self._seen_at = moment

    def _over(self, moment: float) -> str:
        """Return why the session is over, in a word; empty while it is not."""
        if moment - self._began_at >= settings.LIVE_SESSION_S:
            return "session_limit"
        if moment - self._seen_at >= settings.LIVE_DISCONNECTED_S:
            return "left"
        if moment - self._used_at >= settings.LIVE_IDLE_S:
            return "idle"
        return ""


def _bounded(value: Any) -> Any:
    """Return a value for the record; of a long one its length."""
    text = value if isinstance(value, str) else str(value)
    return value if len(text) <= MAX_VALUE_CHARS else {"chars": len(text)}
