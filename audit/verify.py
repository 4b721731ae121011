"""Is the log whole?  Reads it in batches from the database, or from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from audit.chain import (
    FIELDS,
    ZERO_HASH,
    Break,
    Head,
    Row,
    Verdict,
    Witness,
    canonical_event,
    canonical_json,
    check_chain,
    check_each,
    quick_canonical,
)
from audit.checkpoints import BadCheckpoint, read_note
from audit.log import stamp
from audit.models import Checkpoint, Event
from audit.models import Head as HeadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BATCH_ROWS = 2000
TAIL_ROWS = 500


class UnreadableFile(Exception):
    """A line of the file is not an exported event."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"line {line_number} is not an exported event")
        self.line_number = line_number


def verify_log(witnesses: Sequence[Witness] = ()) -> Verdict:
    """Check every event, the head, all stored checkpoints, and `witnesses`."""
    try:
        stored = [read_note(row.note) for row in Checkpoint.objects.all()]
    except BadCheckpoint:
        return _forged_checkpoint()
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        # One statement, one snapshot: the head is the one that these rows belong to.
        cursor.execute(
            "SELECT h.seq, h.hash, e.seq,"
            # to_char prints a year before our era like one of ours
            " CASE WHEN e.at >= timestamptz '0001-01-01 00:00Z' THEN to_char("
            "e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') END,"
            " e.actor, e.actor_name, e.action,"
            " e.target_type, e.target_id, e.target_label, e.data::text, e.payload,"
            " e.previous_hash, e.hash"
            " FROM audit.head h LEFT JOIN audit.event e ON true ORDER BY e.seq"
        )
        first = cursor.fetchone()
        if first is None:
            return Verdict(
                0, Head(0, ZERO_HASH), Break(0, "head", "The log has lost its head.")
            )
        head = Head(first[0], first[1])
        return check_chain(
            _rows(first, cursor), head=head, witnesses=[*stored, *witnesses]
        )


def verify_tail() -> Verdict:
    """Check the newest events only, quickly: enough for the top of a page."""
    head = HeadRow.objects.get()
    first_seq = max(1, head.seq - TAIL_ROWS + 1)
    events = Event.objects.filter(seq__gte=first_seq - 1, seq__lte=head.seq)
    rows = [row_of(event) for event in events]
    after = Head(max(0, first_seq - 2), ZERO_HASH)
    if first_seq > 1 and rows and rows[0].seq == first_seq - 1:
        anchor = rows.pop(0)
        after = Head(anchor.seq, anchor.hash)
    return check_chain(rows, after=after, head=Head(head.seq, head.hash))


def verify_lines(
    lines: Iterable[str], *, partial: bool = False, witnesses: Sequence[Witness] = ()
) -> Verdict:
    """Check exported JSON lines; `partial` for an export that was filtered.

    Raises UnreadableFile.
    """
    rows = _rows_of_lines(lines)
    return check_each(rows) if partial else check_chain(rows, witnesses=witnesses)


def row_of(event: Event) -> Row:
    """An event as the chain sees it."""
    _, *fields, data = (getattr(event, name) for name in FIELDS)
    columns = _parsed((stamp(event.at), *fields), data)
    return Row(event.seq, columns, event.payload, event.previous_hash, event.hash)


def export_line(event: Event) -> str:
    """One event as one line of JSON; `payload` is the exact text that was hashed."""
    return json.dumps(
        {
            "seq": event.seq,
            **{name: getattr(event, name) for name in FIELDS},
            "at": stamp(event.at),
            "payload": event.payload,
            "previous_hash": event.previous_hash,
            "hash": event.hash,
        },
        ensure_ascii=False,
    )


def _rows(
    first: tuple[Any, ...], cursor: Any
) -> Iterator[tuple[int, str, str, str, str]]:
    batch = [first]
    while batch:
        for _, _, seq, *fields, data, payload, previous_hash, digest in batch:
            if seq is not None:  # the only row of an empty log is its head's
                columns = _columns(fields, data, payload)
                yield seq, columns, payload, previous_hash, digest
        batch = cursor.fetchmany(BATCH_ROWS)


def _columns(fields: list[Any], data: str | None, payload: str) -> str:
    """Return the canonical JSON of the columns as PostgreSQL printed them.

    What can be had without parsing `data` is right when it equals what was hashed; a
    difference may lie in that short cut, so that the parser has the last word.
    """
    try:
        quick = None if data is None else quick_canonical(data)
        if quick is not None:
            columns = canonical_event(fields, quick)
            if columns == payload:
                return columns
    except TypeError:  # some column is empty: the parser's way shows that
        pass
    return _parsed(fields, None if data is None else json.loads(data))


def _parsed(fields: Sequence[Any], data: Any) -> str:
    return canonical_json(dict(zip(FIELDS, (*fields, data), strict=True)))


def _rows_of_lines(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            yield Row(
                seq=int(value["seq"]),
                columns=canonical_json({name: value[name] for name in FIELDS}),
                payload=str(value["payload"]),
                previous_hash=str(value["previous_hash"]),
                hash=str(value["hash"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableFile(number) from error


def _forged_checkpoint() -> Verdict:
    message = (
        "A stored checkpoint does not carry this installation's signature: it was "
        "changed, or the signing key was."
    )
    return Verdict(0, Head(0, ZERO_HASH), Break(0, "checkpoint", message))
