"""Ask this machine, before anything is installed, whether it lets us confine a notebook.

Standard library only: `make demo` runs this file with the system's own python3.
Usage: python3 config/embedded/machine.py [required|degraded]
"""

from __future__ import (
    annotations,  # so that an older Python can still say it is too old
)

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)

# Runs apart, because a process keeps the namespaces that it has entered.
PROBE = """
import ctypes, os, sys
user, mount, pid, net, ipc, uts = 0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(user | mount | pid | net | ipc | uts):
    sys.exit(ctypes.get_errno())
try:
    open("/proc/self/setgroups", "w").write("deny")
    open("/proc/self/uid_map", "w").write(f"0 {os.environ['UID_OUTSIDE']} 1")
except OSError as error:
    sys.exit(error.errno)
if libc.mount(b"none", b"/", None, 16384 | (1 << 18), None):
    sys.exit(ctypes.get_errno())
"""
PROBE_AS_ROOT = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x20000 | 0x20000000 | 0x40000000 | 0x8000000 | 0x4000000):
    sys.exit(ctypes.get_errno())
if libc.mount(b"none", b"/", None, 16384 | (1 << 18), None):
    sys.exit(ctypes.get_errno())
"""

SWITCHES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor blocks user namespaces (Ubuntu 23.10 and later do so).",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "The kernel is set to refuse user namespaces to ordinary users.",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "The kernel's limit of user namespaces is 0.",
        "sudo sysctl user.max_user_namespaces=15000",
    ),
)
"""(file, blocking value, what it means, what lifts it until the next reboot)"""


@dataclass(frozen=True)
class Obstacle:
    """Something that this machine does not allow, and what to do about it."""

    what: str
    remedy: str


def read_switch(path: str) -> str:
    """The value of a kernel setting, or "" where the kernel has none of that name."""
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def namespaces_work(*, as_root: bool) -> bool:
    """Whether a child of ours may enter the namespaces that confine a notebook."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE_AS_ROOT if as_root else PROBE],
        env={"UID_OUTSIDE": str(os.getuid())},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def namespace_obstacle(
    *,
    as_root: bool,
    works: Callable[..., bool] = namespaces_work,
    read: Callable[[str], str] = read_switch,
) -> Obstacle | None:
    """Why notebooks cannot be confined here, or None when they can be."""
    if works(as_root=as_root):
        return None
    if as_root:
        return Obstacle(
            "Root may not make namespaces here; this looks like a container without "
            "the right to.",
            "run the container with: --cap-add SYS_ADMIN --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined",
        )
    for path, blocking, what, remedy in SWITCHES:
        if read(path) == blocking:
            return Obstacle(what, remedy)
    return Obstacle(
        "User namespaces are refused here, by the kernel, a container or a policy.",
        "run this outside a container, or start the container with: --security-opt "
        "seccomp=unconfined --security-opt apparmor=unconfined",
    )


def version_obstacle(version: tuple[int, ...]) -> Obstacle | None:
    """Why this Python will not do, or None."""
    if version >= OLDEST_PYTHON:
        return None
    found, needed = (".".join(map(str, part[:2])) for part in (version, OLDEST_PYTHON))
    return Obstacle(
        f"This is Python {found}; Countersign needs {needed} or newer.",
        f"install Python {needed} and run: make demo PYTHON=python{needed}",
    )


def venv_obstacle(has_module: Callable[[str], object]) -> Obstacle | None:
    """Why this Python cannot make a virtual environment, or None."""
    if has_module("venv") and has_module("ensurepip"):
        return None
    return Obstacle(
        "This Python cannot make virtual environments (Debian packs that apart).",
        "sudo apt-get install python3-venv",
    )


def report(obstacles: list[Obstacle]) -> str:
    """What stands in the way, as text for a terminal."""
    lines = ["Countersign cannot run notebooks safely on this machine as it is:", ""]
    for obstacle in obstacles:
        lines += [f"  {obstacle.what}", f"  Remedy:  {obstacle.remedy}", ""]
    lines += [
        "To look around without that protection, on a machine with nothing to lose:",
        "  make demo SANDBOX=degraded",
        "Notebooks then run under resource limits only, with nothing between them and",
        "this machine; every page and every run says so.",
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print what is missing; 0 when the demo can start."""
    degraded = "degraded" in arguments
    python = version_obstacle(sys.version_info[:2]) or venv_obstacle(
        importlib.util.find_spec
    )
    if python:
        print(f"{python.what}\nRemedy:  {python.remedy}", file=sys.stderr)
        return 1
    namespace = namespace_obstacle(as_root=os.geteuid() == 0)
    if namespace and not degraded:
        print(report([namespace]), file=sys.stderr)
        return 1
    if namespace:
        print(f"Degraded: {namespace.what} Notebooks will not be confined.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
