"""Memory, process and CPU caps by control groups, version 1 and version 2.

A machine may mount the controllers one by one (v1), all in one tree (v2), or
both (hybrid). Each run gets a directory of its own in every tree that it needs.
"""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.kernelhost.confinement import Caps

PREFIX = "countersign-kernel-"
CONTROLLERS = ("memory", "pids", "cpu")
CPU_PERIOD_US = 100_000
#: Process number and start of the host, then the kernel's name.
GROUP_NAME = re.compile(r"(\d+)(?:-(\d+))?-.+")
REMOVE_ATTEMPTS = 50
REMOVE_PAUSE_S = 0.02


class CgroupUnavailable(Exception):
    """A controller cannot be used. Carries its name and the reason."""

    def __init__(self, controller: str, reason: str) -> None:
        super().__init__(f"the {controller} cgroup controller cannot be used: {reason}")
        self.controller = controller


@dataclass(frozen=True)
class Tree:
    """One mounted hierarchy: its version, the directory for our groups, its controllers."""

    version: int
    base: Path
    controllers: frozenset[str]


def _own_paths(proc_cgroup: str) -> dict[str, str]:
    """Controller name to our own path; the empty name is version 2."""
    paths: dict[str, str] = {}
    for line in proc_cgroup.splitlines():
        _, names, path = line.split(":", 2)
        paths.update(dict.fromkeys(names.split(","), path))
    return paths


def _mounts(mounts: str) -> list[tuple[int, Path, frozenset[str]]]:
    found = []
    for line in mounts.splitlines():
        _, target, kind, options = line.split(" ")[:4]
        if kind == "cgroup":
            found.append(
                (
                    1,
                    Path(target),
                    frozenset(options.split(",")) & frozenset(CONTROLLERS),
                )
            )
        elif kind == "cgroup2":
            names = (Path(target) / "cgroup.controllers").read_text().split()
            found.append((2, Path(target), frozenset(names) & frozenset(CONTROLLERS)))
    return found


def _base(mount: Path, own: str) -> Path:
    """Our own group if it can be seen from here, else the root of the mount."""
    candidate = mount / own.lstrip("/")
    return candidate if candidate.is_dir() else mount


def find_trees(
    mounts: Path = Path("/proc/self/mounts"), own: Path = Path("/proc/self/cgroup")
) -> tuple[Tree, ...]:
    """The hierarchies that hold the memory, pids and cpu controllers.

    Raises:
        CgroupUnavailable: a controller is mounted nowhere.
    """
    paths = _own_paths(own.read_text())
    trees = []
    missing = set(CONTROLLERS)
    for version, mount, names in _mounts(mounts.read_text()):
        wanted = names & missing
        if not wanted:
            continue
        path = paths.get("" if version == 2 else next(iter(wanted)), "/")
        trees.append(Tree(version, _base(mount, path), frozenset(wanted)))
        missing -= wanted
    if missing:
        raise CgroupUnavailable(sorted(missing)[0], "it is not mounted")
    return tuple(trees)


def _write(path: Path, value: str) -> None:
    path.write_text(value, encoding="ascii")


def _enable_v2(base: Path, controllers: frozenset[str]) -> Path:
    """Let children of ``base`` use the controllers; returns the directory to create them in.

    Version 2 allows no processes beside child groups. Where ``base`` is ours alone (the host is
    its only process, or it is the root that a container sees), the processes move into a leaf;
    elsewhere the root of the hierarchy is used.
    """
    enable = " ".join(f"+{name}" for name in sorted(controllers))
    with suppress(OSError):
        _write(base / "cgroup.subtree_control", enable)
        return base
    is_root = not (base.parent / "cgroup.controllers").exists()
    if is_root or _members(base) == [os.getpid()]:
        leaf = base / f"{PREFIX}host"
        leaf.mkdir(exist_ok=True)
        for pid in _members(base):
            with suppress(ProcessLookupError):
                _write(leaf / "cgroup.procs", str(pid))
        _write(base / "cgroup.subtree_control", enable)
        return base
    return _enable_v2(_root_of(base), controllers)


def _root_of(directory: Path) -> Path:
    """The topmost group of the hierarchy that can be seen from here."""
    while (directory.parent / "cgroup.controllers").exists():
        directory = directory.parent
    return directory


