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

import psutil

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
    """A notebook of these code cells; a dict adds its keys to the cell, or makes it another."""
    made = []
    for index, cell in enumerate(cells):
        extra = {"source": cell} if isinstance(cell, str) else cell
        made.append({"id": f"cell-{index}", "metadata": {}, **extra})
        if made[-1].setdefault("cell_type", "code") == "code":
            made[-1].setdefault("outputs", [])
            made[-1].setdefault("execution_count", None)
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
    templates: set[int] = field(default_factory=set)
    #: In which environment notebooks run that name none.
    notebook_environment: str = "python-analytics"

    def kernel_processes(self) -> list[int]:
        """Every process of a kernel, seen from outside."""
        below = processes_below(self.process.pid)
        return [pid for pid in below if pid not in self.templates]

    def forked_processes(self) -> list[int]:
        """The processes of forked sandboxes; a template that was renewed is none of them."""
        below = processes_below(self.process.pid)
        return [pid for pid in below if len(pids_inside(pid)) > 1]

    def numbered(self, number: int) -> list[int]:
        """The processes of forked sandboxes that have this number inside."""
        found = self.forked_processes()
        return [pid for pid in found if pids_inside(pid)[1:] == [number]]

    @property
    def socket(self) -> Path:
        return self.home / "host.sock"

    def rss_bytes(self) -> int:
        """What the host's own process holds."""
        return psutil.Process(self.process.pid).memory_info().rss

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
        environment = given.get("environment", self.notebook_environment)
        values = {
            "run_id": uuid.uuid4().hex,
            "environment": environment,
            "environment_lock_sha256": lock_sha256(environment),
            "kernel_name": "python3",
            "notebook": notebook(*cells),
            "limits": {"wall_clock_s": 60, **given.pop("limits", {})},
            **given,
        }
        return ExecuteRequest(**values)

    def session(self, *cells: str | dict[str, Any], **given: Any) -> client.Session:
        return self.ask(self.request(*cells, **given))

    def ask(self, request: ExecuteRequest) -> client.Session:
        return client.execute(self.socket, request)

    def run(self, *cells: str | dict[str, Any], **given: Any) -> Outcome:
        outcome = Outcome()
        started = time.monotonic()
        with self.session(*cells, **given) as session:
            outcome.events += [event for event in session.events() if event]
        outcome.seconds = time.monotonic() - started
        return outcome

    def bash(self, *cells: str, **given: Any) -> Outcome:
        return self.run(*cells, environment="bash", kernel_name="bash", **given)


class ForkingHost(KernelHost):
    """A kernel host that forks every kernel from a template."""

    pool = "python-analytics/python3=0,bash/bash=0"

    def start(self) -> "ForkingHost":
        self.environment["KERNEL_HOST_POOL"] = self.pool
        self.environment["KERNEL_HOST_LAUNCHER"] = "fork"
        super().start()
        assert until(self.all_fork, START_TIMEOUT_S), self.log()
        self.templates = set(templates_below(self.process.pid))
        return self

    def all_fork(self) -> bool:
        pools = client.status(self.socket)["pool"]
        return all(pool["launcher"] == "fork" for pool in pools)


class HostWithWaitingKernels(ForkingHost):
    """A kernel host on which every run gets a kernel that waited for it, forked from a template."""

    pool = "python-analytics/python3=1,bash/bash=1"

    def session(self, *cells: str | dict[str, Any], **given: Any) -> client.Session:
        self.wait_for_kernels()
        return super().session(*cells, **given)

    def wait_for_kernels(self) -> None:
        assert until(self._all_wait, START_TIMEOUT_S), self.log()

    def _all_wait(self) -> bool:
        pools = client.status(self.socket)["pool"]
        return all(pool["ready"] == pool["size"] for pool in pools)


def launcher_of(outcome: Outcome) -> str:
    """How the kernel of a run was started."""
    return outcome.of("accepted")[0]["evidence"]["launcher"]


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


def templates_below(pid: int) -> list[int]:
    """The processes of templates, with bubblewrap's around them, but not of their forks."""
    found = []
    for below in processes_below(pid):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{below}/cmdline").read_bytes()
            if b"countersign_template" in command and len(pids_inside(below)) < 2:
                found.append(below)
    return found


def pids_inside(pid: int) -> list[int]:
    """The numbers of a process in the process namespaces below ours, the outermost first."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        numbers = status.split("NSpid:")[1].splitlines()[0].split()
        return [int(number) for number in numbers[1:]]
    return []


def status_of(pid: int) -> dict[str, str]:
    """What the machine's kernel says of a process, by name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


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
    "status_of",
    "until",
]
