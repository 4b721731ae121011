"""Checkpoints: signed heads of the log, kept and handed out.

Whoever owns the database can cut the newest events off and mend the head; a
checkpoint that was printed or stored elsewhere shows it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from django.db import connection, transaction

from audit.chain import Witness
from audit.log import stamp
from audit.models import Checkpoint, Head
from audit.signing import is_signed, key_id, public_key, sign

if TYPE_CHECKING:
    from datetime import datetime

FIRST_LINE = "countersign-checkpoint/1"


class BadCheckpoint(Exception):
    """This is not a checkpoint of this installation: its signature does not fit."""


@transaction.atomic
def sign_checkpoint(*, now: datetime) -> Checkpoint | None:
    """Sign the newest event's hash and keep it; None before the first event.

    Signing the same head again gives the checkpoint that exists.
    """
    head = Head.objects.get()
    if head.seq == 0:
        return None
    kept = Checkpoint.objects.filter(seq=head.seq).first()
    if kept:
        return kept
    note = make_note(seq=head.seq, digest=head.hash, at=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit.keep_checkpoint(%s, %s, %s, %s)",
            [head.seq, head.hash, now, note],
        )
    return Checkpoint(seq=head.seq, hash=head.hash, at=now, note=note)


def make_note(*, seq: int, digest: str, at: datetime) -> str:
    """The checkpoint as text: what is signed, an empty line, key and signature."""
    body = f"{FIRST_LINE}\nseq {seq}\nhash {digest}\nat {stamp(at)}\n"
    signature = base64.urlsafe_b64encode(sign(body.encode())).decode()
    return f"{body}\nkey {key_id(public_key())}\nsignature {signature}\n"


def read_note(note: str, *, public: bytes | None = None) -> Witness:
    """What a checkpoint says, once its signature is checked with `public`.

    Without `public` it must be of this installation's own key.
    Raises BadCheckpoint.
    """
    body, _, tail = note.replace("\r\n", "\n").partition("\n\n")
    body += "\n"
    try:
        first, *facts = body.splitlines()
        known = dict(line.split(" ", 1) for line in [*facts, *tail.split("\n")] if line)
        signature = base64.urlsafe_b64decode(known["signature"])
        witness = Witness(
            int(known["seq"]), known["hash"], f"the checkpoint of {known['at']}"
        )
    except (ValueError, KeyError, binascii.Error) as error:
        raise BadCheckpoint from error
    if first != FIRST_LINE or not is_signed(
        body.encode(), signature, public_key=public or public_key()
    ):
        raise BadCheckpoint
    return witness
