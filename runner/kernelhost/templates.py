"""Which launcher starts a kernel: the environment's template where there is a good one, else bubblewrap."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from runner.kernelhost import selftest
from runner.kernelhost.environments import KernelDefinition
from runner.kernelhost.fork import PACKAGE, Template, can_fork
from runner.kernelhost.host import Host
from runner.kernelhost.plan import plan
from runner.kernelhost.sandbox import Launcher, SandboxUnavailable

log = logging.getLogger(__name__)

#: After a template that could not be used.
RETRY_PAUSE_S = 300.0


class Templates:
    """The warm templates of one host, one per kernel definition."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._ready: dict[KernelDefinition, Template] = {}
        self._starting: dict[KernelDefinition, asyncio.Task[None]] = {}
        self._failed_at: dict[KernelDefinition, float] = {}
        self._retired: list[Template] = []

    def launcher(self, definition: KernelDefinition) -> Launcher:
        """What starts a kernel of this definition now."""
        template = self._ready.get(definition)
        if template is not None and template.accepts:
            return template
        return self.host.bubblewrap

    def want(self, definition: KernelDefinition, then: Callable[[], None]) -> bool:
        """Have a template of ``definition``; False while one starts, after which ``then`` is called."""
        if not self._can_have(definition):
            return True
        template = self._ready.get(definition)
        accepts = template is not None and template.accepts
        if (
            template is not None
            and accepts
            and template.forks < self.host.settings.template_forks
        ):
            return True
        if definition not in self._starting:
            task = asyncio.create_task(self._start(definition))
            self._starting[definition] = task
            task.add_done_callback(lambda _: self._on_started(definition, then))
        return accepts

    def _can_have(self, definition: KernelDefinition) -> bool:
        return (
            self.host.settings.forks
            and can_fork(definition.argv)
            and time.monotonic() - self._failed_at.get(definition, -RETRY_PAUSE_S)
            >= RETRY_PAUSE_S
        )

    def _on_started(
        self, definition: KernelDefinition, then: Callable[[], None]
    ) -> None:
        task = self._starting.pop(definition)
        if not task.cancelled():
            then()

    async def _start(self, definition: KernelDefinition) -> None:
        try:
            template = await self._warm(definition)
        except Exception as problem:  # noqa: BLE001 - whatever it is, bubblewrap is there
            log.warning("%s is not forked: %r", definition.environment, problem)
            self._failed_at[definition] = time.monotonic()
            return
        await self._retire(definition)
        self._ready[definition] = template
        log.info(
            "%s is warm, forks from process %s", definition.environment, template.pid
        )

    async def _warm(self, definition: KernelDefinition) -> Template:
        """A template whose forks were seen to be confined as well as anything else of this host.

        Raises:
            PROBE_FAILURES: there can be none.
        """
        host = self.host
        with ExitStack() as stack:
            data_dirs = host.staging.sockets / f"template-{secrets.token_hex(4)}"
            data_dirs.mkdir(mode=0o711)
            stack.callback(_remove_if_empty, data_dirs)
            confinement = plan(
                definition=definition,
                caps=host.settings.pool_caps,
                staging=host.staging,
                host_uid=host.lease_uid(stack),
                cgroup=False,
            )
            template = Template(confinement, data_dirs)
            template.resources.push(stack.pop_all())
        try:
            await template.start(
                bwrap=host.bubblewrap.bwrap,
                package=host.staging.reachable(str(PACKAGE)),
            )
            await self._require_layers(template, definition)
        except BaseException:
            await template.close()
            raise
        # The probe was no run's.
        template.forks = 0
        return template

    async def _require_layers(
        self, template: Template, definition: KernelDefinition
    ) -> None:
        """Insist on every layer that is possible here."""
        command = selftest.probe_command("python")
        layers, template.further = await self.host.probe(template, definition, command)
        lost = [
            f"{layer.name}: {layer.seen}"
            for layer in (*layers, *template.further)
            if not layer.holds and layer.name not in self.host.impossible
        ]
        if lost:
            raise SandboxUnavailable("; ".join(lost))

    async def _retire(self, definition: KernelDefinition) -> None:
        """Let older templates go as soon as the last kernel forked from them has ended."""
        place = definition.environment, definition.kernel_name
        for known in [
            each
            for each in self._ready
            if (each.environment, each.kernel_name) == place
        ]:
            older = self._ready.pop(known)
            await older.retire()
            self._retired.append(older)
        for ended in [each for each in self._retired if not each.is_alive]:
            self._retired.remove(ended)
            await ended.close()

    async def close(self) -> None:
        """End every template, and every fork with it."""
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        for template in (*self._ready.values(), *self._retired):
            await template.close()


def _remove_if_empty(directory: Path) -> None:
    """A kernel that bubblewrap started in the template's place may still use it."""
    with suppress(OSError):
        directory.rmdir()
