"""The product that is soaked: its processes as its supervisor and the machine tell of them."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
import psycopg
from supervisor.xmlrpc import SupervisorTransport

from config.demo.state import Home
from runner.kernelhost import cgroups
from runner.kernelhost.staging import PREFIX as STAGING

#: A database that was just killed answers nobody for a while.
CONNECT_TIMEOUT_S = 3


class Product:
    """One running demo, seen from outside."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        report = json.loads(self.home.report.read_text(encoding="utf-8"))
        self.app_dsn: str = report["app_dsn"]
        self.data_dsns: tuple[str, str] = (
            report["data_owner_dsn"],
            report["notional_owner_dsn"],
        )
        self.trees = cgroups.find_trees()
        #: Every kernel host that there was, with the place where it worked.
        self.kernel_hosts: dict[int, Path | None] = {}

    def rows(self, dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds.  Raises psycopg.OperationalError while the database is down."""
        with psycopg.connect(
            dsn, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True
        ) as connection:
            found = connection.execute(query.encode(), values or None)
            return found.fetchall() if found.description else []

    def programs(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each program."""
        socket = f"unix://{self.home.sockets}/supervisor.sock"
        transport = SupervisorTransport(None, None, socket)
        proxy: Any = ServerProxy("http://127.0.0.1", transport=transport)
        return {each["name"]: each for each in proxy.supervisor.getAllProcessInfo()}

    def pid(self, program: str) -> int:
        """The process of a program; 0 while there is none."""
        found = self.programs()[program]
        return int(found["pid"]) if found["statename"] == "RUNNING" else 0

    def children(self, pid: int) -> list[int]:
        """The processes that a process has started and that still run."""
        with suppress(psutil.NoSuchProcess):
            return [each.pid for each in psutil.Process(pid).children()]
        return []

    def note_kernel_host(self) -> int:
        """The kernel host's process; what is its own is remembered."""
        pid = self.pid("kernels")
        if pid and self.kernel_hosts.get(pid) is None:
            self.kernel_hosts[pid] = staging_of(pid)
        return pid

    def groups_of(self, host: int) -> list[Path]:
        """The control groups of a kernel host's kernels."""
        prefix = f"{cgroups.PREFIX}{host}-"
        return [
            path
            for tree in self.trees
            for path in cgroups.run_directories(tree)
            if path.name.startswith(prefix)
        ]

    def kernels(self, host: int) -> list[int]:
        """Every process of every kernel of a kernel host."""
        found: set[int] = set()
        for group in self.groups_of(host):
            with suppress(OSError):
                procs = (group / "cgroup.procs").read_text()
                found.update(int(pid) for pid in procs.split())
        return sorted(found)

    def templates(self, host: int) -> list[int]:
        """The warm processes that kernels are forked from, and who waits for their end."""
        kernels = set(self.kernels(host))
        monitors = [pid for pid in self.children(host) if pid not in kernels]
        warm = [pid for each in monitors for pid in self.children(each)]
        return [pid for pid in (*monitors, *warm) if pid not in kernels]

    def log_lines(self, program: str) -> list[str]:
        """Everything that a program wrote, oldest first, as far as it is kept."""
        log = self.home.logs / f"{program}.log"
        kept = [log.with_name(f"{log.name}.{number}") for number in (2, 1)]
        texts = [
            each.read_text(errors="replace") for each in (*kept, log) if each.exists()
        ]
        return "".join(texts).splitlines()


def staging_of(host: int) -> Path | None:
    """Where a kernel host works; None before it has a place."""
    with suppress(OSError):
        for line in Path(f"/proc/{host}/mountinfo").read_text().splitlines():
            target = Path(line.split()[4])
            if target.name.startswith(STAGING):
                return target
    return None


def patiently(act: Callable[[], Any], *, otherwise: Any) -> Any:
    """What a question answers, and something else while nobody is there to answer it."""
    try:
        return act()
    except (psycopg.Error, OSError):
        return otherwise
