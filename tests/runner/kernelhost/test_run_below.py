"""Clicks on buttons of `%blockrun`, and the cells that they want run."""

import pytest

from runner.kernelhost.run_below import JAVASCRIPT, RunBelow, asks_to_run_below

ASKING = {"data": {"application/javascript": JAVASCRIPT, "text/plain": "<…>"}}


@pytest.fixture
def below() -> RunBelow:
    made = RunBelow()
    made.waits(2)
    made.clicked("first", current=2)
    return made


def test_the_first_click_wants_nothing(below) -> None:
    assert not below.is_wanted
    with pytest.raises(ValueError, match="nothing is wanted"):
        below.start()


def test_the_second_wants_what_is_below_the_cell_that_waited(below) -> None:
    below.clicked("first", current=None)
    assert below.is_wanted
    assert below.start() == 3


def test_clicks_before_the_cells_begin_are_one(below) -> None:
    below.clicked("first", current=None)
    below.start()
    below.clicked("first", current=3)
    below.has_begun()
    assert not below.is_wanted


def test_a_click_after_they_began_is_another(below) -> None:
    below.clicked("first", current=None)
    below.start()
    below.has_begun()
    below.clicked("first", current=5)
    below.has_begun()
    assert below.start() == 3


def test_of_two_buttons_the_upper_one_counts(below) -> None:
    below.waits(6)
    below.clicked("second", current=6)
    below.clicked("second", current=None)
    below.clicked("first", current=None)
    assert below.start() == 3


def test_a_button_above_is_not_answered_by_cells_that_start_below_it(below) -> None:
    below.waits(6)
    below.clicked("second", current=6)
    below.clicked("second", current=None)
    assert below.start() == 7
    below.clicked("first", current=7)
    below.has_begun()
    assert below.start() == 3


def test_a_button_that_no_cell_knows_is_that_of_the_cell_that_waited_last() -> None:
    below = RunBelow()
    below.waits(1)
    below.waits(4)
    below.clicked("late", current=None)
    assert below.start() == 5


def test_a_click_that_nothing_waited_for_runs_all_but_the_first_cell() -> None:
    below = RunBelow()
    below.clicked("late", current=None)
    assert below.start() == 1


def test_only_that_script_asks_for_it() -> None:
    assert asks_to_run_below("display_data", ASKING)
    assert not asks_to_run_below("execute_result", ASKING)
    other = {"data": {"application/javascript": f"{JAVASCRIPT};"}}
    assert not asks_to_run_below("display_data", other)
    for content in ({}, {"data": None}, {"data": {"text/plain": JAVASCRIPT}}):
        assert not asks_to_run_below("display_data", content)
