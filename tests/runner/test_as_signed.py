"""A cell is left to live pages only where reviewers were told that it is."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from gallery.findings.waiting import LEFT_OUT_CODE, LIVE_TAG
from gallery.models import Version
from runner import execution
from runner.models import Run
from runner.results.vault import seal, unseal
from tests.runner.launching import approved, launch

pytestmark = [
    pytest.mark.security,
    pytest.mark.usefixtures("committed_db", "kernel_host", "data_cluster"),
]
TOLD = {
    "code": LEFT_OUT_CODE,
    "severity": "info",
    "message": "",
    "cell": 1,
    "line": None,
}


def version_with(*findings: dict[str, Any]) -> Version:
    sources = "print('always')", "print('when', 'asked')"
    return approved(*sources, tags=[LIVE_TAG], findings=list(findings))


def executed(version: Version, by: User) -> Run:
    run = launch(version, by)
    execution.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "succeeded", run.error
    return run


def sealing(run: Run, part: str) -> dict[str, Any]:
    return {"keys": settings.RESULT_KEYS, "associated": f"{run.pk}/{part}"}


def shown(run: Run) -> str:
    return unseal(bytes(run.result.html), **sealing(run, "html")).decode()


@pytest.mark.parametrize(("findings", "cells"), [([], 2), ([TOLD], 1)])
def test_a_version_from_before_the_tag_had_a_meaning_runs_all_that_was_signed(
    adams: User, findings: list[dict[str, Any]], cells: int
) -> None:
    run = executed(version_with(*findings), adams)
    assert (run.cells_total, run.cells_done) == (cells, cells)
    assert ("when asked" in shown(run)) == (cells == 2)
    call_command("verify_run", str(run.pk))


def test_a_run_of_it_from_before_is_proven_too_and_a_tag_that_was_signed_stays_in_the_proof(
    adams: User,
) -> None:
    before, after = version_with(), version_with(TOLD)
    for version, changed in ((before, [LIVE_TAG]), (after, [])):
        run = executed(version, adams)
        sealed = sealing(run, "notebook")
        notebook = json.loads(unseal(bytes(run.result.notebook), **sealed))
        notebook["cells"][1]["metadata"]["tags"] = changed
        run.result.notebook = seal(json.dumps(notebook).encode(), **sealed)
        run.result.save(update_fields=["notebook"])
        if changed:
            call_command("verify_run", str(run.pk))
        else:
            with pytest.raises(CommandError, match="Cell 2 is not the approved one"):
                call_command("verify_run", str(run.pk))
