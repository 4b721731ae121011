"""The socket of a live session's page, as an ASGI application for WebSockets.

Its page is a sandboxed frame of the content origin, so there is no cookie and no origin to
go by: the token in the address is the authority, and the database says whether what it
names still stands.  Whoever is not let in gets the same answer, whatever was wrong.
"""

import asyncio
import logging

from django.db import Error as DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from runner.live.frames import SUBPROTOCOL
from runner.logs import about
from runner.sessions.door import NotAdmitted, Places, Scope, knock
from runner.sessions.standing import Standing, standing
from runner.sessions.streams import BadEntry
from runner.sessions.tokens import Channel
from runner.sessions.visit import REFUSED, TRY_AGAIN, Over, Receive, Send, Visit
from runner.sessions.wire import Missed, Stuffed
from runner.watching import ask

logger = logging.getLogger(__name__)

#: The place of a page that sent what no page sends stays taken for so long (seconds): each
#: such visit is an event, and nobody may fill the log.
PENALTY_S = 5.0

_places = Places()


async def live_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Let a page speak with its live session; refuse every other WebSocket."""
    if (await receive())["type"] != "websocket.connect":
        return
    try:
        channel = await _admit(scope)
    except NotAdmitted as no:
        logger.warning("live.not_admitted reason=%s", no.code)
        # Before anything is accepted the code goes nowhere: the answer is 403.
        await send({"type": "websocket.close", "code": REFUSED})
        return
    visit = Visit(channel, receive, send)
    try:
        with about(run_id=str(channel.run_id)):
            await _entertain(visit)
    finally:
        held_s = PENALTY_S if visit.refused else 0.0
        loop = asyncio.get_running_loop()
        loop.call_later(held_s, _places.free, channel.run_id)


async def _admit(scope: Scope) -> Channel:
    """Return whom the page is of, and take a place.  Raises NotAdmitted."""
    channel = knock(scope)
    try:
        found = await ask(lambda: standing(channel, now=timezone.now()))
    except DatabaseError as error:
        raise NotAdmitted(type(error).__name__) from None
    if found is not Standing.GOOD:
        raise NotAdmitted(found.name.lower())
    _places.take(channel.run_id)
    return channel


async def _entertain(visit: Visit) -> None:
    try:
        code = await _outcome(visit)
        if code is not None:
            await visit.close(code)
    finally:
        await visit.leave()


async def _outcome(visit: Visit) -> int | None:
    """Return the close code with which the visit ends, None when the page has gone."""
    code = None
    try:
        await visit.say({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await visit.parts()
    except* (Missed, BadEntry, Stuffed, RedisError, DatabaseError) as errors:
        names = {type(error).__name__ for error in errors.exceptions}
        logger.warning("live.interrupted %s", " ".join(sorted(names)))
        code = TRY_AGAIN
    except* Over as overs:
        first = overs.exceptions[0]
        code = first.code if isinstance(first, Over) else None
    return code
