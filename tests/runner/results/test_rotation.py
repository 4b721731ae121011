"""After a rotation the old key is not needed for anything that is stored."""

import os

import pytest
from django.core.management import CommandError, call_command

from runner.results.expiry import expire_results
from runner.results.reading import view_result
from runner.results.rotation import rotate_keys
from tests.runner.results.finished import NOW, again, events, finished_run
from tests.runner.results.test_looks import AFTER

pytestmark = [pytest.mark.django_db, pytest.mark.security]


def test_results_open_with_the_new_key_alone(adams, settings):
    run = finished_run(adams)
    new = os.urandom(32)
    settings.RESULT_KEYS = [new, *settings.RESULT_KEYS]
    assert rotate_keys(now=NOW) == 1
    settings.RESULT_KEYS = [new]
    assert b"31 prescriptions" in view_result(run=again(run.pk), by=adams, now=NOW)
    assert [event.data["results"] for event in events("result.keys_rotated")] == [1]


def test_a_second_rotation_changes_nothing(adams):
    run = finished_run(adams)
    before = bytes(run.result.html)
    assert rotate_keys(now=NOW) == 0
    assert bytes(again(run.pk).result.html) == before
    assert events("result.keys_rotated") == []


def test_erased_results_are_passed_over(adams, settings):
    finished_run(adams)
    expire_results(now=NOW + AFTER)
    settings.RESULT_KEYS = [os.urandom(32)]
    assert rotate_keys(now=NOW) == 0


def test_the_command_says_when_a_key_is_missing(adams, settings):
    finished_run(adams)
    settings.RESULT_KEYS = [os.urandom(32)]
    with pytest.raises(CommandError, match="UnknownKey"):
        call_command("rotate_result_keys")


def test_the_command_says_what_it_did(adams, capsys):
    finished_run(adams)
    call_command("rotate_result_keys")
    assert "0 results moved" in capsys.readouterr().out
