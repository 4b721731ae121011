"""The review policy and the review queue by script."""

from typing import Any

import pytest

from accounts.models import User
from audit.models import Event
from gallery.models import Notebook
from gallery.workflow import Status
from reviews.models import ReviewPolicy
from reviews.policies import peers_required
from tests.api import V1, as_person, codes, fields, is_problem
from tests.factories.gallery import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def light() -> ReviewPolicy:
    return ReviewPolicy.objects.get(name="One peer")


def path(notebook: Notebook) -> str:
    return f"{V1}/notebooks/{notebook.slug}/policy/"


def put(by: User, notebook: Notebook, **body: Any) -> Any:
    return as_person(by).put(path(notebook), body, format="json")


def test_compliance_chooses_among_the_policies(
    carol: User, light: ReviewPolicy
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    before = as_person(carol).get(path(notebook)).json()
    assert before == {
        "policy": None,
        "approvals_required": 2,
        "choices": [
            {
                "name": "One peer",
                "description": "For small changes to notebooks on anonymised data.",
                "peer_approvals": 1,
            },
            {
                "name": "Three peers",
                "description": ReviewPolicy.objects.get(name="Three peers").description,
                "peer_approvals": 3,
            },
        ],
        "blockers": [],
    }
    after = put(carol, notebook, policy="One peer")
    assert after.status_code == 200
    assert (after.json()["policy"], after.json()["approvals_required"]) == (
        "One peer",
        1,
    )
    event = Event.objects.latest("seq")
    assert (event.action, event.data["policy"]) == ("policy.assigned", "One peer")


@pytest.mark.security
@pytest.mark.parametrize("who", ["ada", "ravi", "adams", "iris"])
def test_nobody_else_moves_the_bar(request: Any, light: ReviewPolicy, who: str) -> None:
    notebook = make_version(Status.APPROVED).notebook
    person = request.getfixturevalue(who)
    refused = put(person, notebook, policy="One peer")
    assert is_problem(refused, 403)
    assert "not_a_compliance_officer" in codes(refused)
    told = as_person(person).get(path(notebook)).json()["blockers"]
    assert [blocker["code"] for blocker in told] == codes(refused)
    assert peers_required(notebook) == 2


def test_the_bar_is_not_moved_during_a_review(carol: User, light: ReviewPolicy) -> None:
    notebook = make_version(Status.IN_REVIEW).notebook
    refused = put(carol, notebook, policy="One peer")
    assert is_problem(refused, 409)
    assert codes(refused) == ["review_open"]
    assert peers_required(notebook) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "policy"),
        ({"policy": "Nobody"}, "policy"),
        ({"policy": None}, "policy"),
        ({"policy": "One peer", "peer_approvals": 0}, "peer_approvals"),
    ],
)
def test_no_choice_is_no_change(
    carol: User, light: ReviewPolicy, body: dict[str, Any], field: str
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    refused = put(carol, notebook, **body)
    assert is_problem(refused, 400)
    assert fields(refused) == [field]
    assert peers_required(notebook) == 2


def test_the_queue_has_what_waits_for_each(
    ada: User, ravi: User, carol: User, nora: User
) -> None:
    make_version(Status.IN_REVIEW, title="Ageing")
    make_version(Status.PEER_APPROVED, title="Beds")
    make_version(Status.DRAFT, title="Costs")

    def queue(person: User, which: str = "") -> list[str]:
        answer = as_person(person).get(f"{V1}/reviews/{which}")
        return [row["title"] for row in answer.json()["results"]]

    assert queue(ravi) == ["Ageing"]
    assert queue(carol) == ["Beds"]
    assert queue(ada) == queue(nora) == []
    assert queue(ada, "?queue=drafts") == ["Costs"]
    assert sorted(queue(ravi, "?queue=under_review")) == ["Ageing", "Beds"]
    assert queue(nora, "?queue=under_review") == []
    assert is_problem(as_person(ravi).get(f"{V1}/reviews/?queue=all"), 400)


def test_a_row_of_the_queue_says_how_far_it_is(carol: User) -> None:
    make_version(Status.PEER_APPROVED, title="Beds")
    (row,) = as_person(carol).get(f"{V1}/reviews/").json()["results"]
    assert (row["notebook"], row["number"], row["status"]) == (
        "beds",
        1,
        "peer_approved",
    )
    assert (row["created_by"], row["approvals"], row["approvals_required"]) == (
        "ada",
        2,
        2,
    )
