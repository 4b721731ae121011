"""One notebook with controls, from its upload to what it shows: by the API, by a schedule's door, with a proof."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status
from runner import execution
from runner.models import Run
from runner.results.vault import unseal
from runner.services import Launch, request_run
from tests.api import as_person, fields, is_problem, post
from tests.factories.gallery import ipynb, make_version

pytestmark = pytest.mark.usefixtures("committed_db", "kernel_host", "data_cluster")

PARAMETERS = """
import datetime
import ipywidgets as widgets

days = widgets.IntSlider(value=30, min=0, max=60, step=5, description="Days")
ward = widgets.Dropdown(options=[("All wards", 0), ("Cardiology", 3)])
until = widgets.DatePicker(value=datetime.date(2026, 5, 1))
drug: str = "aspirin"
"""
CELLS = (
    "print([days.value, ward.value, until.value, drug])",
    "widgets.VBox([days, ward])",
)
VALUES = {"days": 45, "ward": 3, "until": "2026-02-28", "drug": "warfarin"}
TOLD = "[45, 3, datetime.date(2026, 2, 28), 'warfarin']"


@pytest.fixture
def version(ada: User) -> Version:
    data = ipynb(*CELLS, parameters=PARAMETERS)
    return make_version(Status.APPROVED, data=data)


def asked(version: Version, by: User, **parameters: Any) -> Any:
    path = f"notebooks/{version.notebook.slug}/runs/"
    return post(as_person(by), path, parameters=parameters)


def executed(run_id: str) -> Run:
    execution.execute(run_id)
    run = Run.objects.select_related("result").get(pk=run_id)
    assert run.status == "succeeded", run.error
    return run


def stored(run: Run, part: str) -> str:
    sealed = bytes(getattr(run.result, part))
    associated = f"{run.pk}/{part}"
    return unseal(sealed, keys=settings.RESULT_KEYS, associated=associated).decode()


def test_values_sent_to_the_api_are_those_of_the_controls(
    version: Version, adams: User, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = asked(version, adams, **VALUES)
    assert answer.status_code == 202
    assert answer.json()["parameters"] == VALUES
    run = executed(answer.json()["id"])
    page = stored(run, "html")
    assert TOLD in page.replace("&#x27;", "'").replace("&#39;", "'")
    assert "<strong>Days</strong> 45" in page
    assert "Cardiology" in page
    call_command("verify_run", str(run.pk))
    assert run.version.digest[:8] in capsys.readouterr().out


def test_what_is_not_sent_is_as_the_notebook_has_it(
    version: Version, adams: User
) -> None:
    run = request_run(
        notebook=version.notebook,
        launch=Launch(parameters={"days": 45}),
        by=adams,
        now=timezone.now(),
    )
    notebook = json.loads(stored(executed(str(run.pk)), "notebook"))
    (printed, _) = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][
        -2:
    ]
    assert (
        printed["outputs"][0]["text"]
        == "[45, 0, datetime.date(2026, 5, 1), 'aspirin']\n"
    )


def test_values_that_a_control_would_not_take_are_refused(
    version: Version, adams: User
) -> None:
    answer = asked(version, adams, days=65, ward="Cardiology", until="soon")
    assert is_problem(answer, 400)
    assert sorted(fields(answer)) == ["days", "until", "ward"]
    assert not Run.objects.exists()
