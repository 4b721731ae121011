"""The API of live pages: opened with values, refused as on a page."""

from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from tests.api import as_person, codes, is_problem, post
from tests.factories.gallery import ipynb, make_version
from tests.pages import as_reader

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_cluster")]

SLIDER = "import ipywidgets as w\ndays = w.IntSlider(value=30, max=60)"


def version_of(*sources: str, status: str = Status.APPROVED, **fields: str) -> Version:
    return make_version(status, data=ipynb(*sources, **fields))


def ask(by: User, version: Version, **body: Any) -> Any:
    return post(as_person(by), f"notebooks/{version.notebook.slug}/runs/", **body)


def test_a_live_page_is_opened_with_values_and_its_address_is_told(adams: User) -> None:
    version = version_of("days", parameters=SLIDER)
    answer = ask(adams, version, live=True, parameters={"days": 45})
    assert (answer.status_code, answer.json()["queue"]) == (202, "interactive")
    run = Run.objects.get()
    assert (run.is_live, run.parameters) == (True, {"days": 45})
    page = answer.json()["page"]
    assert page == f"{settings.APPLICATION_ORIGIN}/runs/{run.pk}/"
    path = page.removeprefix(settings.APPLICATION_ORIGIN)
    assert as_reader(adams).get(path).status_code == 200


def test_without_asking_for_it_a_run_has_no_live_page(adams: User) -> None:
    version = version_of("days", parameters=SLIDER)
    assert ask(adams, version).json()["queue"] == "api"


def test_a_version_without_widgets_has_none(adams: User) -> None:
    refused = ask(adams, version_of("1"), live=True)
    assert is_problem(refused, 409)
    assert codes(refused) == ["not_interactive"]
    assert not Run.objects.exists()


def test_a_version_that_waits_for_input_has_nothing_else(adams: User) -> None:
    version = version_of("import ipython_blocking", "%block button")
    refused = ask(adams, version)
    assert is_problem(refused, 409)
    assert codes(refused) == ["needs_live_page"]
    opened = ask(adams, version, live=True).json()
    assert opened["queue"] == "interactive"
    again = post(as_person(adams), f"runs/{opened['id']}/repeat/")
    assert codes(again) == ["needs_live_page"]


def test_a_preview_can_be_live(ravi: User) -> None:
    version = version_of("days", status=Status.IN_REVIEW, parameters=SLIDER)
    path = f"notebooks/{version.notebook.slug}/versions/1/previews/"
    answer = post(as_person(ravi), path, persona="doctor", live=True)
    assert (answer.status_code, answer.json()["queue"]) == (202, "interactive")


def test_live_is_yes_or_no(adams: User) -> None:
    refused = ask(adams, version_of("1"), live="perhaps")
    assert is_problem(refused, 400)
