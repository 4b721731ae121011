"""One person's runs leave room for everybody else's."""

import threading
import time
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from accounts.policies import TooMany
from audit.log import record
from gallery.models import Version
from runner.models import Run
from runner.services import Launch, cancel_run, request_preview, requests
from runner.services.lifecycle import claim_run
from tests.factories.gallery import NOW
from tests.factories.runs import make_run
from tests.pages import as_reader, text
from tests.runner.launching import approved, launch, version_of

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def two_runs(settings: Any) -> None:
    settings.RUNS_PER_PERSON = 2


@pytest.fixture
def version() -> Version:
    return approved("1", data_sources=[])


def test_one_run_too_many_is_refused_in_words(version: Version, adams: User) -> None:
    launch(version, adams)
    claim_run(run_id=launch(version, adams).pk, now=NOW)
    with pytest.raises(TooMany) as refused:
        launch(version, adams)
    [blocker] = refused.value.blockers
    assert blocker.code == "too_many_runs"
    assert "You have 2 runs" in blocker.message
    assert Run.objects.count() == 2


def test_another_person_and_an_ended_run_take_no_room(
    version: Version, adams: User, baker: User
) -> None:
    first = launch(version, adams)
    launch(version, adams)
    launch(version, baker)
    cancel_run(run=first, by=adams, now=NOW)
    assert launch(version, adams).status == "queued"


def test_previews_count_too(ada: User) -> None:
    draft = version_of("1", data_sources=[])
    for _ in range(2):
        make_run(draft, ada, kind="preview")
    with pytest.raises(TooMany):
        request_preview(version=draft, launch=Launch(persona="doctor"), by=ada, now=NOW)


def test_two_requests_cannot_both_take_the_last_place(
    version: Version, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(version, adams)

    def slow_record(*args: Any, **data: Any) -> None:
        time.sleep(1)  # both have counted by then, unless one waits for the other
        record(*args, **data)

    monkeypatch.setattr(requests, "record", slow_record)
    both = threading.Barrier(2)
    answers: list[str] = []

    def ask(wanted: Version) -> None:
        both.wait()
        try:
            answers.append(launch(wanted, adams).status)
        except TooMany:
            answers.append("refused")
        finally:
            connections.close_all()

    # Of two notebooks, since requests for one wait for each other at its version.
    threads = [
        threading.Thread(target=ask, args=[each])
        for each in (version, approved("2", data_sources=[]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["queued", "refused"]


def test_the_api_answers_429_with_the_reason(version: Version, adams: User) -> None:
    client = Client()
    client.force_login(adams, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/api/v1/notebooks/{version.notebook.slug}/runs/"
    sent = {"parameters": {}, "persona": "doctor"}
    answers = [
        client.post(address, sent, content_type="application/json") for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["blockers"][0]["code"] == "too_many_runs"


def test_running_again_says_why_not_on_a_page(version: Version, adams: User) -> None:
    run = launch(version, adams)
    launch(version, adams)
    page = as_reader(adams).post(f"/runs/{run.pk}/again/")
    assert page.status_code == 429
    assert "You have 2 runs" in text(page)
    assert "failed attempts" not in text(page)
