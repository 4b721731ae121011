"""Process 1 of every sandbox, forked from an interpreter that has imported next to nothing yet.

What a fork costs grows with the memory that it copies the tables of.  So the warm template forks once
for a sandbox, its kernel, and the process that every process namespace needs first comes from here.
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket

from . import linux

BIRTH = b"init"
MAX_MESSAGE_BYTES = 256


class Nursery:
    """Asks for the first process of a new namespace; lives in the template."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door

    def new_init(self) -> int:
        """A descriptor of process 1 of a namespace of its own, which ends when it is killed.

        Raises:
            OSError: there is no room for another one, or nobody to make it.
        """
        self._door.send(BIRTH)
        reason, received, _, _ = socket.recv_fds(self._door, MAX_MESSAGE_BYTES, 1)
        if not received:
            raise OSError(f"no process 1: {reason.decode() or 'its parent ended'}")
        return received[0]


def leave_nursery() -> Nursery:
    """Go on as a child of the nursery, which makes process 1 of each sandbox and ends with this child.

    Libraries see that they were forked by their number.  Every kernel is process 2 of its
    namespace, and so would its template have been.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    template = os.fork()
    if template:
        code = 1
        try:
            code = _attend(theirs.detach(), template)
        finally:
            os._exit(code)
    theirs.close()
    return Nursery(ours)


def _attend(door_fd: int, template: int) -> int:
    """Serve the template until it ends; answers its exit code."""
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
    template_fd = os.pidfd_open(template)
    _close_all_but(door_fd, own_pids, template_fd)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    door = socket.socket(fileno=door_fd)
    inits: dict[int, int] = {}
    while True:
        readable, _, _ = select.select([door_fd, template_fd, *inits], [], [])
        for pidfd in inits.keys() & set(readable):
            os.waitpid(inits.pop(pidfd), 0)
            os.close(pidfd)
        is_asked = door_fd in readable and door.recv(len(BIRTH)) == BIRTH
        if is_asked:
            _bear(door, own_pids, inits)
        elif template_fd in readable or door_fd in readable:
            return os.waitstatus_to_exitcode(os.waitpid(template, 0)[1]) & 0xFF


def _bear(door: socket.socket, own_pids: int, inits: dict[int, int]) -> None:
    try:
        pidfd, pid = _new_init(own_pids)
    except OSError as problem:
        door.send(str(problem).encode()[:MAX_MESSAGE_BYTES])
        return
    inits[pidfd] = pid
    socket.send_fds(door, [BIRTH], [pidfd])


def _new_init(own_pids: int) -> tuple[int, int]:
    """A descriptor and the number of a process 1."""
    linux.unshare(linux.CLONE_NEWPID)
    try:
        pid = os.fork()
        if pid == 0:
            _be_init()
    finally:
        linux.setns(own_pids, linux.CLONE_NEWPID)
    try:
        return os.pidfd_open(pid), pid
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _be_init() -> None:
    """Never returns: reap whatever has lost its parent, with nothing in hand, until killed."""
    try:
        linux.drop_all_capabilities()
        _close_all_but()
        while True:
            signal.sigwait({signal.SIGCHLD})
            _reap()
    finally:
        os._exit(1)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _close_all_but(*kept: int) -> None:
    edges = [-1, *sorted(kept), linux.highest_descriptor() + 1]
    for before, after in itertools.pairwise(edges):
        os.closerange(before + 1, after)
