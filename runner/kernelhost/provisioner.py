"""The kernel provisioner: jupyter_client's door to a sandboxed kernel."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Instance, Type

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import KERNEL_DIR, Confinement, DataFile
from runner.kernelhost.endpoints import PORTS, PREFIX_INSIDE, Endpoints
from runner.kernelhost.environments import KernelDefinition
from runner.kernelhost.guarded import GuardedChannel
from runner.kernelhost.sandbox import Launcher, Sandbox, SandboxUnavailable

CONNECTION_FILE = f"{KERNEL_DIR}/connection.json"
# One message of a kernel; a larger one drops its connection.
CURVE_KEYS = {"curve_publickey", "curve_secretkey"}
RECONNECT_MS = 2
HANDSHAKE_MS = 3000
MAX_MESSAGE_BYTES = 16 * 1024 * 1024


def zmq_context() -> zmq.asyncio.Context:
    """The host's ZeroMQ context: every socket bounded, none waiting at close."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    context.setsockopt(zmq.LINGER, 0)
    # A socket's name is there a moment before the kernel listens on it.
    context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    # A handshake that got lost while the kernel started is begun anew.
    context.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    return context


class SandboxProvisioner(KernelProvisionerBase):
    """Starts the kernel in a sandbox and speaks for its process."""

    definition: KernelDefinition
    confinement: Confinement
    cgroup: RunCgroup | None = None
    launcher: Launcher
    manager: SandboxKernelManager
    sandbox: Sandbox | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.endpoints = Endpoints()

    @property
    def has_process(self) -> bool:
        """Whether a sandbox runs."""
        return self.sandbox is not None and not self.sandbox.gone.done()

    async def poll(self) -> int | None:
        """None while the kernel lives, else its exit code."""
        if self.sandbox is None:
            return 0
        return self.sandbox.gone.result() if self.sandbox.gone.done() else None

    async def wait(self) -> int | None:
        """Wait for the sandbox to end."""
        return None if self.sandbox is None else await asyncio.shield(self.sandbox.gone)

    async def sandbox_gone(self) -> None:
        """Return when the sandbox has ended."""
        if self.sandbox is not None:
            await asyncio.shield(self.sandbox.gone)

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group."""
        if self.sandbox is not None:
            self.sandbox.signal_kernel(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the whole sandbox."""
        if self.sandbox is not None:
            self.sandbox.kill()

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the kernel fixed addresses and, where its kernelspec can, an encryption key pair.

        The host's environment is not passed on: the confinement holds it all.
        """
        manager = self.manager
        manager.endpoints = self.endpoints
        manager.transport, manager.ip = "ipc", PREFIX_INSIDE
        for channel, port in PORTS.items():
            setattr(manager, f"{channel}_port", port)
        if self.definition.encrypts:
            manager.curve_publickey, manager.curve_secretkey = zmq.curve_keypair()
        self.connection_info = manager.get_connection_info()
        return {"cmd": list(self.command()), "env": {}}

    def command(self) -> tuple[str, ...]:
        """The kernelspec's command with the connection file's path filled in."""
        return tuple(
            part.replace("{connection_file}", CONNECTION_FILE)
            for part in self.definition.argv
        )

    def connection_file(self) -> DataFile:
        """The connection file, which exists inside the sandbox only."""
        text = {
            k: v.decode() if isinstance(v, bytes) else v
            for k, v in self.connection_info.items()
        }
        # ipykernel writes its own file anew.
        return DataFile(
            CONNECTION_FILE, json.dumps(text).encode(), 0o600, writable=True
        )

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the sandbox and wait for the kernel's sockets.

        Raises:
            SandboxUnavailable: it could not be launched, or the kernel ended at once.
        """
        confinement = self.confinement.with_file(self.connection_file())
        self.sandbox = await self.launcher.launch(
            confinement, tuple(cmd), cgroup=self.cgroup
        )
        await self.endpoints.wait(self.sandbox)
        if self.sandbox.gone.done():
            raise SandboxUnavailable(
                f"the kernel ended before it was ready: {self.last_words()}"
            )
        return self.connection_info

    def last_words(self) -> str:
        """The last line of stdout and stderr. Read it only while no cell has run: it may quote data later."""
        text = b"".join(self.sandbox.last_words) if self.sandbox else b""
        lines = text.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    async def cleanup(self, restart: bool = False) -> None:
        """Drop the references to the kernel's sockets."""
        self.endpoints.close()

    def resolve_path(self, path_str: str) -> str | None:
        """Paths of the kernel mean nothing on the host."""
        return None


