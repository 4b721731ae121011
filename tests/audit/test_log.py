"""Appending events: in the act's transaction, canonical, bounded, in one chain."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from threading import Thread
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.services import create_person
from audit import log
from audit.chain import event_hash
from audit.log import BadEventData, NoTransaction, head_hash, record
from audit.models import Event, Head
from audit.verify import verify_log

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)


def test_an_event_stores_who_when_what_and_on_what(ada, carol):
    appended = record(
        "version.submitted", by=ada, at=NOW, target=carol, notebook="trends", number=3
    )
    event = Event.objects.get(seq=appended.seq)
    assert (event.actor, event.actor_name) == ("ada", ada.printed_name)
    assert (event.target_type, event.target_id) == ("accounts.user", str(carol.pk))
    assert event.target_label == "carol"
    assert event.at == NOW
    assert event.data == {"notebook": "trends", "number": 3}
    assert event.hash == appended.hash


def test_the_service_itself_is_the_actor_when_nobody_is(db):
    event = Event.objects.get(seq=record("run.lost", by=None, at=NOW).seq)
    assert (event.actor, event.actor_name) == ("", "Countersign")
    assert (event.target_type, event.target_id, event.target_label) == ("", "", "")


def test_the_payload_is_canonical_and_hashed_with_its_place(ada):
    first = record("a.first", by=ada, at=NOW, b=1, a="é")
    event = Event.objects.get(seq=first.seq)
    assert event.payload == (
        '{"action":"a.first","actor":"ada","actor_name":"'
        + ada.printed_name
        + '","at":"2026-03-04T05:06:07.000089Z","data":{"a":"é","b":1},'
        '"target_id":"","target_label":"","target_type":""}'
    )
    assert event.hash == event_hash(event.seq, event.previous_hash, event.payload)


def test_each_event_names_the_hash_of_the_one_before(ada):
    first = record("a.first", by=ada, at=NOW)
    second = record("a.second", by=ada, at=NOW)
    assert second.seq == first.seq + 1
    assert Event.objects.get(seq=second.seq).previous_hash == first.hash
    head = Head.objects.get()
    assert (head.seq, head.hash) == (second.seq, second.hash)


def test_times_are_kept_in_utc(db):
    there = timezone(timedelta(hours=5))
    appended = record("a.b", by=None, at=NOW.astimezone(there))
    event = Event.objects.get(seq=appended.seq)
    assert '"at":"2026-03-04T05:06:07.000089Z"' in event.payload


def test_the_head_hash_is_that_of_the_newest_event(ada):
    appended = record("a.b", by=ada, at=NOW)
    assert head_hash() == appended.hash


def test_a_target_says_what_every_event_about_it_names(ada):
    class Chart(User):
        class Meta:
            proxy = True
            app_label = "accounts"

        audit_data = {"notebook": "trends", "number": 1}

    appended = record("a.b", by=ada, at=NOW, target=Chart(pk=1), number=2)
    assert Event.objects.get(seq=appended.seq).data == {
        "notebook": "trends",
        "number": 2,
    }


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (Colour.RED, "red"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (NOW, "2026-03-04T05:06:07.000089Z"),
        (NOW.date(), "2026-03-04"),
        (None, None),
        (True, True),
        (2.0, 2),
        (1e22, 10**22),
        (0.1, 0.1),
        (1e-7, 1e-7),
        (["a", 1], ["a", 1]),
        (("a",), ["a"]),
    ],
)
def test_scalars_and_lists_of_them_are_stored_and_stay_verifiable(db, value, stored):
    appended = record("a.b", by=None, at=NOW, value=value)
    assert Event.objects.get(seq=appended.seq).data == {"value": stored}
    assert verify_log().is_whole


@pytest.mark.parametrize(
    "value", [{"a": 1}, [["nested"]], object(), b"bytes", float("nan"), float("inf")]
)
def test_anything_else_is_refused(db, value):
    with pytest.raises(BadEventData):
        record("a.b", by=None, at=NOW, value=value)


def test_more_than_four_kilobytes_are_refused(db):
    with pytest.raises(BadEventData):
        record("a.b", by=None, at=NOW, value=["x" * 400] * 20)


def test_control_characters_and_lone_surrogates_are_replaced(db):
    appended = record("a.b", by=None, at=NOW, value="a\r\nb\0c\ud800d\x1be")
    assert Event.objects.get(seq=appended.seq).data == {"value": "a  b c d e"}
    assert verify_log().is_whole


def test_nobody_turns_a_sentence_around(ada):
    ada.display_name = "ada\u202enimda\u2066"
    appended = record("a.b", by=ada, at=NOW, value="x\u202ey")
    event = Event.objects.get(seq=appended.seq)
    assert event.actor_name == "ada nimda "
    assert event.data == {"value": "x y"}


def test_long_text_is_cut_and_shows_it(db):
    appended = record("a.b", by=None, at=NOW, value="x" * 5000)
    kept = Event.objects.get(seq=appended.seq).data["value"]
    assert len(kept) == log.MAX_TEXT_CHARS
    assert kept.endswith("…")


def test_a_long_label_is_cut(db):
    person = User(pk=1, username="y" * 5000)
    appended = record("a.b", by=None, at=NOW, target=person)
    assert len(Event.objects.get(seq=appended.seq).target_label) == log.MAX_LABEL_CHARS


@pytest.mark.parametrize("action", ["", "nodot", "A.b", "a.b c", "a.b;drop", "é.b"])
def test_an_action_that_is_no_action_is_refused_by_the_database(db, action):
    with pytest.raises(Exception, match="event_action_check"), transaction.atomic():
        record(action, by=None, at=NOW)


def test_outside_a_transaction_nothing_is_recorded(committed_db):
    with pytest.raises(NoTransaction):
        record("a.b", by=None, at=NOW)
    with pytest.raises(NoTransaction):
        head_hash()
    assert not Event.objects.exists()


def test_an_act_whose_event_fails_is_rolled_back(committed_db, otto, monkeypatch):
    monkeypatch.setattr(log, "MAX_DATA_BYTES", 0)
    with pytest.raises(BadEventData):
        create_person(username="zoe", display_name="Zoe", by=otto, now=NOW)
    assert not User.objects.filter(username="zoe").exists()
    assert not Event.objects.exists()


def test_an_event_whose_act_fails_is_rolled_back(committed_db):
    @transaction.atomic
    def act():
        record("a.b", by=None, at=NOW)
        raise LookupError

    with pytest.raises(LookupError):
        act()
    assert not Event.objects.exists()
    assert Head.objects.get().seq == 0


def test_many_at_once_make_one_unbroken_chain(committed_db):
    def append():
        for _ in range(10):
            with transaction.atomic():
                record("a.b", by=None, at=NOW)
        connection.close()

    threads = [Thread(target=append) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verify_log()
    assert verdict.is_whole
    assert verdict.checked == 60


def test_one_who_rolls_back_leaves_no_gap(committed_db):
    for fails in (False, True, False):
        try:
            with transaction.atomic():
                record("a.b", by=None, at=NOW)
                if fails:
                    raise LookupError
        except LookupError:
            pass
    assert list(Event.objects.values_list("seq", flat=True)) == [1, 2]
    assert verify_log().is_whole
