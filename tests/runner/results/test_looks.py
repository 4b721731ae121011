"""Downloads and expiry: the owner only, an event each, and an end."""

from datetime import timedelta

import pytest
from django.conf import settings

from accounts.policies import NotAllowed
from runner.models import RunResult
from runner.results import reading, vault
from runner.results.expiry import expire_results
from runner.results.responses import attachment_response, safe_filename
from tests.runner.results.finished import NOW, again, events, finished_run

pytestmark = pytest.mark.django_db

AFTER = timedelta(days=settings.RESULT_RETENTION_DAYS)


def download(run, by, *, now=NOW, kind="notebook"):
    return reading.download_result(
        run=run, kind=kind, format_name="ipynb", by=by, now=now
    )


def test_the_owner_downloads_the_executed_notebook(adams):
    data = download(finished_run(adams), adams)
    assert reading.executed_notebook(data)["cells"][0]["cell_type"] == "code"


def test_every_download_is_an_event_that_names_its_format(adams):
    run = finished_run(adams)
    download(run, adams)
    (event,) = events("result.downloaded")
    assert (event.actor, event.target_id) == ("adams", str(run.pk))
    assert event.data["format"] == "ipynb"


@pytest.mark.security
@pytest.mark.parametrize("who", ["baker", "carol", "otto", "iris", "ada"])
def test_nobody_else_sees_it_in_any_role(who, adams, request):
    run = finished_run(adams)
    with pytest.raises(NotAllowed):
        download(run, request.getfixturevalue(who))
    with pytest.raises(NotAllowed):
        reading.view_result(run=run, by=request.getfixturevalue(who), now=NOW)
    assert events("result.downloaded") == events("result.viewed") == []


@pytest.mark.security
def test_the_database_holds_no_readable_result(adams):
    result = finished_run(adams).result
    for sealed in (result.notebook, result.html, result.statements):
        assert b"31 prescriptions" not in bytes(sealed)


@pytest.mark.security
def test_a_result_of_another_part_does_not_open(adams):
    run = finished_run(adams)
    RunResult.objects.update(notebook=bytes(run.result.html))
    with pytest.raises(vault.Tampered):
        download(again(run.pk), adams)
    assert events("result.downloaded") == []


def test_an_expired_result_is_erased_and_its_run_stays(adams):
    run = finished_run(adams)
    assert expire_results(now=NOW + AFTER - timedelta(seconds=1)) == 0
    assert expire_results(now=NOW + AFTER) == 1
    result = again(run.pk).result
    assert (result.notebook, result.html, result.statements) == (None, None, None)
    assert len(result.notebook_sha256) == 64
    (event,) = events("result.expired")
    assert (event.actor, event.target_id) == ("", str(run.pk))


def test_expiry_happens_once(adams):
    finished_run(adams)
    assert [expire_results(now=NOW + AFTER) for _ in range(2)] == [1, 0]
    assert len(events("result.expired")) == 1


def test_a_result_is_closed_at_its_time_even_before_the_sweep(adams):
    run = finished_run(adams)
    with pytest.raises(NotAllowed) as refusal:
        download(run, adams, now=NOW + AFTER)
    assert refusal.value.blockers[0].code == "result_expired"


def test_after_the_sweep_the_reason_is_given(adams):
    run = finished_run(adams)
    expire_results(now=NOW + AFTER)
    with pytest.raises(NotAllowed) as refusal:
        download(again(run.pk), adams, now=NOW + AFTER)
    assert refusal.value.blockers[0].code == "result_expired"


def test_a_download_is_never_opened_in_place():
    response = attachment_response(
        b"<script>", filename="Trends.html", content_type="text/html; charset=utf-8"
    )
    assert response["Content-Disposition"] == 'attachment; filename="Trends.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_filename_in_any_script_is_kept():
    response = attachment_response(
        b"", filename="Übersicht – März.csv", content_type="text/csv"
    )
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ('a"\r\nSet-Cookie: x.html', "a Set-Cookie x.html"),
        ("../../etc/passwd.csv", "etc passwd.csv"),
        ("\u202efdp.html", "fdp.html"),
        (".html", "result.html"),
        ("x" * 300 + ".ipynb", "x" * 114 + ".ipynb"),
    ],
)
def test_a_filename_cannot_break_out(name, safe):
    assert safe_filename(name) == safe
    response = attachment_response(b"", filename=name, content_type="text/html")
    assert "\r" not in response["Content-Disposition"]
