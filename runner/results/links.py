"""Links into the content origin: one look, one person, one minute.

The content origin has no cookie, so the link itself carries the right to look.  It
is made on a page that only the result's owner sees, is good once and for a minute,
and the database knows only its hash.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from accounts.policies import NotAllowed, NotNow, require
from accounts.queries import standing_session
from runner.models import ContentLink, LinkKind, Run
from runner.policies import (
    live_blockers,
    replay_blockers,
    result_blockers,
    session_blockers,
)
from runner.results.reading import open_session, view_result, watch_outputs
from runner.results.replay import view_step

LIFETIME = timedelta(seconds=60)
TOKEN_BYTES = 32
CONTENT_URLCONF = "config.content_urls"


class LinkRefused(Exception):
    """This link does not, or no longer, lead to a result; its text says why, where that helps."""


@dataclass(frozen=True)
class Redeemed:
    """What a link led to: the run, and its rendered result."""

    run: Run
    html: bytes = field(repr=False)


def make_link(run: Run, *, by: User, now: datetime) -> str:
    """Return a new address on the content origin that shows `run` to `by`, once.

    Raises NotAllowed when the result is not theirs, not there or has expired.
    """
    require(result_blockers(by, run))
    return _new_link(run, LinkKind.HTML, "framed-result", by=by, now=now)


def make_replay_link(run: Run, step: int, *, by: User, now: datetime) -> str:
    """Return a new address that shows `run`'s live page as it was after a step, once.

    Raises NotAllowed when it is not theirs to see, was not kept or has expired.
    """
    require(replay_blockers(by, run, now=now))
    return _new_link(run, LinkKind.REPLAY, "framed-result", by=by, now=now, step=step)


def make_live_link(run: Run, *, by: User, now: datetime) -> str:
    """Return a new address that shows what `run` shows while it runs, once.

    Raises NotAllowed when the run is not theirs or has ended.
    """
    require(live_blockers(by, run))
    return _new_link(run, LinkKind.LIVE, "live-outputs", by=by, now=now)


def make_session_link(run: Run, *, by: User, sign_in: str, now: datetime) -> str:
    """Return a new address of the live session's page, good once.

    The page stays only as long as the session whose fingerprint is `sign_in`.  Raises
    NotAllowed when the live session is not theirs, is none or has ended.
    """
    require(session_blockers(by, run))
    token = _new_token(run, LinkKind.SESSION, by=by, now=now, sign_in=sign_in)
    return f"{settings.CONTENT_ORIGIN}/live/{token}/"


def _new_link(
    run: Run,
    kind: str,
    route: str,
    *,
    by: User,
    now: datetime,
    step: int | None = None,
) -> str:
    token = _new_token(run, kind, by=by, now=now, step=step)
    path = reverse(route, args=[token], urlconf=CONTENT_URLCONF)
    return f"{settings.CONTENT_ORIGIN}{path}"


def _new_token(
    run: Run,
    kind: str,
    *,
    by: User,
    now: datetime,
    sign_in: str = "",
    step: int | None = None,
) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ContentLink.objects.create(
        token_sha256=_hash(token),
        run=run,
        person=by,
        kind=kind,
        sign_in=sign_in,
        step=step,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return token


def redeem(token: str, *, now: datetime) -> Redeemed:
    """Use the link up and return its result, or a step of its record; the look is in the log before it happens.

    A link that turns out to be refused for its person is not used up, but it is dead
    all the same within a minute.  Raises LinkRefused, vault.VaultError.
    """
    found: bytes | NotNow
    with transaction.atomic():
        link = _use(token, LinkKind.HTML, LinkKind.REPLAY, now=now)
        try:
            if link.step is None:
                found = view_result(run=link.run, by=link.person, now=now)
            else:
                found = _step(link, link.step, now=now)
        except NotAllowed as refusal:
            raise LinkRefused from refusal
    if isinstance(found, NotNow):
        raise LinkRefused(str(found)) from found
    return Redeemed(run=link.run, html=found)


def _step(link: ContentLink, step: int, *, now: datetime) -> bytes | NotNow:
    """Return a step, or why it cannot be shown: not raised, so that the link is used up all the same.

    A page that is too large is as much work as one that is shown.
    """
    try:
        return view_step(run=link.run, step=step, by=link.person, now=now)
    except NotNow as not_now:
        return not_now


@transaction.atomic
def redeem_live(token: str, *, now: datetime) -> ContentLink:
    """Use a link to live outputs up; that somebody watches is in the log from here on.

    Raises LinkRefused.
    """
    link = _use(token, LinkKind.LIVE, now=now)
    try:
        watch_outputs(run=link.run, by=link.person, now=now)
    except NotAllowed as refusal:
        raise LinkRefused from refusal
    return link


@transaction.atomic
def redeem_session(token: str, *, now: datetime) -> ContentLink:
    """Use a link to a live session's page up; the look is in the log from here on.

    Raises LinkRefused, also when the sign-in that it was made in has ended.
    """
    link = _use(token, LinkKind.SESSION, now=now)
    if standing_session(link.person_id, link.sign_in, now=now) is None:
        raise LinkRefused
    try:
        open_session(run=link.run, by=link.person, now=now)
    except NotAllowed as refusal:
        raise LinkRefused from refusal
    return link


def _use(token: str, *kinds: str, now: datetime) -> ContentLink:
    """Use a link up.  Raises LinkRefused when it is used, old or of no such kind."""
    fresh = ContentLink.objects.filter(
        token_sha256=_hash(token), kind__in=kinds, used_at=None, expires_at__gt=now
    )
    if not fresh.update(used_at=now):
        raise LinkRefused
    return ContentLink.objects.select_related(
        "person", "run__notebook", "run__version", "run__requested_by"
    ).get(token_sha256=_hash(token))


def sweep_links(*, now: datetime) -> int:
    """Delete links that can no longer be used; return how many."""
    deleted, _ = ContentLink.objects.filter(expires_at__lte=now).delete()
    return deleted


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
