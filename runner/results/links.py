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
from accounts.policies import NotAllowed, require
from runner.models import ContentLink, Run
from runner.policies import result_blockers
from runner.results.reading import view_result

LIFETIME = timedelta(seconds=60)
TOKEN_BYTES = 32
CONTENT_URLCONF = "config.content_urls"


class LinkRefused(Exception):
    """This link does not, or no longer, lead to a result."""


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
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ContentLink.objects.create(
        token_sha256=_hash(token),
        run=run,
        person=by,
        kind="html",
        created_at=now,
        expires_at=now + LIFETIME,
    )
    path = reverse("framed-result", args=[token], urlconf=CONTENT_URLCONF)
    return f"{settings.CONTENT_ORIGIN}{path}"


@transaction.atomic
def redeem(token: str, *, now: datetime) -> Redeemed:
    """Use the link up and return its result; the look is in the log before it happens.

    A link that turns out to be refused for its person is not used up, but it is dead
    all the same within a minute.  Raises LinkRefused, vault.VaultError.
    """
    fresh = ContentLink.objects.filter(
        token_sha256=_hash(token), used_at=None, expires_at__gt=now
    )
    if not fresh.update(used_at=now):
        raise LinkRefused
    link = ContentLink.objects.select_related(
        "person", "run__notebook", "run__version", "run__requested_by"
    ).get(token_sha256=_hash(token))
    try:
        html = view_result(run=link.run, by=link.person, now=now)
    except NotAllowed as refusal:
        raise LinkRefused from refusal
    return Redeemed(run=link.run, html=html)


def sweep_links(*, now: datetime) -> int:
    """Delete links that can no longer be used; return how many."""
    deleted, _ = ContentLink.objects.filter(expires_at__lte=now).delete()
    return deleted


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
