"""The system call filter, run by a small interpreter on both architectures."""

import errno
import socket
import struct

import pytest

from runner.kernelhost import seccomp
from runner.kernelhost.syscalls import (
    AARCH64,
    DENIED,
    NEWEST_KNOWN,
    X86_64,
    denied_numbers,
    filtered_number,
)

BOTH = pytest.mark.parametrize("arch", [X86_64, AARCH64], ids=lambda arch: arch.name)
READ = {"x86_64": 0, "aarch64": 63}


def answer(arch, number, *arguments, audit_arch=None):
    """What the filter returns for one call."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, audit_arch or arch.audit_arch, 0, *values)
    program = seccomp.assemble(arch)
    accumulator, position = 0, 0
    while True:
        step = program[position]
        position += 1
        if step.code == seccomp.LD_W_ABS:
            (accumulator,) = struct.unpack_from("=I", data, step.k)
        elif step.code == seccomp.RET:
            return step.k
        else:
            taken = {
                seccomp.JEQ: accumulator == step.k,
                seccomp.JGT: accumulator > step.k,
                seccomp.JGE: accumulator >= step.k,
                seccomp.JSET: bool(accumulator & step.k),
            }[step.code]
            position += step.jt if taken else step.jf


def refused(number):
    return seccomp.ERRNO | number


@BOTH
def test_an_ordinary_call_is_allowed(arch):
    assert answer(arch, READ[arch.name]) == seccomp.ALLOW


@BOTH
@pytest.mark.parametrize("name", sorted(DENIED))
def test_every_denied_call_answers_eperm(arch, name):
    number = DENIED[name][arch.column]
    if number is not None:
        assert answer(arch, number) == refused(errno.EPERM)


@BOTH
def test_a_foreign_architecture_is_killed(arch):
    assert answer(arch, 0, audit_arch=0x40000003) == seccomp.KILL_PROCESS


def test_x32_calls_do_not_exist():
    for number in (0x40000000, 0x40000000 + DENIED["ptrace"][0]):
        assert answer(X86_64, number) == refused(errno.ENOSYS)


@BOTH
def test_calls_newer_than_the_filter_do_not_exist(arch):
    assert answer(arch, NEWEST_KNOWN + 1) == refused(errno.ENOSYS)
    assert answer(arch, 0x3FFFFFFF) == refused(errno.ENOSYS)


@BOTH
@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6])
def test_the_families_that_kernels_need_are_allowed(arch, family):
    assert answer(arch, filtered_number(arch, "socket"), family) == seccomp.ALLOW


@BOTH
def test_every_other_family_is_unknown(arch):
    allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    for family in set(range(64)) - allowed:
        assert answer(arch, filtered_number(arch, "socket"), family) == refused(
            errno.EAFNOSUPPORT
        )


@BOTH
def test_netlink_is_allowed_for_routes_only(arch):
    number = filtered_number(arch, "socket")
    assert answer(arch, number, socket.AF_NETLINK, 3, 0) == seccomp.ALLOW
    for protocol in range(1, 23):
        assert answer(arch, number, socket.AF_NETLINK, 3, protocol) == refused(
            errno.EAFNOSUPPORT
        )


@BOTH
def test_the_high_word_of_an_argument_is_no_way_around(arch):
    high = 1 << 32
    assert answer(arch, filtered_number(arch, "socket"), high | 40) == refused(
        errno.EAFNOSUPPORT
    )
    assert answer(
        arch, filtered_number(arch, "ioctl"), 0, high | seccomp.TIOCSTI
    ) == refused(errno.EPERM)


@BOTH
def test_socket_pairs_are_unix_only(arch):
    number = filtered_number(arch, "socketpair")
    assert answer(arch, number, socket.AF_UNIX) == seccomp.ALLOW
    assert answer(arch, number, 30) == refused(errno.EAFNOSUPPORT)


@BOTH
@pytest.mark.parametrize(
    "flag",
    [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000],
)
def test_no_clone_makes_a_namespace(arch, flag):
    number = filtered_number(arch, "clone")
    assert answer(arch, number, 0x11 | flag) == refused(errno.EPERM)
    assert answer(arch, number, 0x11) == seccomp.ALLOW


@BOTH
def test_no_clone_makes_a_child_of_whoever_started_the_kernel(arch):
    number = filtered_number(arch, "clone")
    assert answer(arch, number, 0x11 | 0x8000) == refused(errno.EPERM)


@BOTH
def test_clone3_does_not_exist_so_that_libc_uses_clone(arch):
    assert answer(arch, filtered_number(arch, "clone3")) == refused(errno.ENOSYS)


@BOTH
def test_typing_into_a_terminal_is_refused(arch):
    number = filtered_number(arch, "ioctl")
    assert answer(arch, number, 0, seccomp.TIOCSTI) == refused(errno.EPERM)
    assert answer(arch, number, 0, seccomp.TIOCLINUX) == refused(errno.EPERM)
    assert answer(arch, number, 0, 0x5413) == seccomp.ALLOW


@BOTH
def test_personality_may_be_asked_but_not_changed(arch):
    number = filtered_number(arch, "personality")
    assert answer(arch, number, 0xFFFFFFFF) == seccomp.ALLOW
    assert answer(arch, number, 0x0040000) == refused(errno.EPERM)


@BOTH
def test_no_jump_leaves_the_program(arch):
    program = seccomp.assemble(arch)
    assert len(program) < 4096
    assert program[-1].k == seccomp.ALLOW
    for position, step in enumerate(program):
        if step.code in (seccomp.JEQ, seccomp.JGT, seccomp.JGE, seccomp.JSET):
            assert position + 1 + max(step.jt, step.jf) < len(program)


def test_the_compiled_filter_has_eight_bytes_per_instruction():
    assert len(seccomp.compiled("aarch64")) == 8 * len(seccomp.assemble(AARCH64))


def test_an_unknown_machine_has_no_filter():
    with pytest.raises(seccomp.UnsupportedArchitecture):
        seccomp.compiled("riscv64")


@BOTH
def test_denied_numbers_are_unique(arch):
    numbers = denied_numbers(arch)
    assert len(set(numbers)) == len(numbers)
