"""The fork launcher: sandboxes forked from a warm template of their environment.

The template holds no secret, because every fork can read what it held: an order, its
connection file and its filter reach it as descriptors that only the fork reads.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import (
    DATA_DIR,
    UID_INSIDE,
    Confinement,
    DataFile,
    Layer,
)
from runner.kernelhost.descriptors import Descriptors
from runner.kernelhost.environments import INSIDE, Bind
from runner.kernelhost.launcher import START_TIMEOUT_S, child_pid, spawn
from runner.kernelhost.sandbox import GONE_TIMEOUT_S, Sandbox, SandboxUnavailable
from runner.kernelhost.template.confine import DATA_DIRS, PRIVATE_DIR
from runner.kernelhost.template.order import Order
from runner.kernelhost.template.serve import ORDER
from runner.kernelhost.uids import number_in_template, template_map

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).with_name("template")
NAME_INSIDE = "countersign_template"
BOOT = (
    f"import sys; sys.path.insert(0, {PRIVATE_DIR!r}); "
    f"from {NAME_INSIDE}.serve import main; del sys.path[0]; "
    "main(int(sys.argv[1]))"
)
WARM_TIMEOUT_S = 60.0
FORK_TIMEOUT_S = 10.0
ANSWER_BYTES = 4096
#: A sandbox of a template is two processes.
FORKED = 2
PYTHON_NAMES = ("python", "python3")


class TemplateGone(SandboxUnavailable):
    """The template has ended, or could not fork."""


def can_fork(command: tuple[str, ...]) -> bool:
    """Whether a template can run this command: ``python -m module`` of the environment itself."""
    interpreters = {*PYTHON_NAMES, *(f"{INSIDE}/bin/{name}" for name in PYTHON_NAMES)}
    return len(command) > 2 and command[0] in interpreters and command[1] == "-m"


def order_for(
    confinement: Confinement,
    command: tuple[str, ...],
    *,
    inherited_bytes: int = 0,
    groups: int = 0,
) -> Order:
    """The part of a confinement that a fork does not have from its template.

    What it inherits counts as its data from the beginning, so the limit is that much higher.
    ``groups`` is how many control groups it enters by itself.
    """
    uid = confinement.host_uid
    limits = confinement.caps.resource_limits
    limits["RLIMIT_DATA"] += inherited_bytes
    return Order(
        command=command[1:],
        uid_inside=UID_INSIDE,
        user=None if uid is None else number_in_template(uid),
        hostname=confinement.hostname,
        chdir=confinement.chdir,
        tmpfs=tuple((t.target, t.size_bytes, t.mode) for t in confinement.tmpfs),
        files=tuple((file.target, file.mode) for file in _own_files(confinement)),
        rules=confinement.rules,
        limits=tuple(limits.items()),
        data=confinement.data_dir.name if confinement.data_dir else None,
        data_target=DATA_DIR,
        groups=groups,
    )


def _own_files(confinement: Confinement) -> list[DataFile]:
    """The files that no other kernel may have."""
    return [file for file in confinement.files if file.writable]


def _shared(confinement: Confinement) -> tuple[object, ...]:
    """The part of a confinement that a fork has from its template."""
    files = [file for file in confinement.files if not file.writable]
    return confinement.binds, confinement.links, confinement.env, files


def _map_users(pid: int, own: int) -> None:
    """Give a template's user namespace the users of kernels; without them it ends by itself."""
    for name in ("uid_map", "gid_map"):
        with suppress(OSError):
            Path(f"/proc/{pid}/{name}").write_text(template_map(own), encoding="ascii")


