"""A live session through queue, worker, kernel host and streams; only the page is played."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Session, User
from audit.models import Event
from gallery.findings.widgets import CODE
from gallery.models import Version
from runner.models import Run, WidgetEventBatch
from runner.results.batches import opened
from runner.results.reading import associated
from runner.results.replay import view_step
from runner.results.vault import unseal
from runner.services import cancel_run, request_run
from runner.services.requests import Launch
from runner.sessions.streams import Said, in_key, out_key
from runner.workflow import Queue
from tests.runner.kernelhost.test_live import WIDGETS
from tests.runner.launching import COUNT_PATIENTS, approved, wait_for_end
from tests.runner.sessions.web_side import WebSide, data_of, model_id
from tests.support.signing_in import sign_in

pytestmark = pytest.mark.usefixtures("kernel_host", "data_cluster")

ASKED = ("LabelModel", "OutputModel")


def widgets(*sources: str, **fields: Any) -> Version:
    """An approved version whose readers use its widgets."""
    findings = [
        {"code": CODE, "severity": "info", "message": "", "cell": None, "line": None}
    ]
    return approved(*sources, findings=findings, **fields)


def open_live(version: Version, by: User) -> Run:
    """Ask for a live session."""
    sign_in(by)
    return request_run(
        notebook=version.notebook,
        launch=Launch(),
        by=by,
        now=timezone.now(),
        queue=Queue.INTERACTIVE,
    )


def events_of(run: Run) -> list[dict]:
    """What the record says that readers did."""
    batches = WidgetEventBatch.objects.filter(run=run)
    opened = [
        unseal(
            bytes(each.sealed), keys=settings.RESULT_KEYS, associated=each.associated
        )
        for each in batches
    ]
    return [event for batch in opened for event in json.loads(batch)]


def end_of(run: Run) -> Event:
    """The event of the run's end."""
    return Event.objects.filter(
        action__startswith="run.", data__has_key="rows_read"
    ).latest("pk")


