"""What the dead left behind: everything that a run needs and that must be gone with it."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from runner.kernelhost import client, uids
from runner.workflow import FINAL
from tests.soak.notebooks import PLAINTEXT
from tests.soak.product import Product, patiently, staging_of

READ_BYTES = 1 << 20
PAUSE_S = 2.0
_FINAL = [str(status) for status in FINAL]


class Remains:
    """Looks for what is left. ``demo`` is the process whose orphans become children of ours."""

    def __init__(self, product: Product, demo: int) -> None:
        self.product = product
        self.demo = demo
        self.sockets_before = self._sockets()
        self.mounts_before = _mounts()

    def all(self) -> dict[str, list[str]]:
        """What is left, by kind; an empty list for what is all gone."""
        host = self.product.note_kernel_host()
        waiting = self._waiting(host)
        return {
            "program not running": self._not_running(),
            "run without an end": self._open_runs(),
            "process": [*self._orphans(), *self._strangers(host, waiting)],
            "mount": sorted(_mounts() - self.mounts_before),
            "control group": self._groups(host, waiting),
            "user id": self._user_ids(host, waiting),
            "socket or directory of a run": self._directories(host, waiting),
            "login or session at the data": self._logins(),
            "lease": self._leases(),
            "live output": self._live_outputs(),
        }

    def all_gone(self, *, within_s: float) -> dict[str, list[str]]:
        """The same, once nothing is left, or after that time."""
        until = time.monotonic() + within_s
        while True:
            left = patiently(self.all, otherwise={"answer": ["a database is down"]})
            if time.monotonic() > until or not any(left.values()):
                return {**left, "plaintext of a result": self._plaintext()}
            time.sleep(PAUSE_S)

    def _waiting(self, host: int) -> int:
        """How many kernels wait; none runs a notebook when this is asked."""
        if not host:
            return 0
        with suppress(client.KernelHostUnavailable, client.ConnectionLost):
            pools = client.status(self.product.home.sockets / "kernels.sock")["pool"]
            return sum(pool["ready"] for pool in pools)
        return 0

    def _not_running(self) -> list[str]:
        programs = self.product.programs().values()
        return [
            f"{each['name']}: {each['statename']}"
            for each in programs
            if each["statename"] != "RUNNING"
        ]

    def _open_runs(self) -> list[str]:
        return [
            f"{run_id}: {status}"
            for run_id, status in self.product.rows(
                self.product.app_dsn,
                "SELECT id::text, status FROM runner_run WHERE status <> ALL(%s)",
                _FINAL,
            )
        ]

    def _orphans(self) -> Iterator[str]:
        """Whoever lost their parent is a child of ours, since we reap for the demo."""
        for each in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):
                if each.pid == self.demo:
                    continue
                if each.status() == psutil.STATUS_ZOMBIE:
                    os.waitpid(each.pid, os.WNOHANG)
                    continue
                yield f"{each.pid}: {' '.join(each.cmdline())[:120]}"

    def _strangers(self, host: int, waiting: int) -> list[str]:
        """Below the kernel host: its kernels that wait, one template, and nothing else."""
        groups = {path.name for path in self.product.groups_of(host)}
        kernels = self.product.kernels(host)
        if len(groups) != waiting:
            return [
                f"{len(kernels)} processes in {len(groups)} kernels, {waiting} wait"
            ]
        templates = self.product.templates(host)
        return [] if len(templates) == 2 else [f"processes of templates: {templates}"]

    def _groups(self, host: int, waiting: int) -> list[str]:
        dead = [each for each in self.product.kernel_hosts if each != host]
        left = [str(path) for each in dead for path in self.product.groups_of(each)]
        own = {path.name for path in self.product.groups_of(host)}
        if len(own) != waiting:
            left.append(f"{len(own)} groups of the kernel host, {waiting} kernels wait")
        return left

    def _user_ids(self, host: int, waiting: int) -> list[str]:
        """The kernel host holds one for each kernel that waits, and one for its template."""
        held = locked(uids.LOCK_DIR, host)
        if len(held) == waiting + 1:
            return []
        return [f"{sorted(held)} are held, {waiting} kernels wait"]

    def _directories(self, host: int, waiting: int) -> list[str]:
        places = self.product.kernel_hosts
        left = [
            str(place)
            for each, place in places.items()
            if each != host and place is not None and place.exists()
        ]
        left += sorted(self._sockets() - self.sockets_before)
        own = staging_of(host)
        if own is None:
            return left
        sockets = Path(f"/proc/{host}/root{own}/sockets")
        inside = [each for each in sockets.rglob("*") if each.name != ""]
        kernels = [each for each in inside if not each.name.startswith("template-")]
        if len(kernels) != waiting:
            left.append(f"{[each.name for each in kernels]}, {waiting} kernels wait")
        return left

    def _sockets(self) -> set[str]:
        return {str(each) for each in self.product.home.sockets.rglob("*")}

    def _logins(self) -> list[str]:
        dsn = self.product.data_dsns[0]
        roles = "SELECT rolname FROM pg_roles WHERE rolname ~ '^r_[0-9a-f]{32}$'"
        sessions = "SELECT usename FROM pg_stat_activity WHERE usename ~ '^r_'"
        return [
            str(name)
            for query in (roles, sessions)
            for (name,) in self.product.rows(dsn, query)
        ]

    def _leases(self) -> list[str]:
        query = "SELECT run_id::text FROM countersign.runs WHERE dropped_at IS NULL"
        return [
            run_id
            for dsn in self.product.data_dsns
            for (run_id,) in self.product.rows(dsn, query)
        ]

    def _live_outputs(self) -> list[str]:
        query = "SELECT DISTINCT run_id::text FROM runner_runoutput"
        return [run_id for (run_id,) in self.product.rows(self.product.app_dsn, query)]

    def _plaintext(self) -> list[str]:
        places = [self.product.home.path, self.product.home.sockets]
        places += [each for each in self.product.kernel_hosts.values() if each]
        files = {file for place in places for file in place.rglob("*")}
        return [str(file) for file in sorted(files) if holds(file, PLAINTEXT.encode())]


def holds(file: Path, text: bytes) -> bool:
    """Whether a file has this text, also across two pieces of it."""
    with suppress(OSError):
        if not file.is_file() or file.is_symlink():
            return False
        with file.open("rb") as content:
            before = b""
            while piece := content.read(READ_BYTES):
                if text in before + piece:
                    return True
                before = piece[-len(text) :]
    return False


def _mounts() -> set[str]:
    """Mounts that everybody here sees and that look like one of ours."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return {line for line in lines if "countersign" in line}


def locked(directory: Path, holder: int) -> set[str]:
    """Which files of a directory a process holds a lock of."""
    if not directory.exists():
        return set()
    names = {each.stat().st_ino: each.name for each in directory.iterdir()}
    held = set()
    for line in Path("/proc/locks").read_text().splitlines():
        kind, pid, place = line.split()[1], line.split()[4], line.split()[5]
        inode = int(place.split(":")[2])
        if kind == "FLOCK" and int(pid) == holder and inode in names:
            held.add(names[inode])
    return held
