"""The chain as plain data: rows, their hash, and what can be wrong with them.

Knows neither Django nor the database, so that an exported file is checked by the
same code, on any computer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from hashlib import sha256
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ZERO_HASH = "0" * 64
FIELDS = (
    "at",
    "actor",
    "actor_name",
    "action",
    "target_type",
    "target_id",
    "target_label",
    "data",
)


#: What a string that begins or ends as a separator does leaves in PostgreSQL's text.
_AMBIGUOUS = re.compile('[ {]": |, "[:,}]')
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


class Row(NamedTuple):
    """One event as stored; `columns` are its readable fields, in canonical JSON."""

    seq: int
    columns: str
    payload: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The number and hash that the newest event must have."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Witness:
    """A head that was signed earlier; `name` says which checkpoint it is."""

    seq: int
    hash: str
    name: str


@dataclass(frozen=True)
class Break:
    """The first place where the chain is not whole, and why."""

    seq: int
    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found; `broken` is None when it is whole."""

    checked: int
    last: Head
    broken: Break | None = None

    @property
    def is_whole(self) -> bool:
        return self.broken is None


def canonical_json(value: dict[str, Any]) -> str:
    """The one text of `value` that is hashed: sorted keys, no spaces, not escaped."""
    return _CANONICAL.encode(value)


def canonical_event(fields: Sequence[str], data: str) -> str:
    """The canonical JSON of an event, of its texts (FIELDS without data) and its data.

    `data` is canonical JSON already. The same as `canonical_json`, in a fifth of the
    time: a log of millions is read through here. Raises TypeError for what is no text.
    """
    at, actor, actor_name, action, target_type, target_id, target_label = fields
    quote = encode_basestring
    return (
        f'{{"action":{quote(action)},"actor":{quote(actor)},'
        f'"actor_name":{quote(actor_name)},"at":{quote(at)},"data":{data},'
        f'"target_id":{quote(target_id)},"target_label":{quote(target_label)},'
        f'"target_type":{quote(target_type)}}}'
    )


def quick_canonical(text: str) -> str | None:
    """What PostgreSQL prints of a flat jsonb object, rewritten as canonical JSON.

    None where that takes a parser: with lists, inner objects, an escape, or a string
    like `: `, the quote signs alone do not tell where a string ends. Numbers stay as
    PostgreSQL prints them, and keys below `"` sort otherwise: what differs has to be
    asked the parser.
    """
    if "\\" in text or "[" in text or text.count("{") != 1 or text[:2] != '{"':
        return text if text == "{}" else None
    if _AMBIGUOUS.search(text):
        return None
    pairs = text[2:-1].replace('": ', '":').split(', "')
    pairs.sort()
    return '{"' + ',"'.join(pairs) + "}"


def event_hash(seq: int, previous_hash: str, payload: str) -> str:
    """The hash of event `seq`; the same formula as audit.append() in the database."""
    text = f"countersign-event/1\n{seq}\n{previous_hash}\n{payload}"
    return sha256(text.encode()).hexdigest()


def check_chain(
    rows: Iterable[Row | tuple[int, str, str, str, str]],
    *,
    after: Head = Head(0, ZERO_HASH),
    head: Head | None = None,
    witnesses: Sequence[Witness] = (),
) -> Verdict:
    """Walk `rows`, which must continue from `after`, and stop at the first break.

    Args:
        head: what the newest event must be; None when it is not known.
        witnesses: signed checkpoints; each must lie on the chain.
    """
    expected = {witness.seq: witness for witness in witnesses}
    checked, last_seq, last_hash = 0, after.seq, after.hash
    for seq, columns, payload, previous_hash, digest in rows:
        text = f"countersign-event/1\n{seq}\n{previous_hash}\n{payload}"
        whole = (
            seq == last_seq + 1
            and previous_hash == last_hash
            and columns == payload
            and digest == sha256(text.encode()).hexdigest()
            and seq not in expected
        )
        if not whole:  # say why, or find that the witness agrees
            last = Head(last_seq, last_hash)
            row = Row(seq, columns, payload, previous_hash, digest)
            broken = _row_break(row, last) or _witness_break(row, expected)
            if broken:
                return Verdict(checked, last, broken)
        checked, last_seq, last_hash = checked + 1, seq, digest
    last = Head(last_seq, last_hash)
    return Verdict(checked, last, _end_break(last, head, witnesses))


def check_each(rows: Iterable[Row]) -> Verdict:
    """Check a selection: each row by itself, and rows that are neighbours in order."""
    verdict = Verdict(0, Head(0, ZERO_HASH))
    for row in rows:
        last = verdict.last
        follows = row.seq == last.seq + 1
        before = last if follows else Head(row.seq - 1, row.previous_hash)
        broken = _row_break(row, before)
        if row.seq <= last.seq:
            broken = _out_of_order(row, last)
        if broken:
            return replace(verdict, broken=broken)
        verdict = Verdict(verdict.checked + 1, Head(row.seq, row.hash))
    return verdict


def _row_break(row: Row, last: Head) -> Break | None:
    if row.seq <= last.seq:
        return _out_of_order(row, last)
    if row.seq > last.seq + 1:
        return Break(last.seq + 1, "missing", _missing(last.seq + 1, row.seq - 1))
    if row.hash != event_hash(row.seq, row.previous_hash, row.payload):
        return _not_its_hash(row, last)
    if row.previous_hash != last.hash:
        return Break(
            row.seq,
            "unlinked",
            f"Event {row.seq} does not follow event {last.seq}: one of the two was "
            "replaced.",
        )
    if row.columns != row.payload:
        return Break(
            row.seq,
            "columns",
            f"Event {row.seq} was edited: what it shows differs from what was hashed.",
        )
    return None


def _not_its_hash(row: Row, last: Head) -> Break:
    """Tell a row that was moved from one that was edited."""
    for seq in range(1, max(last.seq, row.seq) + 1000):
        if event_hash(seq, row.previous_hash, row.payload) == row.hash:
            return Break(
                row.seq,
                "reordered",
                f"Event {row.seq} was written as event {seq}: the log was reordered.",
            )
    return Break(
        row.seq, "edited", f"Event {row.seq} was edited: its hash no longer fits it."
    )


def _out_of_order(row: Row, last: Head) -> Break:
    return Break(
        row.seq,
        "reordered",
        f"Event {row.seq} stands after event {last.seq}: the log was reordered.",
    )


def _missing(first: int, final: int) -> str:
    if first == final:
        return f"Event {first} is missing."
    return f"Events {first} to {final} are missing."


def _witness_break(row: Row, expected: dict[int, Witness]) -> Break | None:
    witness = expected.get(row.seq)
    if witness is None or witness.hash == row.hash:
        return None
    return Break(
        row.seq,
        "rewritten",
        f"Event {row.seq} is not the one that {witness.name} was signed for: the log "
        "was rewritten up to there.",
    )


def _end_break(
    last: Head, head: Head | None, witnesses: Sequence[Witness]
) -> Break | None:
    for witness in sorted(witnesses, key=lambda witness: witness.seq):
        if witness.seq > last.seq:
            return Break(
                last.seq + 1,
                "truncated",
                f"The log ends at event {last.seq}, but {witness.name} was signed for "
                f"event {witness.seq}: the newest events were cut off.",
            )
    if head is not None and head != last:
        return Break(
            last.seq + 1 if head.seq > last.seq else last.seq,
            "head",
            f"The log ends at event {last.seq}, but its head names event {head.seq} "
            f"with hash {head.hash[:8]}: the newest events were changed or cut off.",
        )
    return None
