"""What a notebook shows while it runs: collected, bounded, harmless, never in the way."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from runner import live_outputs
from runner.live_outputs import (
    ENOUGH,
    INTERACTIVE,
    LARGE,
    MAX_RUN_BYTES,
    LiveOutputs,
)
from runner.results.outputs import ERROR
from runner.results.parts import LivePart
from runner.results.widgets import VIEW_MIME
from tests.gallery.layouts import at, dashboard, in_view
from tests.runner.results.hostile import payloads
from tests.runner.results.notebooks import (
    code,
    error,
    markdown,
    notebook,
    png,
    stream,
)
from tests.runner.results.notebooks import shown as display

BEGUN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Worker:
    """Feeds events to a collector and keeps what it would have stored."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, executed: Any = None) -> None:
        self.stored: list[LivePart] = []
        self.live = LiveOutputs(uuid4(), executed or notebook(code(), code()))
        self.now = BEGUN
        monkeypatch.setattr(live_outputs, "append_outputs", self.append)

    def append(self, *, parts: list[LivePart], after: int, **_: Any) -> int | None:
        assert after == len(self.stored)
        self.stored += parts
        return len(self.stored)

    def say(self, event: str, cell: int = 0, **more: Any) -> None:
        self.live.take({"event": event, "cell": cell, **more}, now=self.now)

    def show(self, *outputs: dict[str, Any], cell: int = 0) -> list[str]:
        """Let a cell put out `outputs`; return what is shown of it a second later."""
        for output in outputs:
            self.say("output", cell, output=output)
        before, self.now = len(self.stored), self.now + SECOND
        self.live.show(now=self.now)
        return [part.html.decode() for part in self.stored[before:]]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker(monkeypatch)
    made.say("cell_started")
    return made


def text(length: int) -> dict[str, Any]:
    return stream("x" * length)


def test_nothing_is_shown_in_the_first_second(worker: Worker) -> None:
    worker.say("output", output=stream("first"))
    worker.live.show(now=BEGUN + SECOND - timedelta(milliseconds=1))
    assert worker.stored == []
    worker.live.show(now=BEGUN + SECOND)
    assert len(worker.stored) == 1


def test_it_is_shown_at_most_once_a_second(worker: Worker) -> None:
    worker.show(stream("first"))
    worker.say("output", output=stream("second"))
    worker.live.show(now=worker.now + SECOND / 2)
    assert len(worker.stored) == 1
    worker.live.show(now=worker.now + SECOND)
    assert len(worker.stored) == 2


def test_what_takes_long_to_show_is_shown_less_often(
    worker: Worker, monkeypatch
) -> None:
    moments = iter([0.0, 2.0, 2.0, 2.1])
    clock = SimpleNamespace(monotonic=lambda: next(moments))
    monkeypatch.setattr(live_outputs, "time", clock)
    worker.show(stream("first"))
    worker.say("output", output=stream("second"))
    pause = live_outputs.TIME_SHARE * 2 * SECOND
    worker.live.show(now=worker.now + pause - timedelta(milliseconds=1))
    assert len(worker.stored) == 1
    worker.live.show(now=worker.now + pause)
    assert len(worker.stored) == 2


def test_only_what_is_new_is_rendered(worker: Worker) -> None:
    assert "first" in worker.show(stream("first"))[0]
    (second,) = worker.show(stream("second"))
    assert "second" in second
    assert "first" not in second
    assert worker.show() == []


def test_text_of_one_stream_becomes_one_text(worker: Worker) -> None:
    shown = worker.show(stream("one "), stream("two "), stream("three"))
    assert shown[0].count("<pre>") == 1
    assert "one two three" in shown[0]


def test_streams_of_two_names_stay_apart(worker: Worker) -> None:
    (shown,) = worker.show(stream("out"), stream("warned", "stderr"), stream("out"))
    assert shown.count("<pre>") == 3


def test_words_stand_above_the_cell_that_they_belong_to(monkeypatch) -> None:
    executed = notebook(
        markdown("# Wards"), code(), markdown("Patients"), code(), markdown("The end")
    )
    worker = Worker(monkeypatch, executed)
    worker.say("cell_started", 1)
    shown = worker.show(stream("one"), cell=1)
    assert ["<h1>Wards</h1>" in shown[0], "one" in shown[1]] == [True, True]
    worker.say("cell_finished", 1)
    worker.say("cell_started", 3)
    (words,) = worker.show()
    assert "Patients" in words
    assert "The end" not in words


def test_a_cell_that_clears_what_it_showed_shows_all_of_it_anew(worker: Worker) -> None:
    worker.show(stream("10 %"))
    worker.say("outputs_cleared")
    assert "20 %" in worker.show(stream("20 %"))[0]
    assert [part.replaces for part in worker.stored] == [False, True]


def test_what_was_cleared_before_anybody_saw_it_is_never_shown(worker: Worker) -> None:
    worker.say("output", output=stream("10 %"))
    worker.say("outputs_cleared")
    (shown,) = worker.show(stream("20 %"))
    assert "10 %" not in shown
    assert [part.replaces for part in worker.stored] == [False]


def test_a_cell_that_clears_itself_and_is_silent_shows_nothing(worker: Worker) -> None:
    worker.show(stream("10 %"))
    worker.say("outputs_cleared")
    assert worker.show() == [""]
    assert worker.stored[-1].replaces


