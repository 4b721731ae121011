"""How much the whole check of the event log costs above reading and hashing its rows.

Both sides run in turns in one process over the same rows through the same kind of
cursor, so that a busy machine slows both. Prints microseconds per event and the ratio.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from audit.chain import FIELDS, ZERO_HASH, canonical_json, event_hash
from audit.log import stamp
from audit.verify import BATCH_ROWS, verify_log
from tests.support import environment, services

EVENTS = 100_000
ROUNDS = 5
#: What the whole check may cost against reading and hashing alone; a million events
#: in ten seconds (10 us each) is the aim on a machine that does nothing else.
MAX_RATIO = 4.0
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def fields(number: int) -> dict[str, object]:
    """What a finished run records: the most there usually is, and no two the same."""
    run = f"{number:08x}-1111-4222-8333-444444444444"
    return {
        "at": stamp(START + timedelta(milliseconds=number)),
        "actor": "",
        "actor_name": "Countersign",
        "action": "run.succeeded",
        "target_type": "runner.run",
        "target_id": run,
        "target_label": f"Prescription trends, {run[:8].upper()}",
        "data": {
            "was": "running",
            "code": "",
            "kind": "run",
            "digest": "ab" * 32,
            "number": 3,
            "persona": "doctor",
            "purpose": "treatment",
            "notebook": "prescription-trends",
            "rows_read": number,
            "notebook_sha256": hashlib.sha256(run.encode()).hexdigest(),
        },
    }


@pytest.fixture
def long_log(committed_db: None) -> None:
    """EVENTS events, written past the append function because that takes its time."""
    dsn = services.application_server().dsn(environment.database())
    names = ("seq", *FIELDS, "payload", "previous_hash", "hash")
    previous = ZERO_HASH
    with psycopg.connect(dsn) as owner:
        owner.execute("ALTER TABLE audit.event DISABLE TRIGGER ALL")
        owner.execute("ALTER TABLE audit.head DISABLE TRIGGER ALL")
        copy_into = f"COPY audit.event ({', '.join(names)}) FROM STDIN"
        with owner.cursor() as cursor, cursor.copy(copy_into) as copy:
            for number in range(1, EVENTS + 1):
                shown = fields(number)
                payload = canonical_json(shown)
                digest = event_hash(number, previous, payload)
                shown["data"] = canonical_json(shown["data"])
                copy.write_row((number, *shown.values(), payload, previous, digest))
                previous = digest
        owner.execute("UPDATE audit.head SET seq = %s, hash = %s", (EVENTS, previous))
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) audit.event")
    connection.ensure_connection()


def read_and_hash() -> int:
    """The least that any check does: every row read, every payload hashed."""
    seen = 0
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT seq, at::text, actor, actor_name, action, target_type, target_id,"
            " target_label, data::text, payload, previous_hash, hash"
            " FROM audit.event ORDER BY seq"
        )
        while rows := cursor.fetchmany(BATCH_ROWS):
            for row in rows:
                hashlib.sha256(row[9].encode()).hexdigest()
            seen += len(rows)
    return seen


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def test_verifying_costs_little_more_than_reading_and_hashing(long_log: None) -> None:
    assert verify_log().checked == read_and_hash() == EVENTS
    pairs = [(seconds(verify_log), seconds(read_and_hash)) for _ in range(ROUNDS)]
    whole = min(first for first, _ in pairs) / EVENTS * 1e6
    plain = min(second for _, second in pairs) / EVENTS * 1e6
    ratio = sorted(first / second for first, second in pairs)[ROUNDS // 2]
    print(  # noqa: T201  what a benchmark is for
        f"\nverify_log {whole:.1f} us per event, reading and hashing {plain:.1f} us,"
        f" ratio {ratio:.2f} (median of {ROUNDS} pairs over {EVENTS:,} events)"
    )
    assert ratio <= MAX_RATIO
