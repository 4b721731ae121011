"""One connected page of a live session: what it says goes in, what is for it comes out."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import Error as DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.services import note_presence
from accounts.sessions import TOUCH_EVERY_S
from runner.live.comms import Comms
from runner.live.frames import (
    BadFrame,
    Frame,
    decode,
    decode_ours,
    encode,
    message_type,
)
from runner.live.inbound import Passed, Refused, idle, judge
from runner.sessions import answers
from runner.sessions.pace import Pace
from runner.sessions.standing import Standing, record_refused, standing
from runner.sessions.streams import PAGE_BEAT_S, Said
from runner.sessions.tokens import Channel
from runner.sessions.wire import Wire, apart
from runner.watching import ENDED, ask, watch

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: After so many messages that no page sends, it is not one of ours that speaks.
MAX_VIOLATIONS = 20
STANDING_EVERY_S = 2.0
#: A beat goes out after a look only, so it is due one look before it would be late.
_BEAT_S = PAGE_BEAT_S - STANDING_EVERY_S
#: How long a page that reads nothing keeps us from saying goodbye (seconds).
GOODBYE_S = 5.0
#: Close codes: three of the protocol (RFC 6455 and its registry), and three of ours.
VIOLATION, TOO_LARGE, TRY_AGAIN = 1008, 1009, 1013
SIGNED_OUT, REFUSED, SESSION_ENDED = 4401, 4403, 4410
_CODES = {
    Standing.SIGNED_OUT: SIGNED_OUT,
    Standing.ENDED: SESSION_ENDED,
    Standing.REFUSED: REFUSED,
}


class Over(Exception):
    """The visit ends with this close code; None when the page is gone already."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Visit:
    """A page that was let in, until it goes or has to go."""

    def __init__(self, channel: Channel, receive: Receive, send: Send) -> None:
        self.refused: Counter[str] = Counter()
        self._channel, self._wire = channel, Wire(channel.run_id)
        self._receive, self._send_message = receive, send
        self._comms = Comms()
        self._knows_widgets = False
        self._pace = Pace()
        self._now_s = asyncio.get_running_loop().time
        self._touch_at_s = self._now_s()
        self._beat_at_s = self._now_s() + _BEAT_S

    async def parts(self) -> None:
        """Do everything at the same time until one part is over.

        Raises an ExceptionGroup of Over, and of whatever else happened.
        """
        await self._wire.join()
        async with asyncio.TaskGroup() as group:
            for part in (self._listen, self._show, self._stay):
                group.create_task(part())

    async def _listen(self) -> None:
        """Take what the page says, no faster than it may speak."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                if message.get("code") == TOO_LARGE:  # the server read no further
                    self._refuse("too_large")
                raise Over(None)
            data = message.get("bytes")
            if data is None:
                self._refuse("text")
                continue
            await self._pace.keep(len(data))
            await self._take(data)

    async def _take(self, data: bytes) -> None:
        try:
            frame = await apart(len(data), lambda: decode(data))
        except BadFrame as bad:
            self._refuse(bad.code)
            return
        verdict = judge(frame, self._comms)
        if isinstance(verdict, Refused):
            await self._turn_down(verdict.code, verdict.answer)
            return
        passed = verdict.frame
        try:
            body = await apart(len(data), lambda: encode(passed))
        except ValueError:  # a number or a letter that can be read and not be written
            is_awaited = passed.msg_type == "comm_msg"
            answer = idle(passed.header) if is_awaited else None
            await self._turn_down("bad_json", answer)
            return
        await self._wire.say(Said.FRAME, body)
        await self._touch(verdict)

    async def _turn_down(self, code: str, answer: Frame | None) -> None:
        if answer is not None:
            await self._send(encode(answer))
        self._refuse(code)

    def _refuse(self, code: str) -> None:
        """Count a message that no page sends; with too many the visit is over."""
        self.refused[code] += 1
        if self.refused.total() >= MAX_VIOLATIONS:
            raise Over(VIOLATION)

    async def _touch(self, passed: Passed) -> None:
        """Working in a page is being there, though nothing of the application is asked."""
        if passed.event is None or not passed.event.is_by_hand:
            return
        if self._now_s() < self._touch_at_s:
            return
        self._touch_at_s = self._now_s() + TOUCH_EVERY_S
        channel = self._channel
        await ask(
            lambda: note_presence(
                person_id=channel.person_id,
                fingerprint=channel.sign_in,
                now=timezone.now(),
            )
        )

    async def _show(self) -> None:
        """Send the page what is for it, and learn from that which widgets there are."""
        while True:
            for body in await self._wire.read():
                if await self._hear(body):
                    await self._send(body)

    async def _hear(self, body: bytes) -> bool:
        """Learn of widgets from a message; whether it is for the page, as far as the page is."""
        try:
            # Outputs may have megabytes, and tell nothing of widgets.
            if not message_type(body).startswith("comm_"):
                return True
            frame = await apart(len(body), lambda: decode_ours(body))
        except BadFrame as bad:
            logger.error("live.not_understood code=%s", bad.code)
            return False
        self._comms.heard(frame)
        # A page that hears of a widget made of others which it does not know gives up on all.
        # It is told everything when it asks, or of what there is, to ask each by itself.
        self._knows_widgets = (
            self._knows_widgets
            or frame.msg_type == "comm_info_reply"
            or self._comms.is_control(str(frame.content.get("comm_id")))
        )
        return self._knows_widgets

    async def _send(self, body: bytes) -> None:
        await self.say({"type": "websocket.send", "bytes": body})

    async def say(self, message: Message) -> None:
        """Send something.  Raises Over when nobody is there to get it."""
        try:
            await self._send_message(message)
        except (OSError, RuntimeError):
            # The one for a client that has gone, the other once the server itself has
            # closed, which it tells us of a moment later.
            raise Over(None) from None

    async def _stay(self) -> None:
        """Ask again and again whether the page may stay, and say that it is there."""
        lifetime_s = float(settings.LIVE_SESSION_S)
        async with contextlib.aclosing(
            watch(
                self._channel.run_id,
                lambda: standing(self._channel, now=timezone.now()),
                lifetime_s=lifetime_s,
                every_s=STANDING_EVERY_S,
                wanted=ENDED,
            )
        ) as looks:
            async for found in looks:
                if found is not Standing.GOOD:
                    await self._go(found)
                if self._now_s() >= self._beat_at_s:
                    self._beat_at_s = self._now_s() + _BEAT_S
                    await self._wire.beat()
        raise Over(TRY_AGAIN)

    async def _go(self, found: Standing) -> None:
        if found is Standing.SIGNED_OUT:
            await self._wire.say(Said.END, b"signed_out")
        if found is Standing.ENDED:
            await self._send(encode(answers.dead()))
        raise Over(_CODES[found])

    async def close(self, code: int) -> None:
        """Say goodbye to the page, unless it does not listen."""
        with contextlib.suppress(Over, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self.say({"type": "websocket.close", "code": code})

    async def leave(self) -> None:
        """Say that the page is gone, and record what it should not have said."""
        try:
            with contextlib.suppress(RedisError):
                await self._wire.say(Said.LEAVE)
        finally:
            await self._wire.close()
            if self.refused:
                await self._record()

    async def _record(self) -> None:
        words = " ".join(f"{code}={n}" for code, n in sorted(self.refused.items()))
        logger.warning("live.refused_messages %s", words)
        channel, refused = self._channel, self.refused
        try:
            await ask(lambda: record_refused(channel, refused, now=timezone.now()))
        except (DatabaseError, ObjectDoesNotExist) as error:
            logger.error("live.refusals_not_recorded %s", type(error).__name__)
