"""Wait for the test session to end, in whatever way, then stop its services and tidy up.

Run as `python -m tests.support.guard HOME PID`.  It survives Ctrl-C and kill -9 of pytest,
which fixtures' own clean-up does not.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 15.0


def wait_for_end(pid: int) -> None:
    """Return once the process is gone.  Source: pidfd_open(2)."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([handle], [], [])


def registered(home: Path) -> dict[int, int]:
    """Services to stop: pid to the signal that stops it; the last started comes first."""
    entries = sorted(
        (home / "pids").glob("*"), key=lambda path: -path.stat().st_mtime_ns
    )
    return {int(path.name): int(path.read_text()) for path in entries}


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def stop(pid: int, how: int) -> None:
    """Ask by the service's own signal; insist by SIGKILL on its whole session."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
    deadline = time.monotonic() + PATIENCE_S
    while is_alive(pid):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            return
        time.sleep(0.02)


def main(home: Path, pid: int) -> None:
    """Guard one session."""
    wait_for_end(pid)
    for service, how in registered(home).items():
        stop(service, how)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
