"""Confines the process that runs it, which must be in a process namespace of its own.

The template's own root is already what a kernel may see of the host; what is left to do is
what must not be shared: namespaces, memory file systems, the user, and the limits.
"""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Sequence
from pathlib import Path

from . import landlock, linux
from .order import Order

#: Only the template sees what is mounted here.
PRIVATE_DIR = "/opt/template"
DATA_DIRS = f"{PRIVATE_DIR}/data"
PROC_BEFORE = f"{PRIVATE_DIR}/proc"
#: As proc(5) calls it: a process is there for whoever may trace it.
OWN_PROCESSES = "hidepid=ptraceable"
PLAIN = linux.MS_NOSUID | linux.MS_NODEV


def confine(order: Order, contents: Sequence[int], seccomp: int, release: int) -> bool:
    """Take from this process everything that ``order`` does not give it.

    ``contents`` are descriptors of the order's files, ``seccomp`` one of the compiled filter. From
    ``release`` comes the host's word that every control group holds this process; False when it never
    will.

    Raises:
        OSError: a layer was refused, and nothing may run here.
    """
    program = _read(seccomp)
    linux.unshare(
        linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    )
    socket.sethostname(order.hostname)
    linux.raise_loopback()
    _mount(order)
    for (target, mode), content in zip(order.files, contents, strict=True):
        _write(Path(target), mode, content, order.user)
    if not os.read(release, 1):
        return False
    # Its root is the group that it is in at this moment.
    linux.unshare(linux.CLONE_NEWCGROUP)
    os.chdir(order.chdir)
    os.environ["PWD"] = order.chdir
    _become(order)
    for name, value in order.limits:
        resource.setrlimit(getattr(resource, name), (value, value))
    linux.drop_all_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(order.rules)
    linux.load_filter(program)
    return True


def _mount(order: Order) -> None:
    owner = order.user or 0
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    # The kernel gives a new one only to who can still see an old one.
    Path(PROC_BEFORE).mkdir(exist_ok=True)
    # Of process 1, which is not confined, nothing is shown, nor of anybody else's.
    linux.mount("proc", PROC_BEFORE, "proc", PLAIN | linux.MS_NOEXEC, OWN_PROCESSES)
    linux.detach("/proc")
    linux.mount(PROC_BEFORE, "/proc", None, linux.MS_MOVE)
    linux.mount(
        "devpts",
        "/dev/pts",
        "devpts",
        linux.MS_NOSUID | linux.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )
    for target, size_bytes, mode in order.tmpfs:
        options = f"size={size_bytes},mode={mode:04o},uid={owner},gid={owner}"
        linux.mount("tmpfs", target, "tmpfs", PLAIN, options)
    if order.data is not None:
        source, target = f"{DATA_DIRS}/{order.data}", order.data_target
        linux.mount(source, target, None, linux.MS_BIND)
        read_only = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY
        # What its source is mounted without cannot be had back.
        kept = os.statvfs(target).f_flag & (PLAIN | linux.MS_NOEXEC)
        linux.mount("none", target, None, read_only | PLAIN | kept)
    linux.detach(PRIVATE_DIR)


def _write(target: Path, mode: int, content: int, owner: int | None) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.write(descriptor, _read(content))
    if owner is not None:
        os.fchown(descriptor, owner, owner)
    os.close(descriptor)


def _read(descriptor: int) -> bytes:
    """All of a memory file, from its start."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _become(order: Order) -> None:
    """Another user outside where that is possible, and always another one inside."""
    if order.user is not None:
        os.setgroups([])
        os.setresgid(*[order.user] * 3)
        os.setresuid(*[order.user] * 3)
    outside = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    # A process that changed its user may not even open its own maps.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    inside = order.uid_inside
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{inside} {outside[0]} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{inside} {outside[1]} 1", encoding="ascii")
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
