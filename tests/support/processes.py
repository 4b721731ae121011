"""Start parts of Countersign as real processes of this test session."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from config.demo.programs import web_arguments
from tests.support import environment, services

START_TIMEOUT_S = 60.0


@dataclass
class Process:
    """One process with its log; `pid`, `kill()` and `stop()` are what tests use."""

    name: str
    argv: list[str]
    variables: Mapping[str, str]
    popen: subprocess.Popen[bytes] = field(init=False, repr=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    @property
    def log(self) -> Path:
        """What it wrote to stdout and stderr."""
        return environment.home() / environment.worker() / f"{self.name}.log"

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start it and wait.  Raises RuntimeError with the end of its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.argv,
                cwd=environment.REPOSITORY,
                env={**os.environ, **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        services.register(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_ready():
            if not self.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.said()[-4000:]}")
            time.sleep(0.05)

    def said(self) -> str:
        """Everything that it wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        family = psutil.Process(self.pid).children(recursive=True)
        self.popen.kill()
        for child in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        self.popen.wait()

    def stop(self, timeout_s: float = 15.0) -> None:
        """End it politely, and at once when that does not work."""
        if not self.is_alive():
            return
        self.popen.terminate()
        try:
            self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()


def celery_worker() -> Process:
    """A Celery worker on this test worker's database and queue."""
    argv = [sys.executable, "-m", "celery", "-A", "config", "worker"]
    argv += [
        "-Q",
        "page,api,batch,interactive,sweep",
        "--concurrency",
        "2",
        "--without-gossip",
    ]
    argv += ["--without-mingle", "--loglevel", "INFO"]
    return Process("worker", argv, {})


def kernel_host() -> Process:
    """The kernel host, which is given no login and no key."""
    # No waiting kernel takes time from the tests, but each is forked.
    variables = {"KERNEL_HOST_POOL": "python-analytics/python3=0"}
    return Process("kernels", [sys.executable, "-m", "runner.kernelhost"], variables)


def site(port: int) -> Process:
    """The web server, with the application and the content origin on one port."""
    # With its log of requests, which must hold no token; with few connections, so that
    # whoever keeps one is missed.
    argv = [sys.executable, *web_arguments(port), "--access-log"]
    return Process("site", argv, {**origins(port), "DATABASE_POOL_SIZE": "4"})


def origins(port: int) -> dict[str, str]:
    """The two origins of a web server on loopback."""
    return {
        "APPLICATION_ORIGIN": f"http://localhost:{port}",
        "CONTENT_ORIGIN": f"http://127.0.0.1:{port}",
    }
