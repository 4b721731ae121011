"""Tampering by somebody with all rights is found, and the first broken row named."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from audit import verify
from audit.chain import event_hash
from audit.checkpoints import read_note, sign_checkpoint
from audit.log import record
from audit.models import Event
from audit.verify import export_line, verify_lines, verify_log, verify_tail
from tests.audit.conftest import NOW

pytestmark = pytest.mark.security

REWRITE_FROM = """
DO $$
DECLARE
    last text := (SELECT hash FROM audit.event WHERE seq = {seq} - 1);
    row audit.event;
BEGIN
    FOR row IN SELECT * FROM audit.event WHERE seq >= {seq} ORDER BY seq LOOP
        UPDATE audit.event SET previous_hash = last, hash = encode(sha256(convert_to(
            E'countersign-event/1\\n' || row.seq || E'\\n' || last || E'\\n' || row.payload,
            'UTF8')), 'hex') WHERE seq = row.seq RETURNING hash INTO last;
    END LOOP;
    UPDATE audit.head SET hash = last, seq = (SELECT max(seq) FROM audit.event);
END $$;
"""
"""What a thorough forger does: mend every hash from an event on, and the head."""


def test_an_untouched_log_is_whole(ten_events):
    verdict = verify_log()
    assert verdict.is_whole
    assert verdict.checked == 10
    assert verdict.last.seq == 10


def test_an_empty_log_is_whole(committed_db):
    assert verify_log().is_whole
    assert verify_tail().is_whole


EDITS = {
    "the hashed text": (
        (
            "UPDATE audit.event SET payload = replace(payload, '\"number\":4', "
            "'\"number\":5') WHERE seq = 4"
        ),
        (4, "edited"),
    ),
    "what is shown": (
        "UPDATE audit.event SET actor = 'mallory' WHERE seq = 4",
        (4, "columns"),
    ),
    "the time shown": (
        "UPDATE audit.event SET at = at + interval '1 microsecond' WHERE seq = 4",
        (4, "columns"),
    ),
    "the data shown": (
        """UPDATE audit.event SET data = '{"number": 4.0}' WHERE seq = 4""",
        (4, "columns"),
    ),
    "the action shown": (
        "UPDATE audit.event SET action = 'version.approved' WHERE seq = 4",
        (4, "columns"),
    ),
    "the hash": (
        "UPDATE audit.event SET hash = repeat('a', 64) WHERE seq = 4",
        (4, "edited"),
    ),
    "the link": (
        "UPDATE audit.event SET previous_hash = repeat('a', 64) WHERE seq = 4",
        (4, "edited"),
    ),
    "one in the middle deleted": (
        "DELETE FROM audit.event WHERE seq = 4",
        (4, "missing"),
    ),
    "several deleted": (
        "DELETE FROM audit.event WHERE seq BETWEEN 4 AND 6",
        (4, "missing"),
    ),
    "the first deleted": ("DELETE FROM audit.event WHERE seq = 1", (1, "missing")),
    "the newest deleted": ("DELETE FROM audit.event WHERE seq = 10", (10, "head")),
    "all deleted": ("DELETE FROM audit.event", (1, "head")),
    "the head rewound": (
        (
            "UPDATE audit.head SET seq = 9, hash = (SELECT previous_hash FROM audit.event"
            " WHERE seq = 10)"
        ),
        (10, "head"),
    ),
    "the head's hash": ("UPDATE audit.head SET hash = repeat('a', 64)", (10, "head")),
    "the head deleted": ("DELETE FROM audit.head", (0, "head")),
    "two swapped": (
        (
            "UPDATE audit.event SET seq = 99 WHERE seq = 4;"
            "UPDATE audit.event SET seq = 4 WHERE seq = 7;"
            "UPDATE audit.event SET seq = 7 WHERE seq = 99"
        ),
        (4, "reordered"),
    ),
    "one deleted and the rest moved up": (
        (
            "DELETE FROM audit.event WHERE seq = 4;"
            "UPDATE audit.event SET seq = -seq WHERE seq > 4;"
            "UPDATE audit.event SET seq = -seq - 1 WHERE seq < 0"
        ),
        (4, "reordered"),
    ),
    "one put in at the end by hand": (
        (
            "INSERT INTO audit.event SELECT 11, at, actor, actor_name, action, target_type,"
            " target_id, target_label, data, payload, hash, repeat('b', 64)"
            " FROM audit.event WHERE seq = 10"
        ),
        (11, "edited"),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_tampering_is_found_and_named(ten_events, as_superuser, edit):
    statement, (seq, code) = EDITS[edit]
    as_superuser(statement)
    broken = verify_log().broken
    assert broken is not None
    assert (broken.seq, broken.code) == (seq, code)
    assert str(seq) in broken.message or code == "head"


def test_a_replaced_event_with_its_own_hash_mended_does_not_link(
    ten_events, as_superuser
):
    event = Event.objects.get(seq=4)
    payload = event.payload.replace('"number":4', '"number":44')
    digest = event_hash(4, event.previous_hash, payload)
    as_superuser(
        f"UPDATE audit.event SET payload = '{payload}', hash = '{digest}',"
        " data = '{\"number\": 44}' WHERE seq = 4"
    )
    broken = verify_log().broken
    assert (broken.seq, broken.code) == (5, "unlinked")


def test_a_log_rewritten_from_the_middle_passes_without_a_checkpoint_only(
    ten_events, as_superuser
):
    checkpoint = sign_checkpoint(now=NOW)
    as_superuser(
        "UPDATE audit.event SET payload = replace(payload, '\"number\":4', '\"number\":5'),"
        " data = '{\"number\": 5}' WHERE seq = 4;"
        + REWRITE_FROM.format(seq=4)
        + "DELETE FROM audit.checkpoint"
    )
    assert verify_log().is_whole
    broken = verify_log([read_note(checkpoint.note)]).broken
    assert (broken.seq, broken.code) == (10, "rewritten")


def test_a_cut_off_tail_with_a_mended_head_passes_without_a_checkpoint_only(
    ten_events, as_superuser
):
    checkpoint = sign_checkpoint(now=NOW)
    as_superuser(
        "DELETE FROM audit.event WHERE seq > 7;"
        + REWRITE_FROM.format(seq=7)
        + "DELETE FROM audit.checkpoint"
    )
    assert verify_log().is_whole
    broken = verify_log([read_note(checkpoint.note)]).broken
    assert (broken.seq, broken.code) == (8, "truncated")


def test_a_stored_checkpoint_alone_shows_a_cut_off_tail(ten_events, as_superuser):
    sign_checkpoint(now=NOW)
    as_superuser("DELETE FROM audit.event WHERE seq > 7;" + REWRITE_FROM.format(seq=7))
    assert verify_log().broken.code == "truncated"


def test_a_forged_stored_checkpoint_is_named(ten_events, as_superuser):
    sign_checkpoint(now=NOW)
    as_superuser("UPDATE audit.checkpoint SET note = replace(note, 'seq 10', 'seq 7')")
    assert verify_log().broken.code == "checkpoint"


def test_a_tail_and_new_events_over_it_are_found(ten_events, as_superuser):
    checkpoint = sign_checkpoint(now=NOW)
    as_superuser(
        "DELETE FROM audit.event WHERE seq > 7;"
        + REWRITE_FROM.format(seq=7)
        + "DELETE FROM audit.checkpoint"
    )
    for _ in range(5):
        with transaction.atomic():
            record("a.b", by=None, at=NOW)
    broken = verify_log([read_note(checkpoint.note)]).broken
    assert (broken.seq, broken.code) == (10, "rewritten")


def test_batches_change_nothing(ten_events, monkeypatch):
    monkeypatch.setattr(verify, "BATCH_ROWS", 3)
    assert verify_log().checked == 10


def test_the_tail_is_checked_from_the_event_before_it(
    ten_events, as_superuser, monkeypatch
):
    monkeypatch.setattr(verify, "TAIL_ROWS", 4)
    assert verify_tail().checked == 4
    as_superuser("UPDATE audit.event SET actor = 'mallory' WHERE seq = 8")
    assert verify_tail().broken.seq == 8


def test_the_tail_says_nothing_about_what_is_older(
    ten_events, as_superuser, monkeypatch
):
    monkeypatch.setattr(verify, "TAIL_ROWS", 4)
    as_superuser("UPDATE audit.event SET actor = 'mallory' WHERE seq = 2")
    assert verify_tail().is_whole
    assert verify_log().broken.seq == 2


def test_the_tail_is_broken_when_the_event_before_it_is_gone(
    ten_events, as_superuser, monkeypatch
):
    monkeypatch.setattr(verify, "TAIL_ROWS", 4)
    as_superuser("DELETE FROM audit.event WHERE seq = 6")
    assert not verify_tail().is_whole


@pytest.fixture
def lines(ten_events) -> list[str]:
    return [export_line(event) for event in Event.objects.all()]


def test_an_export_is_checked_without_the_database(lines):
    verdict = verify_lines(lines)
    assert verdict.is_whole
    assert verdict.checked == 10


def test_an_edited_export_names_the_line(lines):
    value = json.loads(lines[3])
    value["actor"] = "mallory"
    lines[3] = json.dumps(value)
    assert verify_lines(lines).broken.seq == 4


def test_a_reordered_export_is_found(lines):
    lines[3], lines[4] = lines[4], lines[3]
    assert verify_lines(lines).broken.code == "missing"
    assert verify_lines([*lines[:3], lines[2]]).broken.code == "reordered"


def test_a_shortened_export_is_found_by_a_checkpoint(lines):
    witness = read_note(sign_checkpoint(now=timezone.now()).note)
    assert verify_lines(lines[:7]).is_whole
    assert verify_lines(lines[:7], witnesses=[witness]).broken.code == "truncated"


def test_a_filtered_export_is_checked_row_by_row(lines):
    some = [lines[1], lines[2], lines[6]]
    assert verify_lines(some).broken.code == "missing"
    assert verify_lines(some, partial=True).is_whole
    value = json.loads(lines[6])
    value["payload"] = value["payload"].replace("7", "8")
    assert not verify_lines(
        [some[0], some[1], json.dumps(value)], partial=True
    ).is_whole


def test_a_filtered_export_that_is_out_of_order_is_found(lines):
    assert verify_lines([lines[6], lines[1]], partial=True).broken.code == "reordered"


def test_neighbours_in_a_filtered_export_must_link(lines):
    value = json.loads(lines[2])
    value["previous_hash"] = "a" * 64
    value["hash"] = event_hash(3, "a" * 64, value["payload"])
    changed = [lines[1], json.dumps(value)]
    assert verify_lines(changed, partial=True).broken.code == "unlinked"


@pytest.mark.parametrize("line", ["{", "[]", '{"seq": 1}', "null", '{"seq": "x"}'])
def test_a_line_that_is_no_event_is_named(line):
    with pytest.raises(verify.UnreadableFile) as refusal:
        verify_lines([line])
    assert refusal.value.line_number == 1


@pytest.mark.parametrize("column", ["actor", "at", "data"])
def test_an_emptied_column_is_found(ten_events, as_superuser, column):
    as_superuser(
        f"ALTER TABLE audit.event ALTER {column} DROP NOT NULL;"
        f"UPDATE audit.event SET {column} = NULL WHERE seq = 4"
    )
    broken = verify_log().broken
    assert (broken.seq, broken.code) == (4, "columns")


@pytest.mark.parametrize(
    "at", ["2026-03-04 05:06:07+00 BC", "12026-03-04 05:06:07+00", "infinity"]
)
def test_a_time_of_another_era_is_found(ten_events, as_superuser, at):
    as_superuser(f"UPDATE audit.event SET at = '{at}' WHERE seq = 4")
    broken = verify_log().broken
    assert (broken.seq, broken.code) == (4, "columns")
