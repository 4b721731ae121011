"""Who may connect to a live session's socket, as far as the request itself tells."""

import re
from collections import Counter
from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from django.conf import settings

from runner.live.frames import SUBPROTOCOL
from runner.results.headers import authority
from runner.sessions.tokens import (
    MAX_TOKEN_CHARS,
    Channel,
    ChannelRefused,
    read_channel,
)

Scope = MutableMapping[str, Any]

#: Of the page: a sandboxed frame has an origin that equals no other.
PAGE_ORIGIN = b"null"
#: Pages of one session in one process.
MAX_PAGES = 8

# The path as it was sent: what would have to be decoded first is not the page's.
_PATH = re.compile(
    rb"/live/(?P<token>[A-Za-z0-9_.-]{1,%d})/api/kernels/(?P<run>[0-9a-f]{32})/channels"
    % MAX_TOKEN_CHARS
)


class NotAdmitted(Exception):
    """This request does not lead to a session.  `code` says why, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def knock(scope: Scope) -> Channel:
    """Return whom and what the request is for; the database knows whether it stands.

    Raises NotAdmitted.
    """
    if _the_header(scope, b"host") != authority(settings.CONTENT_ORIGIN).encode():
        raise NotAdmitted("host")
    match = _PATH.fullmatch(scope.get("raw_path") or b"")
    if match is None:
        raise NotAdmitted("path")
    if _the_header(scope, b"origin") != PAGE_ORIGIN:
        raise NotAdmitted("origin")
    if SUBPROTOCOL not in scope.get("subprotocols", ()):
        raise NotAdmitted("subprotocol")
    try:
        channel = read_channel(match["token"].decode("ascii"))
    except ChannelRefused:
        raise NotAdmitted("token") from None
    if channel.run_id.hex.encode() != match["run"]:
        raise NotAdmitted("other_session")
    return channel


def _the_header(scope: Scope, name: bytes) -> bytes | None:
    """Return a header's value if it was sent once; sent twice, it says nothing."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return values[0] if len(values) == 1 else None


class Places:
    """How many pages each session has in this process."""

    def __init__(self) -> None:
        self._taken: Counter[UUID] = Counter()

    def take(self, run_id: UUID) -> None:
        """Take a place.  Raises NotAdmitted."""
        if self._taken[run_id] >= MAX_PAGES:
            raise NotAdmitted("too_many_pages")
        self._taken[run_id] += 1

    def free(self, run_id: UUID) -> None:
        """Give a place back."""
        self._taken[run_id] -= 1
        if not self._taken[run_id]:
            del self._taken[run_id]
