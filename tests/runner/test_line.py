"""Places in the line: fair among people, first come within one, and only a number."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status as VersionStatus
from runner import line
from runner.line import place_of, places_of, turns
from runner.models import Run
from runner.templatetags.runner_tags import ordinal
from runner.workflow import Queue, Status
from tests.factories.gallery import NOW, make_version
from tests.factories.runs import make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> Version:
    return make_version(VersionStatus.APPROVED)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Any:
    settings.RUNS_AT_ONCE_PER_PERSON = 2
    settings.RUNS_AT_ONCE_PER_VERSION = 100
    return settings


class Clock:
    """Each run is asked for a second after the one before."""

    def __init__(self, version: Version) -> None:
        self.version, self.seconds = version, 0

    def run(self, by: User, status: str = Status.QUEUED, **fields: Any) -> Run:
        self.seconds += 1
        now = NOW + timedelta(seconds=self.seconds)
        version = fields.pop("version", self.version)
        return make_run(version, by, status, now=now, **fields)


@pytest.fixture
def ask(version: Version) -> Clock:
    return Clock(version)


def numbers(runs: list[Run]) -> list[int]:
    places = places_of(runs)
    return [places[run.pk].number for run in runs]


def test_one_persons_runs_stand_as_they_came(ask: Clock, adams: User) -> None:
    assert numbers([ask.run(adams) for _ in range(3)]) == [1, 2, 3]


def test_fifty_runs_of_one_person_let_anothers_first_through_after_one(
    ask: Clock, adams: User, baker: User
) -> None:
    many = [ask.run(adams) for _ in range(50)]
    late = ask.run(baker)
    assert numbers([many[0], late, many[1]]) == [1, 2, 3]


def test_who_has_runs_going_stands_behind_who_has_none(
    ask: Clock, adams: User, baker: User
) -> None:
    ask.run(adams, Status.RUNNING)
    mine, late = ask.run(adams), ask.run(baker)
    assert numbers([late, mine]) == [1, 2]


def test_each_queue_is_a_line_of_its_own(ask: Clock, adams: User, baker: User) -> None:
    for _ in range(5):
        ask.run(adams, queue=Queue.BATCH)
    page = ask.run(baker, queue=Queue.PAGE)
    assert place_of(page) == line.Place(1)
    assert turns(Queue.PAGE) == [page.pk]


def test_who_has_reached_the_limit_is_passed_and_told_why(
    ask: Clock, adams: User, baker: User
) -> None:
    for status in (Status.STARTING, Status.RUNNING):
        ask.run(adams, status)
    held, late = ask.run(adams), ask.run(baker)
    assert place_of(held) == line.Place(
        2,
        "own_limit",
        "You have 2 runs going; this one starts when one of them ends.",
    )
    assert place_of(late) == line.Place(1)
    assert turns(Queue.BATCH) == [late.pk]


def test_a_full_version_is_passed_and_does_not_say_who_fills_it(
    ask: Clock, adams: User, baker: User, limits: Any
) -> None:
    limits.RUNS_AT_ONCE_PER_VERSION = 1
    for _ in range(2):
        ask.run(baker, Status.RUNNING)
    held = ask.run(adams)
    other = ask.run(adams, version=make_version(VersionStatus.APPROVED, title="Beds"))
    assert place_of(held) == line.Place(
        2,
        "version_limit",
        "This version has 1 run going; this one starts when it ends.",
    )
    assert turns(Queue.BATCH) == [other.pk]


@pytest.mark.parametrize("status", [Status.STARTING, Status.RUNNING, Status.SUCCEEDED])
def test_a_run_that_does_not_wait_has_no_place(
    ask: Clock, adams: User, status: str
) -> None:
    assert place_of(ask.run(adams, status)) is None


def test_many_places_are_one_query_and_none_is_none(
    ask: Clock, adams: User, django_assert_num_queries: Any
) -> None:
    ended = ask.run(adams, Status.SUCCEEDED)
    waiting = [ask.run(adams) for _ in range(3)]
    with django_assert_num_queries(1):
        assert set(places_of([*waiting, ended])) == {run.pk for run in waiting}
    with django_assert_num_queries(0):
        assert places_of([ended]) == {}


def test_the_past_is_not_read(ask: Clock, adams: User) -> None:
    ended = ask.run(adams, Status.SUCCEEDED)
    with connection.cursor() as cursor:
        # In a small table any index is as good as another.
        columns = ", ".join(
            f'"{field.column}"'
            for field in Run._meta.local_fields
            if field.attname != "id"
        )
        cursor.execute(
            f"INSERT INTO runner_run (id, {columns}) SELECT gen_random_uuid(), {columns}"
            " FROM runner_run, generate_series(1, 2000) WHERE id = %s",
            [ended.pk],
        )
    waiting = ask.run(adams)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        limits = {"person": 1, "version": 1, "runs": [waiting.pk]}
        query = f"EXPLAIN {line._LINE} SELECT * FROM numbered WHERE id = ANY(%(runs)s)"
        cursor.execute(query, limits)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "run_active" in plan


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"),
     (21, "21st"), (112, "112th")],
)  # fmt: skip
def test_places_are_written_as_people_say_them(number: int, words: str) -> None:
    assert ordinal(number) == words
