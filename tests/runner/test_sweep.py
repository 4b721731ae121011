"""The sweep asks each data source in the way of its kind."""

from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from gallery.workflow import Status
from runner.access.kinds.known import KINDS
from runner.access.kinds.postgresql import PostgreSQL
from runner.access.sources import DataSourceSettings, Dsns
from runner.sweep import sweep_data_sources, sweep_runs
from tests.factories.gallery import make_version
from tests.factories.runs import make_run


def test_the_sweep_asks_each_source_in_the_way_of_its_kind(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked = []

    class Other(PostgreSQL):
        def check(self, dsns: Dsns) -> list[Any]:
            asked.append("check")
            return []

        def reap(self, dsns: Dsns, **_: Any) -> list[str]:
            asked.append("reap")
            return []

    monkeypatch.setitem(KINDS, "other", Other())
    settings.DATA_SOURCES = {
        "labs": DataSourceSettings("labs", Dsns(), Dsns(), kind="other")
    }
    sweep_runs(now=timezone.now())
    sweep_data_sources(now=timezone.now())
    assert asked == ["reap", "reap", "check", "check"]


def test_a_run_that_came_while_one_source_was_slow_is_live_to_the_next(
    db: None, adams: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    version = make_version(Status.APPROVED)
    came, seen = [], []

    class Slow(PostgreSQL):
        def reap(self, dsns: Dsns, *, live_run_ids: set[UUID], **_: Any) -> list[str]:
            came.append(make_run(version, adams).pk)
            seen.append(live_run_ids)
            return []

    monkeypatch.setitem(KINDS, "slow", Slow())
    settings.DATA_SOURCES = {
        "labs": DataSourceSettings("labs", Dsns(), Dsns(), kind="slow")
    }
    sweep_runs(now=timezone.now())
    assert seen == [set(), {came[0]}]
