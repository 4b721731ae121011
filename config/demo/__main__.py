"""`make demo`: start everything on this machine, and stop all of it again.

Foreground.  Ctrl-C or SIGTERM stops it; pressing twice changes nothing.
Settings: PORT (8000), COUNTERSIGN_HOME (.countersign), SANDBOX (required), KERNEL_HOST_POOL.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config.demo import bootstrap, edition
from config.demo.people import PASSWORD, PEOPLE
from config.demo.programs import REPOSITORY, Demo, keep_secrets
from config.demo.state import Home, PortTaken
from config.demo.supervision import Supervisor, log_ends
from config.embedded import machine
from config.embedded.files import port_is_free
from config.embedded.postgres import PostgresFailed
from config.embedded.valkey import ValkeyFailed

PREVIOUS_STOPS_WITHIN_S = 20.0
APPLICATION = ("sweeper", "worker", "api-worker", "live-worker", "web", "beat")


class Stopped(BaseException):
    """Somebody asked the demo to stop."""


def main() -> int:
    """Run the demo until it is stopped; returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run()
    except PortTaken as error:
        print(
            f"Port {error.port} is in use by another program.  Choose another one:\n"
            f"  make demo PORT={error.port + 1}",
            file=sys.stderr,
        )
        return 1
    except Stopped:
        return 0


def _stop(number: int, frame: FrameType | None) -> None:
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    raise Stopped


def _run() -> int:
    sandbox = os.environ.get("SANDBOX", "required")
    if machine.main([sandbox]):
        return 1
    started = time.monotonic()
    home = Home(Path(os.environ.get("COUNTERSIGN_HOME") or REPOSITORY / ".countersign"))
    home.prepare()
    with _only_one(home):
        port = _port()
        _wait_for_port(port, known=home.report.exists())
        pool = os.environ.get("KERNEL_HOST_POOL")
        demo = Demo(home, port, home.ports(), sandbox, pool)
        keep_secrets(demo)
        return _supervise(demo, started)


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    """Two demos must not share one COUNTERSIGN_HOME."""
    with (home.path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"A demo already runs with COUNTERSIGN_HOME={home.path}")
        yield


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isdigit() and 0 < int(text) < 65536):
        sys.exit(f"PORT must be a number between 1 and 65535, not {text!r}")
    return int(text)


def _wait_for_port(port: int, *, known: bool) -> None:
    """Wait a while where our own last demo may still be stopping.  Raises PortTaken."""
    deadline = time.monotonic() + (PREVIOUS_STOPS_WITHIN_S if known else 0)
    while not port_is_free(port):
        if time.monotonic() > deadline:
            raise PortTaken(port)
        time.sleep(0.5)


def _supervise(demo: Demo, started: float) -> int:
    supervisor = Supervisor(demo)
    try:
        _bring_up(demo, supervisor)
        with bootstrap.step("Waiting for every part to be ready"):
            bootstrap.wait_until_ready(demo, supervisor.failed)
        bootstrap.write_report(demo)
        _announce(demo, time.monotonic() - started)
        bootstrap.request_first_runs(demo)
        return supervisor.wait()
    except (
        bootstrap.BootstrapFailed,
        PostgresFailed,
        ValkeyFailed,
        RuntimeError,
    ) as error:
        print(
            f"\n{error}\n{log_ends(demo.home.logs, [*APPLICATION, 'kernels'])}",
            file=sys.stderr,
        )
        return 1
    finally:
        _end(supervisor)


def _bring_up(demo: Demo, supervisor: Supervisor) -> None:
    """Start every program; the first time, the application waits for what it needs."""
    known = edition.is_present(demo)
    bootstrap.initialise(demo)
    supervisor.start(*APPLICATION if known else ())
    bootstrap.wait_for_services(demo)
    if not known:
        bootstrap.build(demo)
        edition.note(demo)
        supervisor.start_programs(*APPLICATION)


def _end(supervisor: Supervisor) -> None:
    if supervisor.is_alive():
        print("\nStopping: workers finish first, databases last …", flush=True)
        supervisor.stop()
        print("Stopped.", flush=True)


def _announce(demo: Demo, seconds: float) -> None:
    print(f"\nReady after {seconds:.0f} s: {demo.application_origin}\n")
    if demo.sandbox == "degraded":
        print("DEGRADED: notebooks are not confined on this machine.\n")
    print(f"  Everybody's password is {PASSWORD}; this listens on loopback only.\n")
    for person in PEOPLE:
        print(f"  {person.username:<7}{person.display_name:<18}{person.duties}")
    print("\n  Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
