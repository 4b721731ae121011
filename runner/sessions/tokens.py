"""What lets a live page speak with its session, in the address of its socket.

A page in an opaque origin has no cookie: its address is all that it can show. The token
names one session, one person and the sign-in in which the page was opened, and whoever
takes it asks the database whether these still stand.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing

#: Nothing else that this installation signs can stand for a token, nor the other way round.
SALT = "runner.sessions.channel"
MAX_TOKEN_CHARS = 400
#: Not the usual colon, which would make a scheme of the token in a relative address.
_SEPARATOR = "."


@dataclass(frozen=True)
class Channel:
    """Between which session and whom: `sign_in` is the fingerprint of their session."""

    run_id: UUID
    person_id: int
    sign_in: str


class ChannelRefused(Exception):
    """This is no token of ours, or no longer one."""


def make_channel(channel: Channel) -> str:
    """Return the token: letters, digits, `-`, `_` and `.`, good for LIVE_SESSION_S."""
    known = [channel.run_id.hex, channel.person_id, channel.sign_in]
    return _signer().sign_object(known)


def read_channel(token: str) -> Channel:
    """Return what a token was made for.  Raises ChannelRefused."""
    if len(token) > MAX_TOKEN_CHARS:
        raise ChannelRefused
    try:
        known = _signer().unsign_object(token, max_age=settings.LIVE_SESSION_S)
        run_id, person_id, sign_in = known
        return Channel(UUID(hex=run_id), int(person_id), str(sign_in))
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise ChannelRefused from error


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT, sep=_SEPARATOR)
