"""A waiting run's place is on its page, in lists, in the API and in both streams."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status as VersionStatus
from runner.line import Place
from runner.models import Run
from runner.services.lifecycle import start_run
from runner.stream import changes
from runner.workflow import Queue, Status
from tests.factories.gallery import NOW, make_version, person
from tests.factories.runs import finish, make_run
from tests.pages import as_reader, text
from tests.runner.launching import approved

OWN_LIMIT = "You have 1 run going; this one starts when it ends."


@pytest.fixture
def version(db: None) -> Version:
    return make_version(VersionStatus.APPROVED)


@pytest.fixture
def waiting(version: Version, adams: User, baker: User, lena: User) -> Run:
    """The third in line of its queue; others wait elsewhere."""
    make_run(version, lena)
    make_run(version, baker)
    make_run(version, baker, queue=Queue.API)
    return make_run(version, adams)


def held(version: Version, by: User, settings: Any) -> Run:
    settings.RUNS_AT_ONCE_PER_PERSON = 1
    make_run(version, by, Status.RUNNING)
    return make_run(version, by)


def api(by: User, path: str) -> Any:
    client = Client()
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200
    return answer.json()


def test_its_page_says_which_place_it_has(waiting: Run, adams: User) -> None:
    for path in ("", "progress/"):
        page = text(as_reader(adams).get(f"/runs/{waiting.pk}/{path}"))
        assert "3rd in line. It starts as soon as a place is free." in page


def test_its_page_says_that_it_is_next(version: Version, adams: User) -> None:
    run = make_run(version, adams)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/"))
    assert "Next in line. It starts as soon as a place is free." in page


def test_its_page_says_which_limit_holds_it_back(
    version: Version, adams: User, settings: Any
) -> None:
    run = held(version, adams, settings)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/"))
    assert OWN_LIMIT in page
    assert "as soon as a place is free" not in page


def test_lists_say_it_too(
    waiting: Run, version: Version, adams: User, settings: Any
) -> None:
    pages = ("/runs/", version.notebook.get_absolute_url())
    for path in pages:
        assert "3rd in line" in text(as_reader(adams).get(path))
    settings.RUNS_AT_ONCE_PER_PERSON = 1
    make_run(version, adams, Status.RUNNING)
    for path in pages:
        assert OWN_LIMIT in text(as_reader(adams).get(path))


def test_a_run_under_way_has_no_place_on_any_page(
    version: Version, adams: User
) -> None:
    run = make_run(version, adams, Status.RUNNING)
    for path in ("/runs/", f"/runs/{run.pk}/"):
        assert "in line" not in text(as_reader(adams).get(path)).lower()


def test_the_api_tells_the_place_and_nothing_of_others(
    waiting: Run, adams: User, baker: User
) -> None:
    listed = api(adams, "runs/")["results"]
    assert [row["id"] for row in listed] == [str(waiting.pk)]
    for told in (listed[0], api(adams, f"runs/{waiting.pk}/")):
        assert (told["queue"], told["place_in_queue"]) == ("batch", 3)
        assert told["held_back"] is None
        assert baker.username not in json.dumps(told)


def test_the_api_tells_the_limit(version: Version, adams: User, settings: Any) -> None:
    run = held(version, adams, settings)
    told = {"code": "own_limit", "message": OWN_LIMIT}
    assert api(adams, f"runs/{run.pk}/")["held_back"] == told
    running = api(adams, "runs/?status=running")["results"][0]
    assert (running["place_in_queue"], running["held_back"]) == (None, None)


@pytest.mark.usefixtures("data_cluster", "committed_db")
def test_a_page_and_the_api_put_runs_where_their_people_wait(adams: User) -> None:
    version = approved("1", data_sources=[])
    address = version.notebook.get_absolute_url()
    sent = {"version": "1", "persona": "doctor", "purpose": "treatment"}
    assert as_reader(adams).post(f"{address}run/", sent).status_code == 302
    by_form = Run.objects.get()
    assert by_form.queue == "page"
    again = as_reader(adams).post(f"/runs/{by_form.pk}/again/")
    assert again.status_code == 302
    assert set(Run.objects.values_list("queue", flat=True)) == {"page"}
    client = Client()
    client.force_login(adams, backend="django.contrib.auth.backends.ModelBackend")
    for path in (
        f"notebooks/{version.notebook.slug}/runs/",
        f"runs/{by_form.pk}/repeat/",
    ):
        answer = client.post(f"/api/v1/{path}", {}, content_type="application/json")
        assert (answer.status_code, answer.json()["queue"]) == (202, "api")


@pytest.mark.usefixtures("committed_db")
def test_the_pages_stream_tells_when_the_place_has_changed() -> None:
    adams, baker = person("adams"), person("baker")
    version = make_version(VersionStatus.APPROVED)
    first = make_run(version, baker)
    run = make_run(version, adams)

    async def follow() -> list[bytes]:
        async with aclosing(changes(run.pk)) as stream:
            seen = [await anext(stream)]
            await asyncio.to_thread(_end, first)
            seen.append(await anext(stream))
            return seen

    assert asyncio.run(follow()) == [b"event: progress\ndata: {}\n\n"] * 2


def _end(run: Run) -> None:
    try:
        Run.objects.filter(pk=run.pk).update(status=Status.STARTING)
        run.refresh_from_db()
        start_run(run=run, evidence={}, now=NOW)
        finish(run, Status.SUCCEEDED, now=NOW)
    finally:
        connections.close_all()


def test_a_place_is_a_number_and_a_reason_and_nothing_else() -> None:
    assert set(Place.__dataclass_fields__) == {"number", "code", "message"}
