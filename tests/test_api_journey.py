"""The whole promise by script: five steps over HTTP, from signed-in sessions alone."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.conf import settings

from audit.verify import verify_lines
from config.demo.hospital.build import people
from runner import sweep
from runner.access.identities import sync_identities
from tests.api import PASSWORD
from tests.factories.gallery import person
from tests.support.data import DataCluster
from tests.support.environment import REPOSITORY
from tests.support.fixtures import Site
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster"),
]
NOTEBOOK = REPOSITORY / "config" / "demo" / "notebooks" / "prescription-trends.ipynb"
CAST = ("ada", "ravi", "petra", "carol", "adams", "baker", "iris", "nora")
V1 = "notebooks/prescription-trends/versions/1/"
WAIT = {"Prefer": "wait=60"}
SCRIPT_TIMEOUT_S = 90

Script = httpx.Client
SignIn = Callable[[str], Script]


@pytest.fixture
def script(site: Site) -> Iterator[SignIn]:
    """Return `script(username)`: a client that signed in as the reference page says."""
    clients: list[Script] = []

    def signed_in(username: str) -> Script:
        client = httpx.Client(base_url=f"{site.url}/api/v1/", timeout=SCRIPT_TIMEOUT_S)
        clients.append(client)
        client.get("session/")
        credentials = {"username": username, "password": PASSWORD}
        answer = client.post(
            "session/", json=credentials, headers={"X-CSRFToken": token(client)}
        )
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRFToken"] = token(client)
        return client

    yield signed_in
    for client in clients:
        client.close()


def token(client: Script) -> str:
    return next(c.value or "" for c in client.cookies.jar if c.name == "csrftoken")


def done(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
def _identities(committed_db: None, data_cluster: DataCluster) -> Iterator[None]:
    """The data source knows the cast for this test, and its own people afterwards."""
    for name in CAST:
        person(name)
    sweep.sweep_identities(sources=settings.DATA_SOURCES.values())
    yield
    for dsns in data_cluster.dsns.values():
        sync_identities(dsns, people())


def submit(ada: Script) -> None:
    with NOTEBOOK.open("rb") as file:
        entry = {"title": "Prescription trends", "tags": "quality"}
        made = ada.post("notebooks/", data=entry, files={"file": file})
    assert done(made, 201)["slug"] == "prescription-trends"
    preview = ada.post(f"{V1}previews/", json={"persona": "doctor"}, headers=WAIT)
    assert done(preview, 200)["status"] == "succeeded"
    assert done(ada.post(f"{V1}submit/", json={}), 200)["status"] == "in_review"


def sign(script: SignIn) -> None:
    approve = {"decision": "approve", "comment": "Fine.", "password": PASSWORD}
    for peer in ("ravi", "petra"):
        reviewer = script(peer)
        waiting = done(reviewer.get("reviews/"), 200)["results"]
        assert [row["notebook"] for row in waiting] == ["prescription-trends"]
        seen = done(reviewer.get(V1), 200)["fingerprint"]
        done(reviewer.post(f"{V1}reviews/", json={**approve, "seen": seen}), 201)
    done(script("carol").post(f"{V1}sign-offs/", json=approve), 201)


def run_as(client: Script) -> str:
    """Launch, and return the result as a page."""
    asked = client.post("notebooks/prescription-trends/runs/", json={}, headers=WAIT)
    run = done(asked, 200)
    assert run["status"] == "succeeded", run["error"]
    executed = done(client.get(f"runs/{run['id']}/ipynb/"), 200)
    assert any(cell.get("outputs") for cell in executed["cells"])
    page = client.get(f"runs/{run['id']}/html/")
    assert page.headers["content-disposition"].startswith("attachment")
    return page.text


@pytest.mark.usefixtures("_identities")
def test_a_script_walks_the_whole_promise(
    script: SignIn, celery_worker: Process
) -> None:
    ada = script("ada")
    submit(ada)
    own = {"decision": "approve", "comment": "", "password": PASSWORD}
    refused = done(ada.post(f"{V1}reviews/", json=own), 403)
    assert "own_work" in [blocker["code"] for blocker in refused["blockers"]]
    sign(script)

    cardiology, oncology = run_as(script("adams")), run_as(script("baker"))
    assert "only the rows that you may see" in cardiology
    assert cardiology != oncology
    nora = script("nora")
    assert nora.get("notebooks/prescription-trends/").status_code == 404

    iris = script("iris")
    verdict = done(iris.get("audit/verify/"), 200)
    assert verdict["is_whole"] is True
    lines = iris.get("audit/export/").text.splitlines()
    assert verify_lines(lines).is_whole
    assert len(lines) >= verdict["checked"]
