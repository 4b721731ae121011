"""Only approved bytes run, and a run's record is fixed: said by the database."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import User
from gallery.models import Version
from runner.models import Run, RunResult
from runner.results.expiry import expire_results
from runner.services.lifecycle import note_data_read
from tests.factories.runs import make_run
from tests.rows import NOW, approve, notebook_row, set_status, version_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(ada: User, ravi: User, petra: User, carol: User) -> Version:
    version = version_row(notebook_row(ada), ada)
    approve(version, carol, ravi, petra)
    return version


def run_row(version: Version, by: User, **fields: Any) -> Run:
    values: dict[str, Any] = {
        "kind": "run",
        "digest": version.digest,
        "persona": "doctor",
        "purpose": "treatment",
        "queued_at": NOW,
        "enqueued_at": NOW,
    }
    return Run.objects.create(
        notebook=version.notebook,
        version=version,
        requested_by=by,
        **{**values, **fields},
    )


def test_an_approved_version_gets_a_run(approved: Version, adams: User) -> None:
    assert run_row(approved, adams).status == "queued"


def test_a_draft_gets_a_preview_but_no_run(ada: User) -> None:
    draft = version_row(notebook_row(ada), ada)
    assert run_row(draft, ada, kind="preview").is_preview
    with pytest.raises(DatabaseError, match="Only an approved version"):
        run_row(draft, ada)


def test_a_run_names_the_digest_of_its_version(approved: Version, adams: User) -> None:
    with pytest.raises(DatabaseError, match="digest of its version"):
        run_row(approved, adams, digest="00" * 32)


def test_a_revoked_version_does_not_start(approved: Version, adams: User) -> None:
    run = run_row(approved, adams)
    set_status(approved, "revoked")
    with pytest.raises(DatabaseError, match="Only an approved version"):
        Run.objects.filter(pk=run.pk).update(status="starting")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parameters", {"drug": "other"}),
        ("persona", "billing"),
        ("purpose", "research"),
        ("injected_source", "x = 1"),
        ("digest", "00" * 32),
        ("kind", "preview"),
    ],
)
def test_what_was_asked_for_never_changes(
    approved: Version, adams: User, field: str, value: object
) -> None:
    run = run_row(approved, adams)
    with pytest.raises(DatabaseError, match="never changes"):
        Run.objects.filter(pk=run.pk).update(**{field: value})


def test_a_run_ends_once(approved: Version, adams: User) -> None:
    run = run_row(approved, adams)
    ended = Run.objects.filter(pk=run.pk)
    ended.update(status="cancelled", finished_at=NOW)
    with pytest.raises(DatabaseError, match="ends once"):
        ended.update(status="succeeded")


def test_runs_are_not_deleted(approved: Version, adams: User) -> None:
    run_row(approved, adams)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Run.objects.all().delete()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("evidence", {"degraded": False, "layers": ["all"]}),
        ("error", None),
        ("rows_read", 0),
        ("finished_at", NOW.replace(year=2027)),
        ("data_read_at", NOW),
        ("cells_done", 0),
    ],
)
def test_what_a_finished_run_says_never_changes(
    approved: Version, adams: User, field: str, value: object
) -> None:
    run = make_run(approved, adams, "failed")
    with pytest.raises(DatabaseError, match="its record stays"):
        Run.objects.filter(pk=run.pk).update(**{field: value})


def test_a_statement_that_comes_after_the_end_changes_nothing(
    approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, "failed")
    note_data_read(run=run, now=NOW)
    run.refresh_from_db()
    assert run.data_read_at is None


def test_results_are_not_deleted(approved: Version, adams: User) -> None:
    make_run(approved, adams, "succeeded")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        RunResult.objects.all().delete()


@pytest.mark.parametrize(
    "fields",
    [
        {"notebook_sha256": "00" * 32},
        {"expires_at": NOW.replace(year=2200)},
        {"expired_at": NOW, "notebook": None, "html": None, "statements": None},
    ],
)
def test_a_result_is_only_emptied_and_only_in_its_time(
    approved: Version, adams: User, fields: dict[str, object]
) -> None:
    make_run(approved, adams, "succeeded")
    with pytest.raises(DatabaseError):
        RunResult.objects.update(**fields)


def test_an_emptied_result_stays_empty(approved: Version, adams: User) -> None:
    run = make_run(approved, adams, "succeeded")
    assert expire_results(now=run.result.expires_at) == 1
    with pytest.raises(DatabaseError, match="expires once"):
        RunResult.objects.update(
            expired_at=None, notebook=b"x", html=b"x", statements=b"x"
        )
