"""What a version may ask for beside every run's limits, and what a run then gets."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import User
from gallery.limits import (
    WORDS,
    InvalidLimits,
    clean_limits,
    limits_in_words,
    most_in_words,
    run_limits,
)
from gallery.models import Version
from gallery.presenters import changes_beside_code
from tests.gallery.uploads import create, first_version, upload

GIB = 1 << 30


@pytest.mark.parametrize("nothing", [None, "", "  ", "{}", {}, "null"])
def test_who_asks_for_nothing_gets_what_every_run_gets(nothing: Any, settings) -> None:
    assert clean_limits(nothing) == {}
    assert run_limits(Version(limits={})) == settings.RUN_LIMITS


def test_limits_are_taken_as_json_and_as_an_object() -> None:
    asked = {"memory_bytes": 2 * GIB, "wall_clock_s": 1800}
    assert clean_limits(asked) == asked
    assert clean_limits('{"wall_clock_s": 1800, "memory_bytes": 2147483648}') == asked


def test_every_limit_of_a_run_can_be_asked_for_up_to_its_most(settings) -> None:
    assert list(WORDS) == list(settings.RUN_LIMITS) == list(settings.RUN_LIMIT_BOUNDS)
    most = {name: high for name, (_, high) in settings.RUN_LIMIT_BOUNDS.items()}
    assert clean_limits(most) == most
    least = {name: low for name, (low, _) in settings.RUN_LIMIT_BOUNDS.items()}
    assert clean_limits(least) == least


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "Write the limits as"),
        ('"1800"', "Write the limits as"),
        ({"wall_clock": 1}, "There is no limit 'wall_clock'"),
        (
            {"wall_clock_s": "1800"},
            "wall_clock_s must be a whole number from 1 to 3600",
        ),
        ({"wall_clock_s": True}, "wall_clock_s must be a whole number"),
        ({"wall_clock_s": 1.5}, "wall_clock_s must be a whole number"),
        ({"wall_clock_s": None}, "wall_clock_s must be a whole number"),
        ({"wall_clock_s": 0}, "wall_clock_s must be a whole number"),
        ({"wall_clock_s": 3601}, "wall_clock_s must be a whole number"),
        ({"memory_bytes": 1}, "memory_bytes must be a whole number from 134217728"),
        ('{"outputs": NaN}', "outputs must be a whole number"),
    ],
)
def test_what_is_no_limit_is_refused_with_its_bounds(asked: Any, said: str) -> None:
    with pytest.raises(InvalidLimits, match=said):
        clean_limits(asked)


def test_every_wrong_limit_is_named_at_once() -> None:
    with pytest.raises(InvalidLimits) as refused:
        clean_limits({"outputs": 0, "processes": 0})
    assert [error.field for error in refused.value.errors] == ["limits", "limits"]


def test_a_run_gets_what_was_asked_and_the_usual_rest(settings) -> None:
    given = run_limits(Version(limits={"memory_bytes": 2 * GIB}))
    assert given == {**settings.RUN_LIMITS, "memory_bytes": 2 * GIB}


def test_a_lower_most_holds_for_what_was_approved_before(settings) -> None:
    version = Version(limits={"wall_clock_s": 3600})
    settings.RUN_LIMIT_BOUNDS = {**settings.RUN_LIMIT_BOUNDS, "wall_clock_s": (1, 900)}
    assert run_limits(version)["wall_clock_s"] == 900


def test_limits_read_as_a_person_would_say_them() -> None:
    version = Version(
        limits={
            "wall_clock_s": 1800,
            "cell_s": 45,
            "memory_bytes": 4 * GIB,
            "processes": 128,
            "output_bytes": 30_000_000,
            "outputs": 10_000,
        }
    )
    told = [(each.what, each.asked, each.usual) for each in limits_in_words(version)]
    assert told == [
        ("Longest run", "30 min", "10 min"),
        ("Longest cell", "45 s", "10 min"),
        ("Memory", "4 GiB", "1 GiB"),
        ("Processes", "128", "64"),
        ("Output of the run", "30.0 MB", "20.0 MB"),
        ("Outputs of the run", "10,000", "2,000"),
    ]


def test_the_form_says_the_most_that_is_given() -> None:
    assert most_in_words().startswith("wall_clock_s 3600, cell_s 3600, memory_bytes")


@pytest.mark.django_db
def test_what_a_version_asks_for_is_stored_and_part_of_its_digest(ada: User) -> None:
    usual = first_version(create(ada, title="Usual"))
    asked = first_version(
        create(ada, title="Long", upload=upload(limits='{"wall_clock_s": 1800}'))
    )
    assert (usual.limits, asked.limits) == ({}, {"wall_clock_s": 1800})
    assert usual.digest != asked.digest
    (change,) = changes_beside_code(usual, asked)
    assert change.what == "Limits"
    assert (change.before, change.after) == ("those of every run", "longest run 30 min")


@pytest.mark.django_db
@pytest.mark.security
def test_what_was_asked_for_cannot_be_raised_after_the_signature(ada: User) -> None:
    version = first_version(create(ada))
    with pytest.raises(DatabaseError), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(limits={"memory_bytes": 4 * GIB})
