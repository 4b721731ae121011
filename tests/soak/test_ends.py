"""What the soak takes for a fault of a run's end; a check that finds nothing would find nothing wrong."""

from collections import Counter
from typing import Any

import pytest

from tests.soak.ends import SoakedRun, faults
from tests.soak.notebooks import NOTEBOOKS

READS = next(each for each in NOTEBOOKS if each.reads)


def run(**different: Any) -> SoakedRun:
    """A run as it should be, but for what is given."""
    ended = str(different.get("status", "succeeded"))
    return SoakedRun(
        **{
            "id": "1",
            "title": READS.title,
            "owner": "adams",
            "status": ended,
            "code": "",
            "cells": (3, 3),
            "has_result": ended == "succeeded",
            "events": {"run.requested": 1, "run.starting": 1, f"run.{ended}": 1},
            "claims": 1,
            "kernels": 1,
            "reads": Counter(range(1, READS.reads + 1)),
            **different,
        }
    )


@pytest.mark.parametrize("status", ["succeeded", "lost", "failed", "cancelled"])
def test_one_end_is_no_fault(status: str) -> None:
    assert list(run(status=status).faults()) == []


def test_a_run_that_nobody_claimed_is_no_fault() -> None:
    events = {"run.requested": 1, "run.cancelled": 1}
    waited = run(status="cancelled", events=events, claims=0, kernels=0, reads={})
    assert list(waited.faults()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "running", "events": {"run.requested": 1}},
        {"events": {"run.requested": 1, "run.lost": 1, "run.succeeded": 1}},
        {"events": {"run.requested": 1, "run.succeeded": 2}},
        {"events": {"run.requested": 1, "run.failed": 1}},
        {"events": {"run.requested": 1}},
        {"events": {"run.succeeded": 1}},
        {"events": {"run.requested": 1, "run.starting": 2, "run.succeeded": 1}},
        {"claims": 2},
        {"kernels": 2},
        {"reads": Counter({1: 2, 2: 1, 3: 1})},
        {"reads": Counter({1: 1})},
        {"cells": (2, 3)},
        {"has_result": False},
        {"status": "lost", "has_result": True},
    ],
    ids=str,
)
def test_each_of_these_is_a_fault(wrong: dict[str, Any]) -> None:
    assert list(run(**wrong).faults())


def test_a_run_that_was_taken_and_is_gone_is_a_fault() -> None:
    assert faults([run()], {"1": READS.title}) == []
    assert faults([run()], {"2": READS.title}) == ["2: was taken, and is not there"]
