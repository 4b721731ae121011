"""The system call filter, written as classic BPF that bubblewrap loads.

A refused call answers EPERM, ENOSYS or EAFNOSUPPORT, so that the program sees
an ordinary error. Only a foreign architecture (32-bit calls on a 64-bit
machine) kills, because its numbers mean something else.

Facts found the hard way: denying AF_INET breaks ipykernel (it binds a loopback
pipe), denying AF_NETLINK breaks libzmq (it lists interfaces), and AF_VSOCK is
not confined by network namespaces, so only this filter closes it.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from runner.kernelhost.syscalls import (
    ARCHITECTURES,
    NEWEST_KNOWN,
    Architecture,
    denied_numbers,
    filtered_number,
)

# Instruction classes of linux/bpf_common.h.
LD_W_ABS = 0x20
JEQ = 0x15
JGT = 0x25
JGE = 0x35
JSET = 0x45
RET = 0x06

# Offsets in struct seccomp_data, and the low word of its 64-bit arguments.
OFFSET_NR = 0
OFFSET_ARCH = 4
OFFSET_ARGS = 16

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
KILL_PROCESS = 0x80000000

X32_BIT = 0x40000000
NAMESPACE_FLAGS = (
    0x7E020000  # CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET
)
CLONE_PARENT = 0x8000
TIOCSTI = 0x5412
TIOCLINUX = 0x541C
PERSONALITY_QUERY = 0xFFFFFFFF
NETLINK_ROUTE = 0


class UnsupportedArchitecture(Exception):
    """No filter is known for this machine, so nothing may run on it."""

    def __init__(self, machine: str) -> None:
        super().__init__(f"no system call filter for architecture {machine!r}")
        self.machine = machine


@dataclass(frozen=True)
class Instruction:
    """One ``struct sock_filter``."""

    code: int
    k: int
    jt: int = 0
    jf: int = 0

    def pack(self) -> bytes:
        """The eight bytes that the kernel reads."""
        return struct.pack("=HBBI", self.code, self.jt, self.jf, self.k)


def _load(offset: int) -> Instruction:
    return Instruction(LD_W_ABS, offset)


def _load_argument(index: int) -> Instruction:
    # The calls that we look into take 32-bit values; the kernel ignores the
    # high word and so must we, or it would be a way around the filter.
    return Instruction(LD_W_ABS, OFFSET_ARGS + 8 * index)


def _answer(error: int) -> Instruction:
    return Instruction(RET, ERRNO | error)


def _refuse_when(code: int, k: int, error: int) -> list[Instruction]:
    """Answer ``error`` when the accumulator matches, else go on."""
    return [Instruction(code, k, jt=0, jf=1), _answer(error)]


def _only_for(number: int, body: list[Instruction]) -> list[Instruction]:
    """Run ``body`` for this call only; ``body`` ends in a RET."""
    return [Instruction(JEQ, number, jt=0, jf=len(body)), *body]


def _allow() -> Instruction:
    return Instruction(RET, ALLOW)


def _socket_rule() -> list[Instruction]:
    """AF_UNIX, AF_INET, AF_INET6 and netlink/route; every other family is unknown here."""
    return [
        _load_argument(0),
        Instruction(JEQ, socket.AF_UNIX, jt=5),
        Instruction(JEQ, socket.AF_INET, jt=4),
        Instruction(JEQ, socket.AF_INET6, jt=3),
        Instruction(JEQ, socket.AF_NETLINK, jt=0, jf=3),
        _load_argument(2),
        Instruction(JEQ, NETLINK_ROUTE, jt=0, jf=1),
        _allow(),
        _answer(errno.EAFNOSUPPORT),
    ]


def _socketpair_rule() -> list[Instruction]:
    return [
        _load_argument(0),
        Instruction(JEQ, socket.AF_UNIX, jt=1),
        _answer(errno.EAFNOSUPPORT),
        _allow(),
    ]


def _clone_rule() -> list[Instruction]:
    """A process or a thread, but no namespace, and no child of whoever started the kernel.

    Such a child would be a stranger's to wait for, and below no process that the host watches.
    """
    return [
        _load_argument(0),
        *_refuse_when(JSET, NAMESPACE_FLAGS | CLONE_PARENT, errno.EPERM),
        _allow(),
    ]


def _ioctl_rule() -> list[Instruction]:
    """Nothing that types into a terminal."""
    return [
        _load_argument(1),
        *_refuse_when(JEQ, TIOCSTI, errno.EPERM),
        *_refuse_when(JEQ, TIOCLINUX, errno.EPERM),
        _allow(),
    ]


def _personality_rule() -> list[Instruction]:
    """Asking for it, and setting the ordinary one."""
    return [
        _load_argument(0),
        Instruction(JEQ, PERSONALITY_QUERY, jt=2),
        Instruction(JEQ, 0, jt=1),
        _answer(errno.EPERM),
        _allow(),
    ]


def _clone3_rule() -> list[Instruction]:
    """clone3 hides its flags in memory that a filter cannot read.

    libc falls back to clone when it is told that the call does not exist.
    """
    return [_answer(errno.ENOSYS)]


RULES: dict[str, Callable[[], list[Instruction]]] = {
    "socket": _socket_rule,
    "socketpair": _socketpair_rule,
    "clone": _clone_rule,
    "ioctl": _ioctl_rule,
    "personality": _personality_rule,
    "clone3": _clone3_rule,
}


def _rules(arch: Architecture) -> list[Instruction]:
    """The calls of which only some arguments are refused."""
    return [
        instruction
        for name, rule in RULES.items()
        for instruction in _only_for(filtered_number(arch, name), rule())
    ]


def assemble(arch: Architecture) -> list[Instruction]:
    """The whole filter for one architecture."""
    program = [
        _load(OFFSET_ARCH),
        Instruction(JEQ, arch.audit_arch, jt=1),
        Instruction(RET, KILL_PROCESS),
        _load(OFFSET_NR),
    ]
    if arch.has_x32:
        program += _refuse_when(JGE, X32_BIT, errno.ENOSYS)
    program += _refuse_when(JGT, NEWEST_KNOWN, errno.ENOSYS)
    for number in denied_numbers(arch):
        program += _refuse_when(JEQ, number, errno.EPERM)
    program += _rules(arch)
    program.append(_allow())
    return program


def architecture(machine: str | None = None) -> Architecture:
    """The architecture of this machine.

    Raises:
        UnsupportedArchitecture: we have no table for it.
    """
    machine = machine or platform.machine()
    try:
        return ARCHITECTURES[machine.lower()]
    except KeyError:
        raise UnsupportedArchitecture(machine) from None


def compiled(machine: str | None = None) -> bytes:
    """The filter as bubblewrap's ``--seccomp`` reads it."""
    return b"".join(
        instruction.pack() for instruction in assemble(architecture(machine))
    )
