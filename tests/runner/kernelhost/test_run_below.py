"""Clicks on buttons of `%blockrun`, and the cells that they want run."""

import pytest

from runner.kernelhost.run_below import JAVASCRIPT, RunBelow, asks_to_run_below

ASKING = {"data": {"application/javascript": JAVASCRIPT, "text/plain": "<…>"}}


@pytest.fixture
def below() -> RunBelow:
    """Seven cells, of which the third waited for a button and the sixth is no code."""
    made = RunBelow([0, 1, 2, 3, 4, 6])
    made.waits(2)
    made.clicked("first", current=2)
    return made


def test_the_first_click_wants_nothing(below) -> None:
    assert not below.is_wanted


def test_the_second_wants_what_is_below_the_cell_that_waited(below) -> None:
    below.clicked("first", current=None)
    assert below.is_wanted
    assert below.wanted() == (3, 4, 6)


def test_clicks_before_the_cells_begin_are_one(below) -> None:
    below.clicked("first", current=None)
    below.clicked("first", current=3)
    below.begins(3)
    assert not below.is_wanted


def test_a_second_click_before_the_first_pass_goes_on_is_answered_by_it(below) -> None:
    below.clicked("first", current=2)
    below.begins(3)
    assert not below.is_wanted


def test_a_click_after_they_began_is_another(below) -> None:
    below.clicked("first", current=None)
    below.begins(3)
    below.clicked("first", current=4)
    below.begins(4)
    assert below.wanted() == (3, 4, 6)


def test_of_two_buttons_the_upper_one_counts(below) -> None:
    below.waits(4)
    below.clicked("second", current=4)
    below.clicked("second", current=None)
    assert below.wanted() == (6,)
    below.clicked("first", current=None)
    assert below.wanted() == (3, 4, 6)


def test_a_button_above_is_not_answered_by_cells_that_start_below_it(below) -> None:
    below.waits(4)
    below.clicked("second", current=4)
    below.clicked("second", current=None)
    below.clicked("first", current=6)
    below.begins(6)
    assert below.wanted() == (3, 4, 6)


def test_a_button_below_which_nothing_is_executed_wants_nothing(below) -> None:
    below.waits(6)
    below.clicked("last", current=6)
    below.clicked("last", current=None)
    assert not below.is_wanted


def test_a_button_that_no_cell_knows_is_that_of_the_cell_that_waited_last() -> None:
    below = RunBelow(range(7))
    below.waits(1)
    below.waits(4)
    below.clicked("late", current=None)
    assert below.wanted() == (5, 6)


def test_a_click_that_nothing_waited_for_runs_all_but_the_first_cell() -> None:
    below = RunBelow(range(3))
    below.clicked("late", current=None)
    assert below.wanted() == (1, 2)


def test_only_that_script_asks_for_it() -> None:
    assert asks_to_run_below("display_data", ASKING)
    assert not asks_to_run_below("execute_result", ASKING)
    other = {"data": {"application/javascript": f"{JAVASCRIPT};"}}
    assert not asks_to_run_below("display_data", other)
    for content in ({}, {"data": None}, {"data": {"text/plain": JAVASCRIPT}}):
        assert not asks_to_run_below("display_data", content)