class Template:
    """One warm interpreter, in the root that its forks will have.

    ``start`` once, then ``close``; ``retire`` before that lets its last forks end by themselves.
    ``data_dirs`` holds the directories of data sockets of its forks, and of no other kernel.
    """

    name = "fork"

    def __init__(self, confinement: Confinement, data_dirs: Path) -> None:
        self.data_dirs: Path | None = data_dirs
        self.pid: int | None = None
        self.inherited_bytes = 0
        #: As its probe met them.
        self.further: tuple[Layer, ...] = ()
        self.forks = 0
        #: What to give back when it has ended.
        self.resources = ExitStack()
        self._confinement = confinement
        self._process: subprocess.Popen[bytes] | None = None
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = asyncio.Lock()

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or a fork of it."""
        return self._process is not None and self._process.poll() is None

    @property
    def accepts(self) -> bool:
        """Whether it would still fork."""
        return self.is_alive and self._door.fileno() >= 0

    async def start(self, *, bwrap: str, package: str) -> None:
        """Start it, as ``host_uid`` of its confinement, and let it warm up.

        ``package`` is where its own code lies.

        Raises:
            SandboxUnavailable: there can be none; the host's log may say more.
        """
        with Descriptors() as descriptors:
            self._door.close()
            self._door, inside = socket.socketpair(
                socket.AF_UNIX, socket.SOCK_SEQPACKET
            )
            number = descriptors.add(inside.detach())
            self._door.setblocking(False)
            info, info_inside = descriptors.pipe_from()
            mapped, map_inside = descriptors.pipe_to()
            output, output_inside = descriptors.pipe_from()
            uid = self._confinement.host_uid
            argv = self._confinement.template_argv(
                bwrap=bwrap,
                command=(f"{INSIDE}/bin/python", "-c", BOOT, str(number)),
                give=descriptors.give,
                info_fd=info_inside,
                map_fd=None if uid is None else map_inside,
                private=(
                    Bind(package, f"{PRIVATE_DIR}/{NAME_INSIDE}"),
                    Bind(str(self.data_dirs), DATA_DIRS),
                ),
            )
            self._process = spawn(argv, descriptors.given, output_inside, uid)
            descriptors.handed_over()
            _log_lines(descriptors.take(output))
            self.pid = await asyncio.wait_for(
                asyncio.to_thread(child_pid, info), START_TIMEOUT_S
            )
            if self.pid is not None and uid is not None:
                _map_users(self.pid, uid)
                os.write(mapped, b"1")
        hello, _ = await self._answer(WARM_TIMEOUT_S)
        self.inherited_bytes = json.loads(hello)["data_bytes"]

    async def launch(
        self,
        confinement: Confinement,
        command: tuple[str, ...],
        *,
        cgroup: RunCgroup | None,
    ) -> Sandbox:
        """Fork ``command`` confined. Nothing of it runs before its cgroup holds it.

        Raises:
            TemplateGone: there is nothing left to fork from, or it could not fork.
        """
        if _shared(confinement) != _shared(self._confinement):
            raise SandboxUnavailable("the template is one of another kernel")
        entrances = [] if cgroup is None else cgroup.entrances
        order = order_for(
            confinement,
            command,
            inherited_bytes=self.inherited_bytes,
            groups=len(entrances),
        )
        with Descriptors() as descriptors:
            descriptors.give("order", order.to_json())
            output, _ = descriptors.pipe_from()
            # Closed without a word, it makes a fork that nobody took give up.
            release, _ = descriptors.pipe_to()
            descriptors.give("seccomp", confinement.seccomp())
            for entrance in entrances:
                descriptors.add(os.open(entrance, os.O_WRONLY | os.O_CLOEXEC))
            for file in _own_files(confinement):
                descriptors.give(file.target, file.content)
            init_fd, kernel_fd = await self._fork(descriptors.given)
            descriptors.keep(init_fd)
            descriptors.keep(kernel_fd)
            init_pid, kernel_pid = _pid_of(init_fd), _pid_of(kernel_fd)
            # One that could not be confined has ended already; its last words say why.
            with suppress(BrokenPipeError, ProcessLookupError):
                if cgroup is not None:
                    cgroup.join(kernel_pid, entered=True)
                os.write(release, b"1")
            return Sandbox(
                init_pid=init_pid,
                init_fd=descriptors.take(init_fd),
                output=descriptors.take(output),
                cgroup=cgroup,
                kernel=(kernel_pid, descriptors.take(kernel_fd)),
            )

    async def _fork(self, descriptors: list[int]) -> list[int]:
        """Descriptors of process 1 of the new sandbox, and of its kernel."""
        async with self._turn:
            if not self.accepts:
                raise TemplateGone("the template has ended")
            try:
                socket.send_fds(self._door, [ORDER], descriptors)
                reason, received = await self._answer(FORK_TIMEOUT_S)
            except BaseException:
                # Its next answer would be taken for another order's.
                self._door.close()
                raise
            self.forks += 1
        if len(received) != FORKED:
            for descriptor in received:
                os.close(descriptor)
            raise TemplateGone(f"the template did not fork: {reason.decode()}")
        return received

    async def _answer(self, timeout_s: float) -> tuple[bytes, list[int]]:
        """The template's next message, and the descriptors with it.

        Raises:
            TemplateGone: there will be none.
        """
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._door, readable.set)
        try:
            await asyncio.wait_for(readable.wait(), timeout_s)
            text, received, _, _ = socket.recv_fds(self._door, ANSWER_BYTES, FORKED)
        except OSError as problem:  # TimeoutError is one
            raise TemplateGone(f"the template did not answer: {problem}") from problem
        finally:
            loop.remove_reader(self._door)
        if not text:
            raise TemplateGone("the template ended")
        for descriptor in received:
            os.set_inheritable(descriptor, False)
        return text, list(received)

    async def retire(self) -> None:
        """Fork no more; the template ends when its last fork has."""
        async with self._turn:
            self._door.close()

    async def close(self) -> None:
        """End the template, and with it every fork of it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                if self.pid is not None and self.is_alive:
                    os.kill(self.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        await self.retire()
        if self._process is not None:
            # Bubblewrap ends when it has reaped the template.
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, GONE_TIMEOUT_S)
        self.resources.close()


def _pid_of(pidfd: int) -> int:
    """The number, here, of a process that a template numbers otherwise.

    Raises:
        TemplateGone: it has ended already.
    """
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise TemplateGone("the fork ended at once")


def _log_lines(output: int) -> None:
    """Let the log have what a template prints, as its words and not as ours."""
    loop = asyncio.get_running_loop()
    os.set_blocking(output, False)

    def read() -> None:
        with suppress(BlockingIOError):
            text = os.read(output, ANSWER_BYTES)
            for line in text.decode(errors="replace").splitlines():
                log.warning("a template says: %s", line)
            if not text:
                loop.remove_reader(output)
                os.close(output)

    loop.add_reader(output, read)
