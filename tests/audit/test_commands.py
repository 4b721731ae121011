"""verify_audit, export_audit and sign_checkpoint, as an operator runs them."""

import base64
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Checkpoint, Event
from audit.signing import public_key


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def fails(name: str, *args: str) -> str:
    err = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command(name, *args, stderr=err)
    assert stop.value.code == 1
    return err.getvalue()


def test_an_unbroken_log_is_said_to_be(ten_events):
    said = run("verify_audit")
    assert said.startswith("Unbroken: 10 events, the newest 10 with hash ")


@pytest.mark.security
def test_a_broken_log_ends_with_1_and_names_the_event(ten_events, as_superuser):
    as_superuser("UPDATE audit.event SET actor = 'mallory' WHERE seq = 4")
    said = fails("verify_audit")
    assert "BROKEN at event 4." in said
    assert "Event 4 was edited" in said


def test_an_exported_file_is_verified(ten_events, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(run("export_audit"), encoding="utf-8")
    assert "Unbroken: 10 events" in run("verify_audit", f"--file={path}")


def test_an_edited_file_ends_with_1(ten_events, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(run("export_audit").replace('\\"number\\":4', '\\"number\\":5'))
    assert "BROKEN at event 4." in fails("verify_audit", f"--file={path}")


def test_a_filtered_export_is_verified_as_such(ten_events, tmp_path):
    path = tmp_path / "events.jsonl"
    run("export_audit")
    path.write_text(run("export_audit", "--kind=audit"), encoding="utf-8")
    assert "BROKEN at event 1." in fails("verify_audit", f"--file={path}")
    assert "Unbroken: 1 events" in run("verify_audit", f"--file={path}", "--partial")


def test_an_export_is_recorded(ten_events):
    run("export_audit", "--kind=version")
    event = Event.objects.latest("seq")
    assert (event.action, event.actor) == ("audit.exported", "")
    assert event.data == {"filters": ["kind version"]}


@pytest.mark.parametrize("option", ["--since=never", "--kind=A;B"])
def test_a_filter_that_makes_no_sense_is_refused(ten_events, option):
    with pytest.raises(CommandError):
        run("export_audit", option)


@pytest.mark.security
def test_a_printed_checkpoint_shows_a_cut_off_tail(ten_events, as_superuser, tmp_path):
    path = tmp_path / "checkpoint.txt"
    path.write_text(run("sign_checkpoint"), encoding="utf-8")
    run("verify_audit", f"--checkpoint={path}")
    as_superuser(
        "DELETE FROM audit.event WHERE seq > 7; DELETE FROM audit.checkpoint;"
        "UPDATE audit.head SET seq = 7,"
        " hash = (SELECT hash FROM audit.event WHERE seq = 7)"
    )
    assert "Unbroken" in run("verify_audit")
    assert "were cut off" in fails("verify_audit", f"--checkpoint={path}")


def test_a_checkpoint_is_checked_with_a_given_key(ten_events, tmp_path):
    path = tmp_path / "checkpoint.txt"
    path.write_text(run("sign_checkpoint"), encoding="utf-8")
    key = base64.urlsafe_b64encode(public_key()).decode()
    assert "Unbroken" in run(
        "verify_audit", f"--checkpoint={path}", f"--public-key={key}"
    )
    other = base64.urlsafe_b64encode(b"\1" * 32).decode()
    with pytest.raises(CommandError, match="not a checkpoint"):
        run("verify_audit", f"--checkpoint={path}", f"--public-key={other}")


def test_the_public_key_is_printed_for_keeping(db):
    printed = run("signing_key").strip()
    assert base64.urlsafe_b64decode(printed) == public_key()


def test_the_page_on_verifying_works_as_written(ten_events, tmp_path, monkeypatch):
    """Every command of the how-to, in its order."""
    page = Path("docs/how-to/verify-the-audit-log.md").read_text(encoding="utf-8")
    key = run("signing_key").strip()
    commands = [
        line.split()[1:]
        for line in page.splitlines()
        if line.startswith("    manage.py")
    ]
    monkeypatch.chdir(tmp_path)
    assert len(commands) == 7
    for name, *args in commands:
        arguments, _, target = " ".join(args).replace("KEY", key).partition(" > ")
        if args[:1] == [">"]:
            arguments, target = "", args[1]
        said = run(name, *arguments.split())
        if target:
            (tmp_path / target).write_text(said, encoding="utf-8")


@pytest.mark.parametrize("key", ["x", "AAAA"])
def test_a_key_that_is_none_is_refused(ten_events, tmp_path, key):
    path = tmp_path / "checkpoint.txt"
    path.write_text(run("sign_checkpoint"), encoding="utf-8")
    with pytest.raises(CommandError, match="--public-key"):
        run("verify_audit", f"--checkpoint={path}", f"--public-key={key}")


@pytest.mark.parametrize("option", ["--file", "--checkpoint"])
def test_a_file_that_is_not_there_is_named(ten_events, tmp_path, option):
    with pytest.raises(CommandError, match="nowhere"):
        run("verify_audit", f"{option}={tmp_path / 'nowhere'}")


def test_a_file_of_something_else_is_refused(ten_events, tmp_path):
    path = tmp_path / "other"
    path.write_text("no json\n")
    with pytest.raises(CommandError, match="line 1"):
        run("verify_audit", f"--file={path}")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="cannot be read"):
        run("verify_audit", f"--file={path}")


def test_nothing_to_sign_is_said(committed_db):
    err = StringIO()
    call_command("sign_checkpoint", stderr=err)
    assert "no events yet" in err.getvalue()
    assert not Checkpoint.objects.exists()