@dataclass(frozen=True)
class RunCgroup:
    """The control groups of one run: (version, directory, controllers) per hierarchy."""

    parts: tuple[tuple[int, Path, frozenset[str]], ...]

    def join(self, pid: int, *, entered: bool = False) -> None:
        """Move a process in; what it starts later is born inside.

        Where it has ``entered`` by the :attr:`entrances`, it need not be moved.
        """
        for version, directory, _ in self.parts:
            if not (entered and version == 1):
                _write(directory / "cgroup.procs", str(pid))

    @property
    def entrances(self) -> list[Path]:
        """Files by which a process of one thread enters the groups of version 1, writing 0 to each.

        Moving oneself costs nothing; to move another process, Linux waits until no process of the
        machine forks or ends, which takes milliseconds.  Version 2 has no such way.
        """
        return [
            directory / "tasks" for version, directory, _ in self.parts if version == 1
        ]

    def oom_kills(self) -> int:
        """How many processes of the run the kernel killed for memory."""
        for version, directory, controllers in self.parts:
            if "memory" in controllers:
                name = "memory.events" if version == 2 else "memory.oom_control"
                return _counter(directory / name, "oom_kill")
        return 0

    def holds(self, pid: int) -> bool:
        """Whether a process is in every one of the groups."""
        return all(pid in _members(directory) for _, directory, _ in self.parts)

    def remove(self) -> bool:
        """Delete the groups. True when nothing is left."""
        removed = [_remove(directory) for _, directory, _ in self.parts]
        return all(removed)


def _counter(path: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


def _remove(directory: Path) -> bool:
    for _ in range(REMOVE_ATTEMPTS):
        try:
            directory.rmdir()
            return True
        except FileNotFoundError:
            return True
        except OSError:
            # Dead members leave a moment after their last thread does.
            time.sleep(REMOVE_PAUSE_S)
    return False


def _settings(
    version: int, controllers: frozenset[str], caps: Caps
) -> list[tuple[str, str, bool]]:
    """(file, value, required) in writing order."""
    quota = caps.cpu_millis * CPU_PERIOD_US // 1000
    memory = str(caps.memory_bytes)
    rows: list[tuple[str, str, bool]] = []
    if "memory" in controllers:
        rows += (
            [
                ("memory.max", memory, True),
                ("memory.swap.max", "0", False),
                ("memory.oom.group", "0", False),
            ]
            if version == 2
            else [
                ("memory.limit_in_bytes", memory, True),
                ("memory.memsw.limit_in_bytes", memory, False),
                ("memory.swappiness", "0", False),
            ]
        )
    if "pids" in controllers:
        rows.append(("pids.max", str(caps.processes), True))
    if "cpu" in controllers:
        rows += (
            [("cpu.max", f"{quota} {CPU_PERIOD_US}", True)]
            if version == 2
            else [
                ("cpu.cfs_period_us", str(CPU_PERIOD_US), True),
                ("cpu.cfs_quota_us", str(quota), True),
            ]
        )
    return rows


def create(trees: tuple[Tree, ...], name: str, caps: Caps) -> RunCgroup:
    """Make the groups of one run with its caps set, still empty.

    Raises:
        CgroupUnavailable: a required limit cannot be written.
    """
    parts: list[tuple[int, Path, frozenset[str]]] = []
    for tree in trees:
        label = "/".join(sorted(tree.controllers))
        try:
            base = (
                _enable_v2(tree.base, tree.controllers)
                if tree.version == 2
                else tree.base
            )
            directory = base / f"{PREFIX}{name}"
            directory.mkdir()
            parts.append((tree.version, directory, tree.controllers))
            for file, value, required in _settings(
                tree.version, tree.controllers, caps
            ):
                _write_limit(directory / file, value, required)
        except OSError as problem:
            RunCgroup(tuple(parts)).remove()
            raise CgroupUnavailable(
                label, problem.strerror or str(problem)
            ) from problem
    return RunCgroup(tuple(parts))


def _write_limit(path: Path, value: str, required: bool) -> None:
    if required:
        _write(path, value)
        return
    with suppress(OSError):
        _write(path, value)


def host_name(pid: int) -> str:
    """A host for good: its process number, which may be another's later, and its start.

    The start is field 22 of proc_pid_stat(5).  Raises OSError when it is gone.
    """
    after_command = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return f"{pid}-{after_command.split()[19]}"


def is_left_over(directory: Path) -> bool:
    """Whether the host that made this group is gone.

    One that named its groups by its process number alone may still run beside this one.
    """
    named = GROUP_NAME.fullmatch(directory.name.removeprefix(PREFIX))
    if named is None:
        return False
    pid, start = named.groups()
    try:
        alive = host_name(int(pid))
        return start is not None and alive != f"{pid}-{start}"
    except OSError:
        return True


def run_directories(tree: Tree) -> list[Path]:
    """The groups of every run of every host in a hierarchy, below our own group or the root."""
    bases = [tree.base, *tree.base.parents]
    return [
        path
        for base in bases
        if (base / "cgroup.procs").exists()
        for path in base.glob(f"{PREFIX}[0-9]*-*")
    ]


def kill_and_remove(directory: Path) -> bool:
    """Kill whatever an earlier host left in a group, then delete it. True when it is gone."""
    for pid in _members(directory):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return _remove(directory)


def _members(directory: Path) -> list[int]:
    """Whoever is in a group; 0 stands for the processes of other pid namespaces."""
    with suppress(OSError):
        listed = (directory / "cgroup.procs").read_text().split()
        return [pid for pid in map(int, listed) if pid]
    return []
