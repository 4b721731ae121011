"""Logs: one line of JSON per record, that tells of which run and nothing of what it held."""

import contextvars
import json
import logging
import threading
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import User
from runner import logs
from runner.logs import about, about_from_here, formatter
from runner.models import Run
from tests.runner.launching import approved, launch, wait_for_end
from tests.support.fixtures import Site
from tests.support.processes import Process

CANARY = "CANARY-17-secret"


@pytest.fixture(autouse=True)
def _about_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have made requests in this thread, whose last id stays behind."""
    fresh = contextvars.ContextVar("log_about", default=())
    monkeypatch.setattr(logs, "_about", fresh)


def written(
    message: str, *args: object, name: str = "runner.execution", **more: Any
) -> dict[str, Any]:
    """What is written of one record."""
    record = logging.LogRecord(name, logging.INFO, __file__, 1, message, args, **more)
    line = formatter("json").format(record)
    assert "\n" not in line
    told: dict[str, Any] = json.loads(line)
    return told


def failure(error: Exception, cause: Exception | None = None) -> dict[str, Any]:
    """An exception that was raised, as a record carries it."""
    try:
        raise error from cause
    except type(error) as raised:
        return {"exc_info": (type(raised), raised, raised.__traceback__)}


def plain(message: str, *args: object, name: str = "x", **more: Any) -> dict[str, Any]:
    return written(message, *args, name=name, **{"exc_info": None, **more})


# One record ----------------------------------------------------------------------------


def test_a_record_of_ours_is_an_event_and_its_fields():
    told = plain("run.finished run_id=%s status=%s", "0c9c", "succeeded", name="runner")
    assert datetime.fromisoformat(told.pop("time")).utcoffset().total_seconds() == 0
    assert told == {
        "level": "INFO",
        "logger": "runner",
        "event": "run.finished",
        "run_id": "0c9c",
        "status": "succeeded",
    }


def test_a_class_without_a_name_is_the_error():
    told = plain("run.not_sealed run_id=%s %s", "0c9c", "OperationalError")
    assert (told["run_id"], told["error"]) == ("0c9c", "OperationalError")


def test_a_sentence_is_an_event_as_it_is():
    told = plain("kernel host is ready on /run/x=y\nand more")
    assert told["event"] == "kernel host is ready on /run/x=y\nand more"


def test_no_message_can_pass_for_another_level_or_time():
    told = plain("run.claimed level=DEBUG time=never event=else logger=other")
    assert (told["level"], told["event"]) == ("INFO", "run.claimed")
    assert (told["logger"], told["time"] == "never") == ("x", False)


def test_an_exception_is_its_classes_and_where_it_was_raised():
    error = failure(ValueError(CANARY), KeyError(f"{CANARY} too"))
    message = f"Task raised: ValueError('{CANARY}') ({CANARY})"
    told = plain(message, **error)
    assert CANARY not in json.dumps(told)
    assert told["error"] == "ValueError < KeyError"
    assert told["event"] == "Task raised: ValueError (ValueError)"
    (where,) = told["where"]
    assert where.startswith(f"{__file__}:")
    assert where.endswith(" failure")


def test_exceptions_that_caused_each_other_end():
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    told = plain("x", exc_info=(ValueError, first, None))
    assert told["error"] == "ValueError < KeyError"


def test_a_search_is_not_in_the_log_of_requests():
    line = ("127.0.0.1:1", "GET", f"/?q={CANARY}", "1.1", 200)
    told = plain('%s - "%s %s HTTP/%s" %d', *line, name="uvicorn.access")
    assert told["event"] == '127.0.0.1:1 - "GET / HTTP/1.1" 200'


def test_what_a_block_is_about_is_in_its_records_and_not_in_others():
    with about(run_id="0c9c"), about(request_id="r"):
        told = plain("x")
        elsewhere: list[dict[str, Any]] = []
        other = threading.Thread(target=lambda: elsewhere.append(plain("x")))
        other.start()
        other.join()
    assert (told["run_id"], told["request_id"]) == ("0c9c", "r")
    assert not {"run_id", "request_id"} & (elsewhere[0].keys() | plain("x").keys())


def test_the_next_request_of_a_thread_takes_the_name_over():
    def attempt() -> None:
        for name in ("first", "second"):
            about_from_here(request_id=name)
            assert plain("x")["request_id"] == name

    contextvars.copy_context().run(attempt)
    assert "request_id" not in plain("x")


def test_text_is_for_people_who_develop():
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "a %s", ("b",), None)
    assert formatter("text").format(record).endswith(" INFO x a b")


def test_the_records_of_a_request_bear_its_id(site: Site) -> None:
    begun = site.process.log.stat().st_size
    page = f"/nowhere-{uuid.uuid4().hex}/"
    for _ in range(2):
        sent = {"X-Request-Id": CANARY}
        found = httpx.get(f"{site.url}{page}?q={CANARY}", headers=sent)
        assert found.status_code in {302, 404}
    said = site.process.log.read_text()[begun:]
    assert CANARY not in said
    about_it = [json.loads(line) for line in said.splitlines() if page in line]
    ids = {line["request_id"] for line in about_it if "request_id" in line}
    assert len(ids) == 2, about_it


# A real run ----------------------------------------------------------------------------

FAILS = """
import sys
print("heard: " + word)
print(word, file=sys.stderr)
import psycopg
with psycopg.connect() as connection:
    connection.execute("SELECT %s", [word])
raise ValueError(word)
"""


def lines_about(log: Path, run: Run, since: int) -> list[dict[str, Any]]:
    """The records of a log about a run."""
    found = []
    for line in log.read_text(errors="replace")[since:].splitlines():
        if line.startswith("{"):
            told = json.loads(line)
            if str(told.get("run_id")).replace("-", "") == run.pk.hex:
                found.append(told)
    return found


@pytest.mark.security
def test_no_log_holds_a_parameter_or_what_a_notebook_said(
    celery_worker: Process, kernel_host: Process, data_cluster: object, adams: User
) -> None:
    logs = {"worker": celery_worker.log, "kernels": kernel_host.log}
    begun = {name: log.stat().st_size for name, log in logs.items()}
    canary = f"CANARY-{uuid.uuid4().hex}"
    version = approved(FAILS, parameters='word = "default"')
    run = wait_for_end(launch(version, adams, parameters={"word": canary}).pk)
    assert (run.status, run.error["exception"]) == ("failed", "ValueError"), run.error
    folder = kernel_host.log.parent
    for log in folder.glob("*.log"):
        assert canary not in log.read_text(errors="replace"), log.name
    told = {name: lines_about(log, run, begun[name]) for name, log in logs.items()}
    events = {name: [line["event"] for line in lines] for name, lines in told.items()}
    assert {"run.claimed", "run.finished"} <= set(events["worker"])
    assert "run.has_kernel" in events["kernels"]
