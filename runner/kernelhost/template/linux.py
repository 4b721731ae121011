"""The system calls that Python 3.11 does not offer. Each raises OSError with its name."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITY_WORDS = 6

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
IFREQ = "16sh14x"
INSTRUCTION_BYTES = 8

_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by ``flags`` for new ones."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Join the namespace behind a descriptor, or that of the process behind it (Linux 5.8)."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(
    source: str, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    """``mount(2)``."""
    encoded = [
        None if part is None else part.encode() for part in (source, target, kind, data)
    ]
    _check(
        _libc.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]),
        f"mount on {target}",
    )


def detach(target: str) -> None:
    """Take a mount and all below it out of this namespace."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount of {target}")


def highest_descriptor() -> int:
    """The greatest number of an open file of this process."""
    return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """A call that libc has no name for; answers its result."""
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *given)
    _check(result, f"system call {number}")
    return result


def prctl(option: int, *values: int) -> int:
    """``prctl(2)``; answers its result."""
    padded = [*values, *[0] * (4 - len(values))]
    result: int = _libc.prctl(option, *(ctypes.c_ulong(value) for value in padded))
    _check(result, f"prctl {option}")
    return result


def drop_all_capabilities() -> None:
    """Hold none, and never get one again, also not by executing something."""
    capability = 0
    while True:
        try:
            prctl(PR_CAPBSET_READ, capability)
        except OSError:
            break  # the first number that this kernel does not know
        prctl(PR_CAPBSET_DROP, capability)
        capability += 1
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    none = struct.pack(f"={CAPABILITY_WORDS}I", *[0] * CAPABILITY_WORDS)
    _check(_libc.capset(header, none), "capset")


def load_filter(program: bytes) -> None:
    """Put every further system call of this process and its children behind a filter.

    The process must have given up new privileges.

    Raises:
        OSError: the program is not one that the kernel accepts.
    """
    filter_ = _Filter(len(program) // INSTRUCTION_BYTES, program)
    result = _libc.prctl(
        PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(filter_)
    )
    _check(result, "seccomp")


def raise_loopback() -> None:
    """Bring up ``lo``, which is down in a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        request = struct.pack(IFREQ, b"lo", 0)
        _, flags = struct.unpack(IFREQ, fcntl.ioctl(door, SIOCGIFFLAGS, request))
        fcntl.ioctl(door, SIOCSIFFLAGS, struct.pack(IFREQ, b"lo", flags | IFF_UP))
