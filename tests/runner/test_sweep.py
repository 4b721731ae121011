"""The sweep asks each data source in the way of its kind."""

from typing import Any

import pytest
from django.utils import timezone

from runner.access.kinds.known import KINDS
from runner.access.kinds.postgresql import PostgreSQL
from runner.access.sources import DataSourceSettings, Dsns
from runner.sweep import sweep_data_sources, sweep_runs


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