def test_an_updated_display_comes_with_all_that_its_cell_shows(worker: Worker) -> None:
    worker.show(stream("before"), display({"text/plain": "10 %"}))
    worker.say("output_updated", index=1, output=display({"text/plain": "20 %"}))
    (shown,) = worker.show()
    assert "before" in shown
    assert "20 %" in shown
    assert "10 %" not in shown
    assert worker.stored[-1].replaces


@pytest.mark.parametrize("index", [None, -1, 7, "0"])
def test_an_update_of_nothing_changes_nothing(worker: Worker, index: Any) -> None:
    worker.show(stream("before"))
    worker.say("output_updated", index=index, output=stream("x"))
    assert worker.show() == []


def test_a_large_output_is_left_for_the_end_and_that_is_said_once(
    worker: Worker,
) -> None:
    (shown,) = worker.show(stream("small", "stderr"), text(200_001))
    assert "small" in shown
    assert "xxx" not in shown
    assert LARGE in shown
    assert worker.show(text(200_001)) == []


def test_the_live_part_of_a_run_has_a_limit_and_then_one_note(worker: Worker) -> None:
    shown: list[str] = []
    for _ in range(MAX_RUN_BYTES // 150_000 + 5):
        shown += worker.show(text(150_000))
    assert sum(map(len, shown)) < MAX_RUN_BYTES + 1_000
    assert [ENOUGH in html for html in shown] == [False] * (len(shown) - 1) + [True]


def test_many_outputs_at_once_do_not_pass_the_limit(worker: Worker) -> None:
    many = [display({"text/plain": "x" * 100_000}) for _ in range(30)]
    assert [ENOUGH in html for html in worker.show(*many)] == [True]


def test_an_error_is_one_sentence(worker: Worker) -> None:
    (shown,) = worker.show(error("CANARY 4711"))
    assert ERROR in shown
    assert "CANARY" not in shown


@pytest.mark.security
def test_hostile_outputs_come_through_the_same_layers(monkeypatch) -> None:
    for name, each in payloads("http://evil.example").items():
        worker = Worker(monkeypatch, notebook(*each["cells"], code()))
        last = len(each["cells"])
        worker.say("cell_started", last)
        outputs = [out for cell in each["cells"] for out in cell.get("outputs", [])]
        shown = "".join(worker.show(*outputs, cell=last)).lower()
        for tag in ("<script", "<iframe", "<svg", "<link", "<meta", "<style", "<form"):
            assert tag not in shown, name
        assert 'src="http' not in shown, name
        assert "cs-again" not in shown, name


def test_a_fault_in_rendering_ends_the_live_part_and_nothing_else(
    worker: Worker, monkeypatch, caplog
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError("CANARY 4711")

    monkeypatch.setattr(live_outputs, "render", broken)
    assert worker.show(stream("CANARY 4711")) == []
    assert "run.live_outputs_failed" in caplog.text
    assert "CANARY" not in caplog.text
    monkeypatch.undo()
    monkeypatch.setattr(live_outputs, "append_outputs", worker.append)
    assert worker.show(stream("more")) == []


def test_a_run_that_is_no_longer_ours_gets_no_more(worker: Worker, monkeypatch) -> None:
    monkeypatch.setattr(live_outputs, "append_outputs", lambda **_: None)
    worker.show(stream("late"))
    monkeypatch.setattr(live_outputs, "append_outputs", worker.append)
    assert worker.show(stream("later")) == []


def test_pictures_are_numbered_through_all_parts(worker: Worker) -> None:
    picture = display({"image/png": png()})
    assert 'alt="Figure 1"' in worker.show(picture)[0]
    assert 'alt="Figure 2"' in worker.show(picture)[0]


def test_a_widget_is_said_to_follow_in_its_place(worker: Worker) -> None:
    widget = display({VIEW_MIME: {"model_id": "7"}, "text/plain": "IntSlider(value=3)"})
    (shown,) = worker.show(stream("before"), widget, stream("after"))
    assert shown.index("before") < shown.index(INTERACTIVE) < shown.index("after")
    assert "left out" not in shown
    assert "IntSlider" not in shown


def test_a_widget_that_brings_a_picture_shows_it_meanwhile(worker: Worker) -> None:
    view = {VIEW_MIME: {"model_id": "7"}, "image/png": png(), "text/plain": "Canvas"}
    (shown,) = worker.show(display(view))
    assert "Figure 1" in shown
    assert INTERACTIVE not in shown


def test_what_no_result_will_show_is_left_out_meanwhile_too(worker: Worker) -> None:
    (shown,) = worker.show(display({"application/vnd.plotly.v1+json": {}}))
    assert "left out" in shown
    assert INTERACTIVE not in shown


def test_what_the_layout_hides_is_not_shown_meanwhile_unless_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = [
        markdown("hidden words", metadata=in_view({"hidden": True})),
        code(metadata=in_view({"hidden": True})),
        markdown("seen words", metadata=in_view(at(0, 0))),
        code(metadata=in_view(at(2, 0))),
    ]
    worker = Worker(monkeypatch, notebook(*cells, metadata=dashboard()))
    worker.say("cell_started", 1)
    assert worker.show(stream("secret steps"), cell=1) == []
    (told,) = worker.show(error("ValueError"), cell=1)
    assert ERROR in told
    worker.say("cell_finished", 1)
    worker.say("cell_started", 3)
    words, shown = worker.show(stream("seen"), cell=3)
    assert "seen words" in words
    assert "hidden words" not in words
    assert "seen" in shown
    assert "secret" not in "".join(part.html.decode() for part in worker.stored)
