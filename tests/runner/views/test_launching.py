"""Launch and preview pages: forms, refusals, values that stay."""

import pytest

from accounts.models import User
from gallery.workflow import Status
from runner.models import Run
from tests.factories.gallery import ipynb, make_version
from tests.factories.runs import make_run
from tests.pages import as_reader, text, version_path

pytestmark = pytest.mark.django_db


def run_path(version) -> str:
    return f"/notebooks/{version.notebook.slug}/run/"


def test_one_persona_is_not_asked_for_and_its_purpose_is_chosen(adams: User) -> None:
    version = make_version(Status.APPROVED)
    forms = as_reader(adams).get(run_path(version)).context["forms"]
    assert forms.launch.fields["persona"].widget.is_hidden
    assert forms.launch["persona"].value() == "doctor"
    assert forms.launch["purpose"].value() == "treatment"


def test_two_personas_are_asked_for(helen: User) -> None:
    version = make_version(Status.APPROVED)
    forms = as_reader(helen).get(run_path(version)).context["forms"]
    labels = [label for _, label in forms.launch.fields["persona"].choices]
    assert labels == ["Choose", "Head of cardiology", "Doctor, cardiology"]


def test_the_active_persona_is_chosen_with_its_purpose(helen: User) -> None:
    version = make_version(Status.APPROVED)
    client = as_reader(helen)
    client.post("/persona/", {"persona": "department_head", "next": "/"})
    forms = client.get(run_path(version)).context["forms"]
    assert forms.launch["persona"].value() == "department_head"
    assert forms.launch["purpose"].value() == "operations"


def test_a_value_out_of_bounds_is_refused_and_kept(adams: User) -> None:
    version = make_version(Status.APPROVED)
    sent = {
        "version": "1",
        "parameter-drug": "warfarin",
        "parameter-months": "many",
        "persona": "doctor",
        "purpose": "treatment",
    }
    page = as_reader(adams).post(run_path(version), sent)
    assert page.status_code == 400
    assert 'value="warfarin"' in page.content.decode()
    assert "Enter a whole number." in text(page)
    assert not Run.objects.exists()


def test_a_persona_that_is_not_held_is_refused(adams: User) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(adams).post(
        run_path(version), {"version": "1", "persona": "billing"}
    )
    assert page.status_code == 400
    assert not Run.objects.exists()


def test_without_an_approved_version_the_button_is_grey(ada: User) -> None:
    version = make_version(Status.DRAFT)
    page = as_reader(ada).get(f"/notebooks/{version.notebook.slug}/")
    assert "Only an approved version runs on real data." in text(page)
    assert as_reader(ada).get(run_path(version)).status_code == 403


def test_a_reviewer_without_persona_reads_why(ravi: User) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(ravi).get(run_path(version))
    assert page.status_code == 403
    assert "You hold no persona" in text(page)


def test_a_stranger_does_not_learn_that_it_exists(nora: User) -> None:
    version = make_version(Status.APPROVED)
    client = as_reader(nora)
    for path in (
        run_path(version),
        version_path(version),
        version_path(version, "preview/"),
        f"/notebooks/{version.notebook.slug}/",
        f"/notebooks/{version.notebook.slug}/access/",
    ):
        assert client.get(path).status_code == 404, path


def test_a_preview_offers_every_persona(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    page = as_reader(ravi).get(version_path(version, "preview/"))
    labels = [
        label for _, label in page.context["forms"].launch.fields["persona"].choices
    ]
    assert {"Doctor", "Billing", "Laboratory"} <= set(labels)


def test_an_approved_version_is_not_previewed(ravi: User) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(ravi).get(version_path(version, "preview/"))
    assert "Only drafts and versions under review are previewed." in text(page)


def test_changing_parameters_starts_from_the_earlier_run(adams: User) -> None:
    data = ipynb(parameters='unit: str = "mg"  # choices: mg, g\nmonths: int = 3')
    version = make_version(Status.APPROVED, data=data)
    run = make_run(version, adams, "succeeded", parameters={"months": 9})
    page = as_reader(adams).get(f"{run_path(version)}?from={run.pk}")
    assert page.context["forms"].parameters["months"].value() == 9


@pytest.mark.parametrize("asked", ["", "nonsense", "0" * 32])
def test_an_earlier_run_that_is_not_ones_own_changes_nothing(
    adams: User, asked: str
) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(adams).get(f"{run_path(version)}?from={asked}")
    assert page.context["forms"].parameters["months"].value() == 12


def test_a_notebook_that_waits_for_input_offers_its_live_page_only(adams: User) -> None:
    data = ipynb("import ipython_blocking", "%block button")
    version = make_version(Status.APPROVED, data=data)
    client = as_reader(adams)
    page = client.get(run_path(version))
    assert "Open the live page" in text(page)
    assert "without controls" not in text(page)
    sent = {"version": "1", "persona": "doctor", "purpose": "treatment"}
    refused = client.post(run_path(version), sent)
    assert refused.status_code == 409
    assert "waits for input: open its live page" in text(refused)
    assert not Run.objects.exists()
