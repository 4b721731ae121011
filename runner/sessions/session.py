"""A live session in its worker: the relay between the kernel host and the pages that look on.

What pages ask when they connect is answered here, so that a kernel that is busy keeps nobody waiting.
What is left for the kernel is messages of widgets, judged once more.
"""

import json
import logging
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.policies import Blocker
from runner.kernelhost.client import ConnectionLost, Session
from runner.live.comms import Comms
from runner.live.frames import BadFrame, Frame, decode, decode_ours, encode
from runner.live.inbound import (
    MAX_UNANSWERED,
    Passed,
    Refused,
    WidgetEvent,
    idle,
    judge,
)
from runner.live.mirror import Mirror, MirrorFull
from runner.live.opening import Opening
from runner.live.outbound import shown
from runner.live.screen import CELL_OUTPUTS, Screen
from runner.live.withheld import Withheld, without_words
from runner.models import Run
from runner.sessions import answers
from runner.sessions.outgoing import Incoming, Outgoing
from runner.sessions.record import Record, RecordFull
from runner.sessions.streams import EVERYBODY, PAGE_BEAT_S, Entry, Said

logger = logging.getLogger(__name__)

#: A page that has said nothing for so long is gone (seconds).
PAGE_GONE_S = 3 * PAGE_BEAT_S
#: Widget events are kept, and limits looked at, this often (seconds).
TICK_S = 1.0
#: What of a session's widgets its result may have.
MAX_SAVED_BYTES = 16 * 1024 * 1024

TOO_OFTEN = Blocker("used_too_often", "Its controls were used more often than is kept.")
FAULT = Blocker("relay_failed", "The live page failed. Open it again.")
TOO_MUCH = Blocker("output_limit", "Its widgets hold more than a page can show.")
SIGNED_OUT = Blocker("signed_out", "Whoever looked at it has signed out.")