class _Reached:
    """Connects through opened sockets instead of path names."""

    endpoints: Endpoints

    def _make_url(self, channel: str) -> str:
        return self.endpoints.url(channel)


class SandboxKernelClient(_Reached, AsyncKernelClient):
    """A client of one sandboxed kernel. It never answers requests for input."""

    shell_channel_class = Type(GuardedChannel)
    iopub_channel_class = Type(GuardedChannel)
    control_channel_class = Type(GuardedChannel)
    allow_stdin = False

    def open_channels(self) -> None:
        """Connect shell, IOPub and control. There is no standard input, and no heartbeat: we see the process."""
        for channel in (self.shell_channel, self.iopub_channel, self.control_channel):
            channel.start()

    def close_channels(self) -> None:
        """Close the channels that were opened. The library's own way would first connect the missing ones."""
        for channel in (
            self._shell_channel,
            self._iopub_channel,
            self._control_channel,
        ):
            if channel is not None:
                channel.stop()


class SandboxKernelManager(_Reached, AsyncKernelManager):
    """Manages one sandboxed kernel; made by :func:`manager_for`."""

    context = Instance(zmq.asyncio.Context)
    provisioner: SandboxProvisioner

    def open_client(self) -> SandboxKernelClient:
        """A client that shares the host's bounded context."""
        info: dict[str, Any] = dict(self.get_connection_info(session=True))
        for key in CURVE_KEYS & info.keys():
            info[key] = info[key].encode("ascii")
        client = SandboxKernelClient(**info, context=self.context, parent=self)
        client.endpoints = self.endpoints
        return client

    def release(self) -> None:
        """Close what this process holds of the kernel's sockets."""
        self._close_control_socket()
        self.provisioner.endpoints.close()

    def _reconcile_connection_info(self, info: Any) -> None:
        """The provisioner took the addresses from here; there is nothing to reconcile or to write."""

    def cleanup_connection_file(self) -> None:
        """Nothing to remove: the file was never on the host."""

    def cleanup_ipc_files(self) -> None:
        """Nothing to remove: the addresses are names inside the sandbox, not on the host."""


def manager_for(
    *,
    definition: KernelDefinition,
    confinement: Confinement,
    cgroup: RunCgroup | None,
    launcher: Launcher,
    context: zmq.asyncio.Context,
) -> SandboxKernelManager:
    """A manager whose provisioner holds the confinement of this run."""
    spec = KernelSpec(
        argv=list(definition.argv), interrupt_mode=definition.interrupt_mode
    )
    spec.metadata = {"supported_encryption": ["curve"]} if definition.encrypts else {}
    manager = SandboxKernelManager(
        kernel_name=definition.kernel_name,
        context=context,
        client_factory=SandboxKernelClient,
        transport_encryption="required" if definition.encrypts else "disabled",
        connection_file=CONNECTION_FILE,
    )
    manager._kernel_spec = spec
    provisioner = SandboxProvisioner(
        kernel_id=definition.kernel_name, kernel_spec=spec, parent=manager
    )
    provisioner.manager = manager
    provisioner.definition, provisioner.confinement = definition, confinement
    provisioner.cgroup, provisioner.launcher = cgroup, launcher
    manager.provisioner = provisioner
    return manager
