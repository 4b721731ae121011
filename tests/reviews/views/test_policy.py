"""The page on which compliance chooses how many peers must approve."""

import pytest

from accounts.models import User
from gallery.workflow import Status
from reviews.models import ReviewPolicy
from reviews.policies import peers_required
from tests.factories.gallery import make_version
from tests.pages import as_reader, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def light() -> ReviewPolicy:
    return ReviewPolicy.objects.get(name="One peer")


def test_compliance_chooses_a_policy(carol: User, light: ReviewPolicy) -> None:
    notebook = make_version(Status.APPROVED).notebook
    page = as_reader(carol).post(
        f"/notebooks/{notebook.slug}/policy/", {"policy": light.pk}, follow=True
    )
    assert "1 peer approval, then the signature of compliance" in text(page)
    assert peers_required(notebook) == 1


def test_the_author_reads_why_not(ada: User, light: ReviewPolicy) -> None:
    notebook = make_version(Status.APPROVED).notebook
    path = f"/notebooks/{notebook.slug}/policy/"
    page = as_reader(ada).get(path)
    assert "Only a compliance officer chooses the review policy." in text(page)
    refused = as_reader(ada).post(path, {"policy": light.pk})
    assert refused.status_code == 403
    assert peers_required(notebook) == 2


def test_the_bar_is_not_moved_during_a_review(carol: User, light: ReviewPolicy) -> None:
    notebook = make_version(Status.IN_REVIEW).notebook
    path = f"/notebooks/{notebook.slug}/policy/"
    refused = as_reader(carol).post(path, {"policy": light.pk})
    assert refused.status_code == 409
    assert "the bar is not moved" in text(refused)


def test_no_choice_is_no_change(carol: User, light: ReviewPolicy) -> None:
    notebook = make_version(Status.APPROVED).notebook
    page = as_reader(carol).post(f"/notebooks/{notebook.slug}/policy/", {"x": "1"})
    assert page.status_code == 400
    assert "Choose one of the policies." in text(page)
