"""A notebook cannot erase its own evidence with outputs that nobody can show."""

import json
from typing import Any

import pytest
from django.conf import settings as configured

from accounts.models import User
from audit.models import Event
from runner import execution
from runner.models import Run, StatementBatch
from runner.results import unrendered, vault
from runner.results.rendering import Rendered
from runner.results.statements import statements_of
from runner.services import lifecycle
from tests.runner.launching import approved, launch
from tests.runner.results.notebooks import code, notebook, stream
from tests.runner.scripted_host import FINISHED, execute, statement

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.security]

SHOWN = notebook(code(stream("seen")))
ENDED = FINISHED | {"notebook": SHOWN, "rows_read": 12}
ASKED = [statement(number) for number in range(2)]


@pytest.fixture
def run(adams: User) -> Run:
    return launch(approved("1", data_sources=[]), adams)


def stored(run: Run, part: str) -> bytes:
    return vault.unseal(
        bytes(getattr(run.result, part)),
        keys=configured.RESULT_KEYS,
        associated=f"{run.pk}/{part}",
    )


def texts(run: Run) -> list[str]:
    return [each["text"] for each in statements_of(run)]


def never_rendered(*_: Any, **__: Any) -> None:
    raise RecursionError


def test_a_page_that_cannot_be_made_leaves_notebook_statements_and_rows(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "render", never_rendered)
    run = execute(run, monkeypatch, *ASKED, ENDED)
    assert (run.status, run.error["code"]) == ("failed", "result_not_rendered")
    assert run.rows_read == 12
    assert json.loads(stored(run, "notebook")) == SHOWN
    assert stored(run, "html") == unrendered.HTML
    assert texts(run) == [each["text"] for each in ASKED]


def test_a_page_that_cannot_be_sealed_leaves_them_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Rendered(html=b"x" * (vault.MAX_BYTES + 1), notes=[])
    monkeypatch.setattr(execution, "render", lambda *_, **__: page)
    run = execute(run, monkeypatch, *ASKED, ENDED)
    assert (run.status, run.error["code"]) == ("failed", "result_not_rendered")
    assert run.rows_read == 12
    assert json.loads(stored(run, "notebook")) == SHOWN
    assert texts(run) == [each["text"] for each in ASKED]
    ended = Event.objects.get(action="run.failed", target_id=str(run.pk))
    assert ended.data["rows_read"] == 12


def test_a_notebook_that_cannot_be_sealed_leaves_statements_and_rows(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = notebook(code(stream("x" * vault.MAX_BYTES)))
    monkeypatch.setattr(execution, "render", lambda *_, **__: Rendered(b"", []))
    run = execute(run, monkeypatch, *ASKED, ENDED | {"notebook": huge})
    assert (run.status, run.error["code"]) == ("failed", "result_not_rendered")
    assert run.rows_read == 12
    assert not hasattr(run, "result")
    assert texts(run) == [each["text"] for each in ASKED]


def test_statements_too_many_for_one_piece_stay_where_they_were_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "MAX_BYTES", 10)
    run = execute(run, monkeypatch, *ASKED, ENDED)
    assert run.status == "succeeded"
    assert StatementBatch.objects.exists()
    assert texts(run) == [each["text"] for each in ASKED]


def test_a_run_that_was_cancelled_stays_so_without_its_page(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "render", never_rendered)
    error = {"code": "timed_out"}
    run = execute(run, monkeypatch, ENDED | {"status": "timed_out", "error": error})
    assert (run.status, run.error["code"]) == ("timed_out", "timed_out")
    assert stored(run, "html") == unrendered.HTML
