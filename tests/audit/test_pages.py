"""The log for auditors, as pages and through the API: for nobody else, and recorded."""

import json
from datetime import UTC, datetime
from html import unescape
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client

from audit import api_urls, services
from audit.log import record
from audit.models import Event
from audit.urls import urlpatterns
from audit.verify import verify_lines
from tests.audit.conftest import NOW
from tests.rows import notebook_row, version_row

CAST = ["ada", "ravi", "carol", "otto", "adams", "nora"]
EVENTS_API, VERIFY_API = "/api/v1/audit/events/", "/api/v1/audit/verify/"
EXPORT_API = "/api/v1/audit/export/"
PAGES = ["/audit/", "/audit/verify/", "/audit/export/"]
API = [EVENTS_API, VERIFY_API, EXPORT_API]


@pytest.fixture
def auditor(iris) -> Client:
    client = Client()
    client.force_login(iris, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def history(ada, carol) -> None:
    """Six acts of two people on two notebooks and a run, over three days."""
    trends, ageing = notebook_row(ada, "trends"), notebook_row(ada, "ageing")
    first, second = version_row(trends, ada), version_row(ageing, ada)
    for day, action, by, target in [
        (1, "version.submitted", ada, first),
        (1, "version.submitted", ada, second),
        (2, "sign_off.recorded", carol, first),
        (2, "version.approved", carol, first),
        (3, "person.role_granted", None, ada),
        (3, "moon.howled", None, carol),
    ]:
        record(action, by=by, at=datetime(2026, 5, day, 12, tzinfo=UTC), target=target)


def found(client: Client, query: str) -> list[str]:
    """Which of `history` the API finds, newest first."""
    answer = client.get(f"{EVENTS_API}?{query}")
    assert answer.status_code == 200, answer.content
    return [
        event["action"]
        for event in answer.json()["results"]
        if not event["action"].startswith("audit.")
    ]


def test_every_address_of_this_app_is_tested_here():
    assert {f"/audit/{p.pattern}" for p in urlpatterns} == set(PAGES)
    # The signatures of `reviews` are verified with the log, and answered there.
    own = {f"/api/v1/{p.pattern}" for p in api_urls.urlpatterns}
    assert own | {VERIFY_API} == set(API)


@pytest.mark.security
@pytest.mark.parametrize("address", PAGES)
def test_the_anonymous_are_led_to_sign_in(client, db, address):
    assert client.get(address).url.startswith("/sign-in/")
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("address", API)
def test_the_anonymous_get_401_from_the_api(client, db, address):
    answer = client.get(address)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.security
@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("who", CAST)
def test_nobody_but_an_auditor_reads_the_log(request, client, who, address):
    client.force_login(
        request.getfixturevalue(who),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer = client.get(address)
    assert answer.status_code == 403
    assert b"Only auditors read the audit log." in answer.content
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("address", API)
@pytest.mark.parametrize("who", CAST)
def test_nobody_but_an_auditor_reads_it_through_the_api(request, client, who, address):
    client.force_login(
        request.getfixturevalue(who),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer = client.get(address)
    assert answer.status_code == 403
    assert answer.json()["blockers"][0]["code"] == "missing_permission"
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", [*API, "/audit/", "/audit/export/"])
def test_the_log_takes_no_writes(auditor, method, address):
    assert getattr(auditor, method)(address).status_code == 405


def test_the_page_tells_the_log_in_sentences_newest_first(auditor, history, ada):
    content = unescape(auditor.get("/audit/").content.decode())
    assert f"{ada.printed_name} submitted Trends v1 for review." in content
    assert content.index("moon: howled") < content.index("submitted Trends v1")
    assert "2 May 2026" in content
    assert "its newest part is unbroken" in content


@pytest.mark.security
def test_looking_at_the_log_is_in_the_log_before_it_is_shown(auditor):
    content = unescape(auditor.get("/audit/?person=ada&kind=version").content.decode())
    event = Event.objects.get()
    assert (event.action, event.actor) == ("audit.viewed", "iris")
    assert event.data == {"filters": ["person ada", "kind version"]}
    assert "No event matches" in content
    content = unescape(auditor.get("/audit/").content.decode())
    assert "read the audit log, filtered by person ada, kind version." in content


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("person=carol", ["moon.howled", "version.approved", "sign_off.recorded"]),
        ("person=nobody", []),
        ("notebook=ageing", ["version.submitted"]),
        (
            "kind=version",
            ["version.approved", "version.submitted", "version.submitted"],
        ),
        ("kind=version.approved", ["version.approved"]),
        ("kind=vers", []),
        (
            "since=2026-05-02&until=2026-05-02",
            ["version.approved", "sign_off.recorded"],
        ),
        ("since=2026-05-03", ["moon.howled", "person.role_granted"]),
        ("until=2026-05-01", ["version.submitted", "version.submitted"]),
        ("person=carol&notebook=trends&kind=sign_off", ["sign_off.recorded"]),
    ],
)
def test_filters_narrow_and_combine(auditor, history, query, actions):
    assert found(auditor, query) == actions


def test_a_run_is_found_by_its_id_or_the_start_of_it(auditor, db):
    run_id = "3f2a90aa-0000-0000-0000-000000000001"
    run = SimpleNamespace(pk=run_id, _meta=SimpleNamespace(label_lower="runner.run"))
    record("run.requested", by=None, at=NOW, target=run)
    for run in ("3f2a90aa", "3F2A90AA0000", run_id):
        assert found(auditor, f"run={run}") == ["run.requested"]
    for run in ("3f2a91", "%", "_f2a90aa"):
        assert found(auditor, f"run={run}") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=never", "since"),
        ("kind=A;B", "kind"),
        ("since=2026-05-03&until=2026-05-01", "until"),
        ("person=" + "x" * 80, "person"),
    ],
)
def test_a_filter_that_makes_no_sense_is_said(auditor, history, query, field):
    answer = auditor.get(f"{EVENTS_API}?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    page = auditor.get(f"/audit/?{query}")
    assert page.status_code == 200
    assert b"invalid-feedback" in page.content


def test_the_api_gives_events_as_data_and_in_words(auditor, history, ada):
    body = auditor.get(f"{EVENTS_API}?kind=version.submitted&page_size=1").json()
    assert set(body) == {"count", "next", "previous", "results"}
    assert body["count"] == 2
    event = body["results"][0]
    assert event["actor"] == "ada"
    assert event["target_type"] == "gallery.version"
    assert event["data"]["notebook"] == "ageing"
    assert event["sentence"] == f"{ada.printed_name} submitted Trends v1 for review"
    assert len(event["hash"]) == 64


def test_pages_hold_fifty(auditor):
    for _ in range(60):
        record("a.b", by=None, at=NOW)
    content = auditor.get("/audit/").content.decode()
    assert "Page 1 of 2" in content
    assert "Page 2 of 2" in auditor.get("/audit/?page=2").content.decode()


def test_the_whole_chain_is_verified_on_request(auditor, history):
    answer = auditor.post("/audit/verify/")
    assert b'data-verdict="whole"' in answer.content
    assert b"All 6 events are as they were written" in answer.content
    event = Event.objects.latest("seq")
    assert (event.action, event.actor) == ("audit.verified", "iris")
    assert event.data == {"result": "unbroken", "checked": 6}


def test_the_api_verifies_too(auditor, history):
    body = auditor.get(VERIFY_API).json()
    assert body == {
        "is_whole": True,
        "checked": 6,
        "last_seq": 6,
        "last_hash": Event.objects.get(seq=6).hash,
        "broken": None,
        "signatures": {"hold": True, "checked": 0, "bad": []},
    }


@pytest.mark.security
def test_a_broken_log_is_said_everywhere(auditor, ten_events, as_superuser):
    as_superuser("UPDATE audit.event SET actor = 'mallory' WHERE seq = 4")
    assert b"The log is broken at event 4." in auditor.get("/audit/").content
    answer = auditor.post("/audit/verify/")
    assert b"Broken at event 4." in answer.content
    assert b'data-verdict="columns"' in answer.content
    broken = auditor.get(VERIFY_API).json()["broken"]
    assert (broken["seq"], broken["code"]) == (4, "columns")
    assert "Event 4 was edited" in Event.objects.latest("seq").data["result"]


def test_an_export_is_a_file_that_verifies_and_is_recorded(auditor, history):
    answer = auditor.get("/audit/export/")
    assert "attachment" in answer["Content-Disposition"]
    lines = answer.content.decode().splitlines()
    verdict = verify_lines(lines)
    assert verdict.is_whole
    assert verdict.checked == 6
    event = Event.objects.latest("seq")
    assert event.action == "audit.exported"
    assert event.data == {"filters": [], "events": 6}


def test_an_export_respects_the_filters(auditor, history):
    answer = auditor.get("/audit/export/?person=carol&kind=version")
    (line,) = answer.content.decode().splitlines()
    assert json.loads(line)["action"] == "version.approved"
    assert verify_lines([line], partial=True).is_whole


def test_an_export_that_is_too_large_says_what_to_do(auditor, history, monkeypatch):
    monkeypatch.setattr(services, "EXPORT_LIMIT", 5)
    answer = auditor.get("/audit/export/")
    assert answer.status_code == 400
    assert b"Narrow the dates" in answer.content
    assert not Event.objects.filter(action="audit.exported").exists()


def test_a_script_exports_the_same_lines(auditor, history):
    answer = auditor.get(f"{EXPORT_API}?person=carol&kind=version")
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "no-store"
    assert (
        answer.content
        == auditor.get("/audit/export/?person=carol&kind=version").content
    )
    (line,) = answer.content.decode().splitlines()
    assert verify_lines([line], partial=True).is_whole
    first = Event.objects.filter(action="audit.exported").earliest("seq")
    assert first.data == {"filters": ["person carol", "kind version"], "events": 1}


@pytest.mark.parametrize("query", ["since=yesterday", "kind=DROP+TABLE"])
def test_a_script_that_asks_nonsense_takes_no_copy(auditor, history, query):
    answer = auditor.get(f"{EXPORT_API}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.split("=")[0]
    assert not Event.objects.filter(action="audit.exported").exists()


def test_a_script_is_told_when_an_export_is_too_large(auditor, history, monkeypatch):
    monkeypatch.setattr(services, "EXPORT_LIMIT", 5)
    answer = auditor.get(EXPORT_API)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "too_many_events"
    assert "Narrow the dates" in answer.json()["detail"]
    assert not Event.objects.filter(action="audit.exported").exists()


@pytest.mark.security
def test_what_others_wrote_is_escaped(auditor, ada):
    evil = "<script>alert(1)</script>"
    ada.display_name = evil
    with transaction.atomic():
        record(
            "version.revoked", by=ada, at=NOW, target=ada, reason=evil, notebook=evil
        )
    assert evil not in auditor.get("/audit/").content.decode()


@pytest.mark.security
def test_verifying_on_the_page_wants_the_csrf_token(iris):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(iris, backend="django.contrib.auth.backends.ModelBackend")
    assert careful.post("/audit/verify/").status_code == 403
