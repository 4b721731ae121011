"""Runs inside the sandbox and reports what it can see and do there, as one line of JSON.

The host's self-test reads the answers and judges them; this script only looks.
It uses nothing but the standard library and is handed to the interpreter as text.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import stat
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

CLONE_NEWUSER = 0x10000000
AF_VSOCK = 40
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ASK_VERSION = 1
STATUS_FIELDS = ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "Uid")
RLIMITS = {
    "core": resource.RLIMIT_CORE,
    "processes": resource.RLIMIT_NPROC,
    "files": resource.RLIMIT_NOFILE,
    "data": resource.RLIMIT_DATA,
    "file_size": resource.RLIMIT_FSIZE,
}
WRITE_TARGETS = ("/", "/usr", "/etc", "/opt/environment", "/dev")
NODE = Path("/tmp/.node")  # noqa: S108 - the sandbox's own
WAIT = Path("/run/kernel/wait")


def error_name(call: Callable[[], object]) -> str:
    """The name of the error that ``call`` raises, or "allowed"."""
    try:
        call()
    except OSError as problem:
        return errno.errorcode.get(problem.errno or 0, str(problem.errno))
    return "allowed"


def write_below(directory: Path) -> None:
    """Create a file and remove it again."""
    probe = directory / ".probe"
    probe.touch()
    probe.unlink()


def new_user_namespace() -> None:
    """Become root in a namespace of one's own, the first step of most escapes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def landlock_version() -> int:
    """The version that this machine's kernel offers; less than one when it has none."""
    version: int = ctypes.CDLL(None).syscall(
        LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_ASK_VERSION
    )
    return version


def make_node() -> None:
    """Make the one device node that needs no privilege, number 0, and remove it again."""
    os.mknod(NODE, stat.S_IFCHR | 0o600, 0)
    NODE.unlink()


def request_of_a_device() -> None:
    """Ask a device that is no terminal what only a terminal answers."""
    with Path(os.devnull).open("rb", 0) as nothing:
        fcntl.ioctl(nothing, termios.TCGETS, bytes(64))


def status_fields() -> dict[str, str]:
    """What the kernel says about this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {name: fields[name] for name in STATUS_FIELDS if name in fields}


def report() -> dict[str, Any]:
    """Everything that the self-test judges."""
    writable = [Path(name) for name in WRITE_TARGETS]
    return {
        "namespaces": {
            entry.name: str(entry.readlink())
            for entry in Path("/proc/self/ns").iterdir()
        },
        "pids": [
            int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
        ],
        "interfaces": [name for _, name in socket.if_nameindex()],
        "status": status_fields(),
        "writes": {
            str(path): error_name(partial(write_below, path))
            for path in writable
            if path.is_dir()
        },
        "unshare": error_name(new_user_namespace),
        "vsock": error_name(
            lambda: socket.socket(AF_VSOCK, socket.SOCK_STREAM).close()
        ),
        "landlock": {
            "version": landlock_version(),
            "node": error_name(make_node),
            "request": error_name(request_of_a_device),
        },
        "rlimits": {
            name: resource.getrlimit(number) for name, number in RLIMITS.items()
        },
    }


def main() -> None:
    """Report, then wait to be killed, so that the host can look at us from outside."""
    sys.stdout.write(json.dumps(report()) + "\n")
    sys.stdout.flush()
    os.mkfifo(WAIT)
    WAIT.read_bytes()


if __name__ == "__main__":
    main()
