"""A result goes into the database as the bytes that it is, and no page fetches more of it than it shows."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from runner.models import RunResult
from runner.policies import result_blockers
from runner.results.reading import download_result, view_result
from runner.results.storing import insert_result
from tests.runner.results.finished import NOW, again, finished_run, queued_run

pytestmark = pytest.mark.django_db

#: Everything that SQL text would have to escape.
EVERY_BYTE = bytes(range(256)) * 4


def copy_of(result, **fields):
    """Return an unsaved result with the same values, and these."""
    values = {
        each.attname: getattr(result, each.attname)
        for each in RunResult._meta.concrete_fields
        if not each.primary_key
    }
    return RunResult(**{**values, **fields})


def test_what_comes_out_is_what_went_in(adams):
    stored = RunResult.objects.get(run=finished_run(adams))
    other = queued_run(adams)
    insert_result(
        copy_of(
            stored, run_id=other.pk, notebook=EVERY_BYTE, html=b"", statements=b"[]"
        )
    )
    found = RunResult.objects.get(run=other)
    assert bytes(found.notebook) == EVERY_BYTE
    assert (bytes(found.html), bytes(found.statements)) == (b"", b"[]")
    assert (found.stored_at, found.expires_at) == (stored.stored_at, stored.expires_at)
    assert (found.expired_at, found.html_sha256) == (None, stored.html_sha256)


def test_a_second_result_of_a_run_is_refused_as_django_would(adams):
    stored = RunResult.objects.get(run=finished_run(adams))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_result(copy_of(stored))
    assert RunResult.objects.count() == 1


def test_what_was_inserted_goes_with_its_transaction(adams):
    stored = RunResult.objects.get(run=finished_run(adams))
    with transaction.atomic():
        insert_result(copy_of(stored, run_id=queued_run(adams).pk))
        assert RunResult.objects.count() == 2
        transaction.set_rollback(True)
    assert RunResult.objects.get() == stored


def test_a_result_is_not_written_into_the_text_of_a_statement(adams):
    with CaptureQueriesContext(connection) as captured:
        finished_run(adams)
    texts = [each["sql"] for each in captured]
    assert texts
    assert not any('INSERT INTO "runner_runresult"' in text for text in texts)


def fetched(act):
    """Return which parts of results the statements of an act ask for."""
    with CaptureQueriesContext(connection) as captured:
        act()
    parts = ("notebook", "html", "statements")
    texts = [each["sql"] for each in captured]
    return {
        part
        for part in parts
        if any(f'"runner_runresult"."{part}"' in text for text in texts)
    }


def test_whether_a_result_can_be_seen_is_told_without_fetching_it(adams):
    run = finished_run(adams)
    assert fetched(lambda: result_blockers(adams, again(run.pk))) == set()


def test_a_look_fetches_the_page_alone(adams):
    run = again(finished_run(adams).pk)
    assert fetched(lambda: view_result(run=run, by=adams, now=NOW)) == {"html"}


def test_a_download_fetches_what_it_is_of(adams):
    run = again(finished_run(adams).pk)
    assert fetched(
        lambda: download_result(
            run=run, kind="notebook", format_name="ipynb", by=adams, now=NOW
        )
    ) == {"notebook"}
