"""What was shown is what runs: a version approved meanwhile runs only once looked at."""

from typing import Any

import pytest

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from runner.services import requests
from tests.api import as_person, codes, is_problem, post
from tests.factories.gallery import ipynb, make_version
from tests.factories.runs import make_run
from tests.pages import as_reader, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_cluster")]

SENT = {"parameter-drug": "warfarin", "persona": "doctor", "purpose": "treatment"}


def run_path(version: Version) -> str:
    return f"/notebooks/{version.notebook.slug}/run/"


@pytest.fixture
def first() -> Version:
    return make_version(Status.APPROVED)


def replace(version: Version, parameters: str = 'drug: str = "aspirin"') -> Version:
    data = ipynb("print('another')", parameters=parameters)
    return make_version(Status.APPROVED, notebook=version.notebook, data=data)


def shown_number(page: Any) -> str:
    return page.content.decode().split('name="version" value="')[1].split('"')[0]


@pytest.mark.parametrize("place", ["run/", ""])
def test_every_form_carries_the_number_that_it_shows(
    first: Version, adams: User, place: str
) -> None:
    client = as_reader(adams)
    path = f"/notebooks/{first.notebook.slug}/{place}"
    assert shown_number(client.get(path)) == "1"
    replace(first)
    assert shown_number(client.get(path)) == "2"


def test_the_version_that_was_shown_runs(first: Version, adams: User) -> None:
    page = as_reader(adams).post(run_path(first), {**SENT, "version": "1"})
    run = Run.objects.get()
    assert page.url == run.get_absolute_url()
    assert (run.version, run.digest) == (first, first.digest)


def test_a_version_approved_meanwhile_does_not_run_unseen(
    first: Version, adams: User
) -> None:
    second = replace(first)
    client = as_reader(adams)
    page = client.post(run_path(first), {**SENT, "version": "1"})
    assert page.status_code == 409
    assert not Run.objects.exists()
    assert "Version 1 is not the approved one: version 2 is." in text(page)
    assert page.context["version"] == second
    assert 'value="warfarin"' in page.content.decode()
    again = client.post(run_path(first), {**SENT, "version": shown_number(page)})
    assert again.status_code == 302
    assert Run.objects.get().version == second


def test_a_parameter_that_the_old_page_lacked_is_named_beside_the_reason(
    first: Version, adams: User
) -> None:
    replace(first, "ward: int")
    page = as_reader(adams).post(run_path(first), {**SENT, "version": "1"})
    assert page.status_code == 409
    assert "version 2 is." in text(page)
    assert page.context["forms"].parameters.errors["ward"]


@pytest.mark.parametrize("number", [None, "", "0", "x", "²", "9" * 40])
def test_a_form_that_does_not_say_what_it_showed_runs_nothing(
    first: Version, adams: User, number: str | None
) -> None:
    sent = SENT if number is None else {**SENT, "version": number}
    page = as_reader(adams).post(run_path(first), sent)
    assert page.status_code == 409
    assert "Look at version 1, then run it." in text(page)
    assert not Run.objects.exists()


def test_an_approval_between_the_check_and_the_queue_refuses_in_the_same_words(
    first: Version, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_ticket = requests.put_ticket

    def replace_first(*args: Any, **kwargs: Any) -> None:
        put_ticket(*args, **kwargs)
        replace(first)

    monkeypatch.setattr(requests, "put_ticket", replace_first)
    page = as_reader(adams).post(run_path(first), {**SENT, "version": "1"})
    assert page.status_code == 409
    assert "Version 1 is not the approved one: version 2 is." in text(page)
    assert shown_number(page) == "2"
    assert not Run.objects.exists()


def test_run_again_repeats_the_same_version_at_once(
    first: Version, adams: User
) -> None:
    before = make_run(first, adams, "succeeded", parameters={"months": 9})
    as_reader(adams).post(f"/runs/{before.pk}/again/")
    again = Run.objects.exclude(pk=before.pk).get()
    assert (again.version, again.parameters) == (first, {"months": 9})


def test_run_again_says_first_that_the_version_differs(
    first: Version, adams: User
) -> None:
    before = make_run(first, adams, "succeeded", parameters={"drug": "warfarin"})
    replace(first)
    client = as_reader(adams)
    assert "Run again" in text(client.get(before.get_absolute_url()))
    page = client.post(f"/runs/{before.pk}/again/", follow=True)
    assert Run.objects.get() == before
    assert "used version 1. Now version 2 is approved" in text(page)
    assert 'value="warfarin"' in page.content.decode()


def test_the_api_refuses_a_number_that_is_not_the_approved_one(
    first: Version, adams: User
) -> None:
    replace(first)
    path = f"notebooks/{first.notebook.slug}/runs/"
    refused = post(as_person(adams), path, version=1)
    assert is_problem(refused, 409)
    assert codes(refused) == ["version_replaced"]
    assert not Run.objects.exists()
    assert post(as_person(adams), path, version=2).json()["version"] == 2
    assert post(as_person(adams), path).json()["version"] == 2
