"""A kernel host that says what a test wrote down, so that its worker can be tested alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from runner import execution
from runner.models import Run

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
FINISHED = {
    "event": "finished",
    "status": "succeeded",
    "error": None,
    "notebook": NOTEBOOK,
}


def statement(number: int) -> dict[str, Any]:
    return {"event": "statement", "text": f"SELECT {number} -- CANARY", "rows": number}


class Host:
    """A kernel host that says what the test wrote down, then does what it says."""

    def __init__(self, *script: Any) -> None:
        self.script = script

    def __call__(self, *_: Any) -> "Host":
        return self

    def events(self, *, timeout_s: float) -> Iterator[dict[str, Any] | None]:
        yield {"event": "accepted", "evidence": {}}
        for line in self.script:
            if isinstance(line, BaseException):
                raise line
            if callable(line):
                line()
                continue
            yield line

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def execute(
    run: Run, monkeypatch: pytest.MonkeyPatch, *script: Any, tick_s: float = 0.0
) -> Run:
    monkeypatch.setattr(execution, "execute_on_host", Host(*script))
    monkeypatch.setattr(execution, "TICK_S", tick_s)
    execution.execute(run.pk)
    return Run.objects.get(pk=run.pk)
