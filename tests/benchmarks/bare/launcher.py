"""Hosts and launchers that confine nothing, around the same kernel, client and wait for its answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.kernelhost import endpoints, fork, kernel, templates
from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import Caps, Confinement, Layer
from runner.kernelhost.environments import INSIDE
from runner.kernelhost.host import Host
from runner.kernelhost.plan import plan
from runner.kernelhost.provisioner import CONNECTION_FILE
from runner.kernelhost.sandbox import Sandbox
from tests.benchmarks.bare.names import BARE


def template_of_both(folder: Path) -> None:
    """Let templates of this process fork with confinement and without."""
    package = folder / "template"
    shutil.copytree(fork.PACKAGE, package)
    (package / "serve.py").rename(package / "usual.py")
    for name in ("serve.py", "names.py"):
        shutil.copy(Path(__file__).with_name(name), package / name)
    templates.PACKAGE = package


class BareHost(Host):
    """Gives a kernel no user and no control group of its own."""

    def lease_uid(self, stack: Any) -> int | None:
        """None: it stays whose process it is."""
        return None

    def create_cgroup(self, name: str, caps: Caps) -> RunCgroup | None:
        """None: it may use what the machine has."""
        return None


def bare_plan(**given: Any) -> Confinement:
    """The plan of a kernel, which a template of both takes for an order to confine nothing."""
    return replace(plan(**given), hostname=BARE)


def start_bare(is_bare: bool) -> None:
    """Let the kernels that are started next be ordered bare, or again as ever."""
    kernel.plan = bare_plan if is_bare else plan


class PlainExec:
    """Starts the kernel's command as it is, with the same variables, on the machine itself."""

    name = "plain"
    pid: int | None = None
    inherited_bytes = 0
    data_dirs: Path | None = None
    further: tuple[Layer, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def launch(
        self,
        confinement: Confinement,
        command: tuple[str, ...],
        *,
        cgroup: RunCgroup | None,
    ) -> Sandbox:
        """Start it; its sockets and its connection file lie in a directory of its own."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        endpoints.PREFIX_INSIDE = f"{self.folder}/k"
        (file,) = [each for each in confinement.files if each.target == CONNECTION_FILE]
        connection = {**json.loads(file.content), "ip": endpoints.PREFIX_INSIDE}
        (self.folder / "connection.json").write_text(json.dumps(connection))
        (root,) = [each.source for each in confinement.binds if each.target == INSIDE]
        paths = {CONNECTION_FILE: f"{self.folder}/connection.json", INSIDE: root}
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [_outside(part, paths) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd=self.folder,
            env={
                name: _outside(value, paths)
                for name, value in (
                    *confinement.env,
                    *(("HOME", str(self.folder)), ("IPYTHONDIR", str(self.folder))),
                )
            },
        )
        os.close(writing)
        return Sandbox(
            init_pid=process.pid,
            init_fd=os.pidfd_open(process.pid),
            output=reading,
            cgroup=None,
            monitor=process,
        )


def _outside(text: str, paths: dict[str, str]) -> str:
    for inside, outside in paths.items():
        text = text.replace(inside, outside)
    return text
