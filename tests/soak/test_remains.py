"""The soak finds what it looks for."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.soak import remains


@pytest.mark.parametrize("before", [0, 3, remains.READ_BYTES - 4, remains.READ_BYTES])
def test_a_text_is_found_wherever_it_stands(tmp_path: Path, before: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\0" * before + b"sentence" + b"\0" * 10)
    assert remains.holds(file, b"sentence")
    assert not remains.holds(file, b"sentences")


def test_a_lock_is_found_with_its_holder_alone(tmp_path: Path) -> None:
    for name in ("held", "free"):
        (tmp_path / name).touch()
    with (tmp_path / "held").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert remains.locked(tmp_path, os.getpid()) == {"held"}
        assert remains.locked(tmp_path, os.getppid()) == set()
    assert remains.locked(tmp_path, os.getpid()) == set()
