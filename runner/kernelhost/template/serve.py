"""The template's loop: warm up once, then fork one confined process per order."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from . import linux
from .confine import confine
from .nursery import Nursery, leave_nursery
from .order import Order

WARM_SCRIPT = Path(sys.prefix) / "warm.py"
WARM_MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell")
#: What a kernel imports only while it starts; not every release has all of them.
LATER_MODULES = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "code",
    "faulthandler",
    "ipykernel.debugger",
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
)
ORDER = b"fork"
#: Whoever writes it to a control group is moved there.
MYSELF = b"0"
MAX_DESCRIPTORS = 16
MAX_ORDER_BYTES = 65536
STDIN, STDOUT, STDERR = range(3)


class Unusable(Exception):
    """This interpreter may not be forked. The message says why."""


def warm_up() -> None:
    """Import and use once what most notebooks will.

    Raises:
        Unusable: something started a thread, or opened what a fork must not share.
    """
    # A debugger, which nobody could attach to, would be loaded at every start.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    for name in WARM_MODULES:
        importlib.import_module(name)
    for name in LATER_MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    if WARM_SCRIPT.exists():
        runpy.run_path(str(WARM_SCRIPT), run_name="warm")
    require_forkable()


def require_forkable() -> None:
    """Insist that a fork shares nothing with its siblings that one of them could change.

    Raises:
        Unusable: it would.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise Unusable(f"{threads} threads run in it")
    zmq = sys.modules.get("zmq")
    if zmq is not None and zmq.Context._instance is not None:
        raise Unusable("a ZeroMQ context is open in it")
    for line in Path("/proc/self/maps").read_text().splitlines():
        if {"w", "s"} <= set(line.split()[1]):
            raise Unusable(f"memory is shared in it: {line}")


def data_bytes() -> int:
    """How much of this process RLIMIT_DATA counts."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmData":
            return int(value.split()[0]) * 1024
    raise Unusable("the kernel does not say how much data it has")


class Template:
    """Serves the host at the other end of ``door``."""

    def __init__(self, door: socket.socket, nursery: Nursery) -> None:
        self.door = door
        self.nursery = nursery
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
        #: Number and process 1 of every fork, by its descriptor.
        self.children: dict[int, tuple[int, int]] = {}
        # Libraries remember the directories that they made; every fork gets them, empty.
        self.folders = [path for path in Path.home().rglob("*") if path.is_dir()]

    def serve(self) -> None:
        """Answer orders until the host closes the door, then wait for the forks to end.

        When the host or this process dies, bubblewrap ends, and every fork with it.
        """
        is_open = True
        while is_open or self.children:
            doors = [self.door.fileno()] if is_open else []
            readable, _, _ = select.select([*doors, *self.children], [], [])
            for pidfd in set(readable) & self.children.keys():
                self._bury(pidfd)
            if self.door.fileno() in readable:
                is_open = self._answer()

    def _answer(self) -> bool:
        """Serve one order; False when there will be no further one."""
        message, descriptors, _, _ = socket.recv_fds(
            self.door, len(ORDER), MAX_DESCRIPTORS
        )
        if message != ORDER:
            return False
        try:
            self._serve_order(descriptors)
        except BrokenPipeError:
            return False
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _serve_order(self, descriptors: Sequence[int]) -> None:
        try:
            forked = self._fork(descriptors)
        except OSError as problem:  # no room for another one, here or on the machine
            self.door.send(str(problem).encode())
        else:
            socket.send_fds(self.door, [ORDER], forked)

    def _bury(self, pidfd: int) -> None:
        """Reap a fork that has ended, and end its namespace with it."""
        pid, init = self.children.pop(pidfd)
        os.waitpid(pid, 0)
        os.close(pidfd)
        _end_namespace(init)

    def _fork(self, descriptors: Sequence[int]) -> tuple[int, int]:
        """Descriptors of a new fork's process 1 and of the fork itself."""
        init = self.nursery.new_init()
        pid = 0
        try:
            pid = self._fork_into(init, descriptors)
            pidfd = os.pidfd_open(pid)
        except OSError:
            _end_namespace(init)
            if pid:
                os.waitpid(pid, 0)
            raise
        self.children[pidfd] = pid, init
        return init, pidfd

    def _fork_into(self, init: int, descriptors: Sequence[int]) -> int:
        linux.setns(init, linux.CLONE_NEWPID)
        try:
            pid = os.fork()
            if pid == 0:
                _become_kernel(self.folders, descriptors)
        finally:
            linux.setns(self.own_pids, linux.CLONE_NEWPID)
        return pid


def _end_namespace(init: int) -> None:
    """Kill process 1 behind a descriptor, and with it whatever it left behind."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(init, signal.SIGKILL)
    os.close(init)


def _become_kernel(folders: Sequence[Path], descriptors: Sequence[int]) -> None:
    """Never returns: a kernel, once it is confined and the host has let it go on."""
    code = 1
    try:
        order_file, output, release, seccomp, *others = descriptors
        _open_standard(output)
        order = Order.from_json(os.pread(order_file, MAX_ORDER_BYTES, 0))
        groups, contents = others[: order.groups], others[order.groups :]
        for group in groups:
            os.write(group, MYSELF)
        if confine(order, contents, seccomp, release):
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            os.closerange(STDERR + 1, linux.highest_descriptor() + 1)
            code = _run(order.command)
    except BaseException as problem:  # noqa: BLE001 - nothing may return into the template
        _say(problem)
    finally:
        os._exit(code)


def _open_standard(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.dup2(output, STDOUT)
    os.dup2(output, STDERR)
    os.setsid()


def _say(problem: BaseException) -> None:
    with suppress(OSError):
        os.write(STDERR, f"{type(problem).__name__}: {problem}\n".encode())


def _run(command: Sequence[str]) -> int:
    """Run ``-m module arguments`` or ``-c code`` as the interpreter itself would."""
    gc.enable()
    _seed()
    how, what, *arguments = command
    sys.argv = [how, *arguments]
    try:
        if how == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
    return 0


def _seed() -> None:
    """Give this fork random numbers of its own; Python does so for ``random`` by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def main(descriptor: int) -> None:
    """Warm up and serve. An interpreter that cannot be forked says so to stderr and ends."""
    nursery = leave_nursery()
    gc.disable()
    try:
        warm_up()
        gc.collect()
        gc.freeze()
        hello = {"data_bytes": data_bytes()}
    except Unusable as problem:
        sys.stderr.write(f"This environment cannot be forked: {problem}.\n")
        sys.stderr.flush()
        # Whatever it was that runs in here need not end when it is asked to.
        os._exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    door = socket.socket(fileno=descriptor)
    door.send(json.dumps(hello).encode())
    Template(door, nursery).serve()
