"""A kernel host for tests, and notebooks run through it."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.kernelhost import client
from runner.kernelhost.client import (
    DataSourceRequest,
    ExecuteRequest,
    KernelHostUnavailable,
)

REPOSITORY = Path(__file__).parents[3]
START_TIMEOUT_S = 60
MIB = 1024 * 1024


def notebook(*cells: str | dict[str, Any]) -> dict[str, Any]:
    """A notebook of these code cells; a dict adds its keys to the cell."""
    made = []
    for index, cell in enumerate(cells):
        extra = {"source": cell} if isinstance(cell, str) else cell
        made.append(
            {
                "cell_type": "code",
                "id": f"cell-{index}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                **extra,
            }
        )
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


def lock_sha256(environment: str) -> str:
    """What an approved version says of its environment's packages."""
    lock = REPOSITORY / "environments" / f"{environment}.txt"
    return hashlib.sha256(lock.read_bytes() if lock.exists() else b"").hexdigest()


@dataclass
class Outcome:
    """Everything that the kernel host said about a run."""

    events: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def status(self) -> str:
        return self.last.get("status") or self.last["code"]

    @property
    def error(self) -> dict[str, Any]:
        return self.last["error"]

    def outputs(self, cell: int = 0) -> list[dict[str, Any]]:
        return self.last["notebook"]["cells"][cell]["outputs"]

    def text(self, cell: int = 0) -> str:
        """What a cell printed, with the class and text of its error."""
        parts = []
        for output in self.outputs(cell):
            parts.append(output.get("text", ""))
            parts.append(output.get("data", {}).get("text/plain", ""))
            if output["output_type"] == "error":
                parts.append(f"{output['ename']}: {output['evalue']}")
        return "".join(parts)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]


@dataclass
class KernelHost:
    """A running ``python -m runner.kernelhost``."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.home / "host.sock"

    def start(self) -> "KernelHost":
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runner.kernelhost"],
                cwd=REPOSITORY,
                env={
                    "PATH": os.environ["PATH"],
                    "KERNEL_HOST_SOCKET": str(self.socket),
                    "SECRET_KEY": "canary-secret-of-the-host",
                    "KERNEL_HOST_DRAIN_S": "1",
                    "KERNEL_HOST_POOL": "",
                    **self.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait()
        return self

    def wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(KernelHostUnavailable):
                client.status(self.socket)
                return
            assert self.process.poll() is None, self.log()
            time.sleep(0.05)
        raise AssertionError(self.log())

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def request(self, *cells: str | dict[str, Any], **given: Any) -> ExecuteRequest:
        values = {
            "run_id": uuid.uuid4().hex,
            "environment": "python-analytics",
            "environment_lock_sha256": lock_sha256(
                given.get("environment", "python-analytics")
            ),
            "kernel_name": "python3",
            "notebook": notebook(*cells),
            "limits": {"wall_clock_s": 60, **given.pop("limits", {})},
            **given,
        }
        return ExecuteRequest(**values)

    def session(self, *cells: str | dict[str, Any], **given: Any) -> client.Session:
        return client.execute(self.socket, self.request(*cells, **given))

    def run(self, *cells: str | dict[str, Any], **given: Any) -> Outcome:
        outcome = Outcome()
        started = time.monotonic()
        with self.session(*cells, **given) as session:
            outcome.events += [event for event in session.events() if event]
        outcome.seconds = time.monotonic() - started
        return outcome

    def bash(self, *cells: str, **given: Any) -> Outcome:
        return self.run(*cells, environment="bash", kernel_name="bash", **given)


class HostWithWaitingKernels(KernelHost):
    """A kernel host on which every run gets a kernel that waited for it."""

    def start(self) -> "HostWithWaitingKernels":
        self.environment["KERNEL_HOST_POOL"] = "python-analytics/python3=1,bash/bash=1"
        super().start()
        return self

    def session(self, *cells: str | dict[str, Any], **given: Any) -> client.Session:
        assert until(self._all_wait, START_TIMEOUT_S), self.log()
        return super().session(*cells, **given)

    def _all_wait(self) -> bool:
        pools = client.status(self.socket)["pool"]
        return all(pool["ready"] == pool["size"] for pool in pools)


def until(condition: Any, seconds: float = 5.0) -> bool:
    """Whether ``condition()`` becomes true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def processes_below(pid: int) -> list[int]:
    """Every descendant of a process."""
    found: list[int] = []
    parents = [pid]
    for parent in parents:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                children = [
                    int(child) for child in (task / "children").read_text().split()
                ]
                parents += children
                found += children
    return found


def command_lines() -> list[str]:
    """The command line of every process of the machine."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                lines.append(
                    (entry / "cmdline")
                    .read_bytes()
                    .replace(b"\0", b" ")
                    .decode(errors="replace")
                )
    return lines


__all__ = [
    "DataSourceRequest",
    "KernelHost",
    "Outcome",
    "command_lines",
    "notebook",
    "processes_below",
    "until",
]