@pytest.fixture(autouse=True)
def _ended(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[None]:
    """A worker that ends soon what nobody looks at; what a test left open is ended after it."""
    monkeypatch.setenv("LIVE_DISCONNECTED_S", "10")
    request.getfixturevalue("celery_worker")
    yield
    Run.objects.filter(finished_at=None).update(cancel_requested_at=timezone.now())
    deadline = time.monotonic() + 20
    while Run.objects.filter(finished_at=None).exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def test_a_reader_moves_a_slider_and_the_session_leaves_its_record(adams: User) -> None:
    run = open_live(widgets(WIDGETS, "print('shown')"), adams)
    page = WebSide(run)
    assert page.until_cell(cell=1, change="append")["output"]["text"] == "shown\n"
    states = page.connect()
    slider, label = model_id(states, "IntSliderModel"), model_id(states, "LabelModel")
    moved = page.move(slider, value=8)
    told = page.until(
        lambda frame: data_of(frame).get("state", {}).get("value") == "at 8"
    )
    assert (told.content["comm_id"], told.parent_header["msg_id"]) == (label, moved)
    page.send(Said.END)
    ended = wait_for_end(run.pk)
    assert (ended.status, ended.error["code"]) == ("cancelled", "signed_out")
    [event] = events_of(run)
    assert (event["comm_id"], event["model"], event["values"]) == (
        slider,
        "IntSliderModel",
        {"value": 8},
    )
    notebook = json.loads(
        unseal(
            bytes(ended.result.notebook),
            keys=settings.RESULT_KEYS,
            associated=associated(ended, "notebook"),
        )
    )
    saved = notebook["metadata"]["widgets"][
        "application/vnd.jupyter.widget-state+json"
    ]["state"]
    assert (saved[slider]["state"]["value"], saved[label]["state"]["value"]) == (
        8,
        "at 8",
    )
    before, after = (
        view_step(run=ended, step=step, by=adams, now=timezone.now()).decode()
        for step in (0, 1)
    )
    assert ("at 3" in before, "at 8" in before) == (True, False)
    assert ("at 3" in after, "at 8" in after) == (False, True)
    assert "shown" in before


@pytest.mark.security
def test_what_its_author_declared_sensitive_is_nowhere_kept(adams: User) -> None:
    """The kernel answers it; record, replay and result tell that it was used, and not for what."""
    form = (
        "import ipywidgets\n"
        "number = ipywidgets.IntText(description='Number')\n"
        "seen = ipywidgets.Label('waiting')\n"
        "shown = ipywidgets.Output()\n"
        "def taken(_):\n"
        "    seen.value = 'taken'\n"
        "    with shown:\n"
        "        display(number)\n"
        "    display(number)\n"
        "number.observe(taken, 'value')\n"
        "display(number, seen, shown)\n"
    )
    declared = {"countersign": {"sensitive_widgets": ["Number"]}}
    run = open_live(widgets(form, metadata=declared), adams)
    page = WebSide(run)
    page.until_cell(cell=0, change="finished")
    states = page.connect()
    page.move(model_id(states, "IntTextModel"), value=87_654_321)
    page.until(lambda frame: data_of(frame).get("state", {}).get("value") == "taken")
    page.send(Said.LEAVE)
    ended = wait_for_end(run.pk)
    assert ended.status == "succeeded"
    [event] = events_of(run)
    assert (event["values"], event["withheld"]) == ({}, ["value"])
    batches = [*run.page_change_batches.all(), *run.widget_event_batches.all()]
    replayed = view_step(run=ended, step=1, by=adams, now=timezone.now()).decode()
    assert "kept to whoever typed it" in replayed
    assert "taken" in replayed
    result = [
        unseal(
            bytes(getattr(ended.result, part)),
            keys=settings.RESULT_KEYS,
            associated=associated(ended, part),
        ).decode()
        for part in ("notebook", "html")
    ]
    kept = f"{[opened(each) for each in batches]} {replayed} {result}"
    assert "87654321" not in kept


def test_a_page_that_comes_later_is_shown_everything_once(adams: User) -> None:
    run = open_live(widgets(WIDGETS, "print('shown')", "input_done = True"), adams)
    first = WebSide(run)
    first.until_cell(cell=2, change="finished")
    second = WebSide(run)
    second.until_cell(cell=2, change="finished")
    told = [frame.content for frame in second.heard if frame.msg_type == "cell_outputs"]
    texts = [
        each["output"].get("text")
        for each in told
        if each["change"] == "append" and each["cell"] == 1
    ]
    assert texts == ["shown\n"]
    slider = model_id(second.connect(), "IntSliderModel")
    first.move(slider, value=5)
    second.until(lambda frame: data_of(frame).get("state", {}).get("value") == "at 5")


def test_a_page_learns_of_widgets_while_the_kernel_is_busy(adams: User) -> None:
    run = open_live(widgets(WIDGETS, "import time\ntime.sleep(60)"), adams)
    page = WebSide(run)
    page.until_cell(cell=1, change="started")
    began = time.monotonic()
    assert model_id(page.connect(), "IntSliderModel")
    assert time.monotonic() - began < 10


def test_a_widget_that_is_filled_as_it_is_made_is_told_whole(adams: User) -> None:
    made = "slider = ipywidgets.IntSlider(value=3)\nslider.value = 9\nprint('made')"
    run = open_live(
        widgets("import ipywidgets, time\ntime.sleep(3)", made, "slider.value = 10"),
        adams,
    )
    page = WebSide(run)
    page.until_cell(cell=1, change="append")
    page.until_cell(cell=2, change="finished")
    sliders = [
        frame
        for frame in page.heard
        if data_of(frame).get("state", {}).keys() & {"value"}
    ]
    assert [frame.msg_type for frame in sliders] == ["comm_open", "comm_msg"]
    values = [data_of(frame)["state"]["value"] for frame in sliders]
    assert values == [9, 10]


@pytest.mark.security
def test_a_page_that_asks_each_widget_is_told_while_the_kernel_is_busy(
    adams: User,
) -> None:
    """Front ends do so when all widgets at once took them too long; a kernel has no time for it."""
    failing = (
        "out = ipywidgets.Output()\nwith out: raise RuntimeError('secret_formula')"
    )
    run = open_live(widgets(WIDGETS + failing, "import time\ntime.sleep(60)"), adams)
    page = WebSide(run)
    page.until_cell(cell=1, change="started")
    states = page.connect()
    told = {name: page.ask(model_id(states, name)) for name in ASKED}
    assert told["LabelModel"]["value"] == "at 3"
    (output,) = told["OutputModel"]["outputs"]
    assert output["ename"] == "Error"
    assert "secret_formula" not in str(page.heard)


def test_a_reader_s_own_rows_are_read(adams: User, baker: User) -> None:
    version = widgets(WIDGETS, COUNT_PATIENTS)
    counts = set()
    for person in (adams, baker):
        page = WebSide(open_live(version, person))
        counts.add(page.until_cell(cell=1, change="append")["output"]["text"])
    assert len(counts) == 2


@pytest.mark.security
def test_what_the_web_process_should_have_refused_is_refused_by_the_worker(
    adams: User,
) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.until_cell(cell=0, change="finished")
    states = page.connect()
    slider = model_id(states, "IntSliderModel")
    page.say("execute_request", {"code": "print('through')"})
    page.send(Said.FRAME, b"garbage")
    refused = page.move(slider, max=10_000)
    page.until(
        lambda frame: (
            frame.msg_type == "status" and frame.parent_header.get("msg_id") == refused
        )
    )
    page.move(slider, value=6)
    page.until(lambda frame: data_of(frame).get("state", {}).get("value") == "at 6")
    assert "through" not in str(page.heard)
    assert len(events_of_soon(run)) == 1


def events_of_soon(run: Run) -> list[dict]:
    """The record, once it was kept."""
    deadline = time.monotonic() + 10
    while not (found := events_of(run)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.mark.security
def test_an_entry_that_was_not_sealed_here_is_passed_over(adams: User) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.until_cell(cell=0, change="finished")
    states = page.connect()
    page.client.xadd(in_key(run.pk), {b"e": b"x" * 60})
    page.client.xadd(in_key(run.pk), {b"other": b""})
    page.move(model_id(states, "IntSliderModel"), value=6)
    page.until(lambda frame: data_of(frame).get("state", {}).get("value") == "at 6")


@pytest.mark.security
def test_it_ends_within_seconds_of_the_sign_out(adams: User) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.connect()
    Session.objects.filter(person=adams).delete()
    began = time.monotonic()
    page.until(lambda frame: frame.content.get("execution_state") == "dead", within_s=5)
    ended = wait_for_end(run.pk)
    assert (ended.status, ended.error["code"]) == ("cancelled", "signed_out")
    assert time.monotonic() - began < 5


@pytest.mark.security
def test_it_ends_within_seconds_of_the_end_of_the_approval(adams: User) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.connect()
    Version.objects.filter(pk=run.version_id).update(
        status="revoked", ended_at=timezone.now(), end_reason="test"
    )
    page.until(lambda frame: frame.content.get("execution_state") == "dead", within_s=5)
    assert wait_for_end(run.pk).error["code"] == "approval_ended"


def test_it_ends_when_nobody_looks_any_more(adams: User) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.connect()
    page.send(Said.LEAVE)
    ended = wait_for_end(run.pk)
    assert (ended.status, ended.error) == ("succeeded", None)
    assert end_of(run).data["ended_by"] == "left"
    assert not page.client.exists(in_key(run.pk))


def test_a_dead_kernel_is_told_to_the_page(adams: User) -> None:
    fatal = "import os\nslider.observe(lambda _: os._exit(1), 'value')"
    run = open_live(widgets(WIDGETS, fatal), adams)
    page = WebSide(run)
    page.until_cell(cell=1, change="finished")
    page.move(model_id(page.connect(), "IntSliderModel"), value=4)
    page.until(lambda frame: frame.content.get("execution_state") == "dead")
    assert wait_for_end(run.pk).status == "kernel_died"


def test_a_reader_of_somebody_else_s_code_is_told_no_traceback(adams: User) -> None:
    run = open_live(
        widgets(
            WIDGETS,
            "secret_formula = 1\nprint('x', file=__import__('sys').stderr)\n1/0",
        ),
        adams,
    )
    page = WebSide(run)
    page.until(lambda frame: frame.content.get("execution_state") == "dead")
    assert "secret_formula" not in str(page.heard)
    assert "ZeroDivisionError" not in str(page.heard)
    assert run.incident in str(page.heard)


def test_who_ends_it_has_not_cancelled_it(adams: User) -> None:
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.until_cell(cell=0, change="finished")
    page.connect()
    cancel_run(run=run, by=adams, now=timezone.now())
    ended = wait_for_end(run.pk)
    assert (ended.status, ended.error, end_of(run).data["ended_by"]) == (
        "succeeded",
        None,
        "reader",
    )


def test_the_broker_may_go_and_come_back(adams: User) -> None:
    """What is written meanwhile is lost, a page sees the gap and is shown everything anew."""
    run = open_live(widgets(WIDGETS), adams)
    page = WebSide(run)
    page.until_cell(cell=0, change="finished")
    page.client.delete(in_key(run.pk), out_key(run.pk))
    again = WebSide(run)
    again.until_cell(cell=0, change="finished")
    again.move(model_id(again.connect(), "IntSliderModel"), value=2)
    again.until(lambda frame: data_of(frame).get("state", {}).get("value") == "at 2")
