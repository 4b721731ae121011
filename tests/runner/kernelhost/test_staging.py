"""Working directories of hosts that start and end at the same time."""

from pathlib import Path

import pytest

from runner.kernelhost import staging


def test_one_that_goes_while_it_is_looked_at_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / f"{staging.PREFIX}gone"
    dead = tmp_path / f"{staging.PREFIX}dead"
    dead.mkdir()
    (dead / staging.LOCK_NAME).touch()
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone, dead]))
    assert staging.sweep(tmp_path) == [dead]


def test_a_link_to_a_directory_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / staging.LOCK_NAME).touch()
    (tmp_path / f"{staging.PREFIX}link").symlink_to(target)
    assert staging.sweep(tmp_path) == []
    assert target.exists()
