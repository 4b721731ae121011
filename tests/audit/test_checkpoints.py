"""Checkpoints: signed, kept once, and of this installation only."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoints import BadCheckpoint, make_note, read_note, sign_checkpoint
from audit.models import Checkpoint, Event
from audit.signing import is_signed, key_id, public_key, sign
from audit.tasks import sign_head
from tests.audit.conftest import NOW


def test_a_checkpoint_says_what_the_head_was(ten_events):
    checkpoint = sign_checkpoint(now=NOW)
    newest = Event.objects.latest("seq")
    witness = read_note(checkpoint.note)
    assert (witness.seq, witness.hash) == (10, newest.hash)
    assert Checkpoint.objects.get().note == checkpoint.note


def test_the_same_head_is_signed_once(ten_events):
    assert sign_checkpoint(now=NOW).note == sign_checkpoint(now=NOW).note
    assert Checkpoint.objects.count() == 1


def test_an_empty_log_is_not_signed(committed_db):
    assert sign_checkpoint(now=NOW) is None


def test_the_periodic_task_signs(ten_events):
    sign_head()
    assert Checkpoint.objects.get().seq == 10


def test_line_ends_of_another_system_do_not_matter():
    note = make_note(seq=5, digest="a" * 64, at=NOW)
    assert read_note(note.replace("\n", "\r\n")).seq == 5


@pytest.mark.security
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seq 5", "seq 6"),
        ("aaaa", "aaab"),
        ("2026", "2027"),
        ("checkpoint/1", "checkpoint/2"),
        ("signature ", "signature A"),
        ("\n\n", "\n"),
        ("seq 5\n", ""),
    ],
)
def test_a_changed_checkpoint_is_refused(old, new):
    note = make_note(seq=5, digest="a" * 64, at=NOW)
    with pytest.raises(BadCheckpoint):
        read_note(note.replace(old, new, 1))


@pytest.mark.security
def test_a_checkpoint_of_another_key_is_refused():
    note = make_note(seq=5, digest="a" * 64, at=NOW)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(BadCheckpoint):
        read_note(note, public=other)
    assert read_note(note, public=public_key()).seq == 5


@pytest.mark.parametrize(
    "note", ["", "x", "\n\n", "countersign-checkpoint/1\n\nkey x\n"]
)
def test_what_is_no_checkpoint_is_refused(note):
    with pytest.raises(BadCheckpoint):
        read_note(note)


def test_signatures_fit_their_data_and_key_only():
    signature = sign(b"data")
    assert is_signed(b"data", signature, public_key=public_key())
    assert not is_signed(b"other", signature, public_key=public_key())
    assert len(key_id(public_key())) == 16