class LiveSession:
    """One session; `take` events of the kernel host, `show` keeps it going."""

    def __init__(
        self, run: Run, host: Session, withheld: Withheld | None = None
    ) -> None:
        self.run = run
        #: Why it must stop now, where that was seen here.
        self.stop: Blocker | None = None
        #: Why it was ended, in a word for the record.
        self.ended_by = ""
        self._host = host
        self._lock = threading.Lock()
        incident = None if run.is_preview else run.incident
        self._incident = incident
        self._comms, self._mirror, self._opening = Comms(), Mirror(), Opening()
        self._screen = Screen(incident=incident)
        self._out = Outgoing(run.pk)
        self._in = Incoming(run.pk, self._hear)
        self._pages: dict[str, float] = {}
        self._shown_at: dict[str, float] = {}
        now = time.monotonic()
        self._began_at = self._seen_at = self._used_at = self._ticked_at = now
        #: What its author has declared that no record keeps.
        self._withheld = withheld or Withheld()
        self._record = Record(run, self._mirror, self._withheld)
        #: Ids of messages that the kernel has not answered.
        self._unanswered: set[str] = set()
        #: Connection → the comms on which it asked for all widgets.
        self._controls: dict[str, set[str]] = {}

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
            try:
                self._take(event)
            except Exception as error:  # noqa: BLE001  hostile messages may break anything here
                name = type(error).__name__
                logger.error("live.event_failed run_id=%s %s", self.run.pk, name)
                self.stop = self.stop or FAULT

    def _take(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "frame":
                self._tell(b64decode(event["frame"]))
            case "finished":
                if self._withheld.is_declared:
                    _leave_out_words(event["notebook"])
                saved = self._mirror.saved(self._withheld)
                if len(json.dumps(saved)) <= MAX_SAVED_BYTES:
                    metadata = event["notebook"].setdefault("metadata", {})
                    metadata["widgets"] = saved
            case _:
                if event["event"] == "cell_finished":
                    # Nobody can use what is still being made.
                    self._used_at = time.monotonic()
                change = self._screen.take(event)
                if change is not None:
                    self._record.tell_cell(change)
                    self._say(answers.about_cell(CELL_OUTPUTS, change))

    def _tell(self, data: bytes) -> None:
        frame = decode_ours(data)
        try:
            self._mirror.heard(frame, size_bytes=len(data))
        except MirrorFull:
            self.stop = self.stop or TOO_MUCH
            return
        if frame.content.get("execution_state") == "idle":
            self._unanswered.discard(str(frame.parent_header.get("msg_id")))
        told = shown(frame, self._comms, incident=self._incident)
        if told is not None:
            self._record.tell_widget(told)
            self._out.send(*self._opening.take(told))

    def _say(self, *frames: Frame, to: str = EVERYBODY) -> None:
        """Tell pages something that is no widget's; what was made before comes first."""
        self._out.send(*self._opening.rest())
        self._out.send(*frames, to=to)

    def _hear(self, entry: Entry) -> None:
        """Take what a page says; called from the reader's thread."""
        with self._lock:
            frame = self._heard(entry)
        # Not under the lock: the host may be slow to take it.
        if frame is not None:
            try:
                self._host.say(encode(frame))
            except ConnectionLost:
                logger.warning("live.kernel_host_gone run_id=%s", self.run.pk)

    def _heard(self, entry: Entry) -> Frame | None:
        """Return what the kernel must answer, if that is what the page says."""
        if entry.said == Said.END:
            self.stop = self.stop or SIGNED_OUT
            return None
        if entry.said == Said.LEAVE:
            self._forget(entry.connection)
            return None
        self._pages[entry.connection] = self._seen_at = time.monotonic()
        # Said again until the page sees the beginning, which may get lost with the broker.
        if entry.said == Said.JOIN and self._may_be_shown(entry.connection):
            self._show_everything(entry.connection)
        return self._judge(entry) if entry.said == Said.FRAME else None

    def _may_be_shown(self, connection: str) -> bool:
        """Tell whether a page was not shown everything just now: several may have asked meanwhile."""
        now, before = time.monotonic(), self._shown_at.get(connection)
        if before is not None and now - before < PAGE_BEAT_S / 2:
            return False
        self._shown_at[connection] = now
        return True

    def _forget(self, connection: str) -> None:
        self._pages.pop(connection, None)
        self._shown_at.pop(connection, None)
        for comm_id in self._controls.pop(connection, ()):
            self._comms.close_control(comm_id)

    def _show_everything(self, connection: str) -> None:
        # Told to those who were there before: it is in what this page asks for.
        self._out.send(*self._opening.rest())
        self._out.showing(connection)
        changes = list(self._screen.whole())
        self._say(
            *(answers.about_cell(CELL_OUTPUTS, change) for change in changes),
            to=connection,
        )

    def _judge(self, entry: Entry) -> Frame | None:
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
                self._say(verdict.answer, to=entry.connection)
            return None
        return self._passed(verdict, entry.connection)

    def _passed(self, passed: Passed, connection: str) -> Frame | None:
        frame = passed.frame
        if frame.msg_type == "comm_open":
            controls = self._controls.setdefault(connection, set())
            controls.add(str(frame.content["comm_id"]))
        answer = self._answer(frame)
        if answer is not None:
            self._say(
                answers.busy(frame.header), *answer, idle(frame.header), to=connection
            )
            return None
        if len(self._unanswered) >= MAX_UNANSWERED:
            # Before it is recorded: the kernel host would drop it.
            self._say(idle(frame.header), to=connection)
            return None
        if passed.event is not None:
            self._note(passed.event)
        # What is not recorded reaches no kernel.
        if self.stop is not None:
            return None
        self._unanswered.add(str(frame.header["msg_id"]))
        return frame

    def _answer(self, frame: Frame) -> tuple[Frame, ...] | None:
        """Return what a page hears at once; None for what the kernel must answer."""
        match frame.msg_type:
            case "kernel_info_request":
                return (answers.kernel_info(frame, self.run.version.language),)
            case "comm_info_request":
                return (answers.comm_info(frame, self._mirror.targets()),)
            case "comm_msg" if self._comms.is_control(str(frame.content["comm_id"])):
                return self._about_widgets(answers.states(frame, self._mirror))
            # A page that was not told in time asks each widget: more than a kernel would answer.
            case "comm_msg" if frame.content["data"]["method"] == "request_state":
                return self._about_widgets(answers.state(frame, self._mirror))
            case "comm_open" | "comm_close":
                return ()
            case _:
                return None

    def _about_widgets(self, told: Frame | None) -> tuple[Frame, ...]:
        """Return what widgets look like as a page may hear it."""
        heard = told and shown(told, self._comms, incident=self._incident)
        return (heard,) if heard else ()

    def _note(self, event: WidgetEvent) -> None:
        if event.is_by_hand:
            self._used_at = time.monotonic()
        try:
            self._record.note(event, at_s=time.time())
        except RecordFull:
            self.stop = self.stop or TOO_OFTEN

    def show(self, *, now: datetime) -> None:
        """Once a second: keep what readers did, and end what nobody looks at any more."""
        moment = time.monotonic()
        if moment - self._ticked_at < TICK_S:
            return
        self._ticked_at = moment
        with self._lock:
            self._record.keep(now=now)
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

    def keep(self, *, now: datetime) -> None:
        """Keep what readers did since the last time, at the session's end."""
        with self._lock:
            self._record.keep(now=now)

    def _forget_pages(self, moment: float) -> None:
        for connection, seen_at in list(self._pages.items()):
            if moment - seen_at >= PAGE_GONE_S:
                self._forget(connection)
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


def _leave_out_words(notebook: dict[str, Any]) -> None:
    """Take from an executed notebook what it says in words of its widgets' values."""
    for cell in notebook.get("cells", ()):
        if "outputs" in cell:
            cell["outputs"] = [without_words(each) for each in cell["outputs"]]
