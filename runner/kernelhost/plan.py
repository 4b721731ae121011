"""Puts one kernel's confinement together from its kernelspec, its caps and its data directory."""

from __future__ import annotations

from pathlib import Path

from runner.kernelhost.confinement import Caps, Confinement
from runner.kernelhost.environments import KernelDefinition
from runner.kernelhost.protocol import Limits
from runner.kernelhost.sandbox_files import (
    base_environment,
    data_environment,
    synthetic_etc,
    system_binds,
)
from runner.kernelhost.staging import Staging


def caps_of(limits: Limits) -> Caps:
    """The kernel's caps as the run's limits ask for them."""
    return Caps(memory_bytes=limits.memory_bytes, processes=limits.processes)


def plan(
    *,
    definition: KernelDefinition,
    caps: Caps,
    staging: Staging,
    host_uid: int | None,
    cgroup: bool,
    data_dir: Path | None = None,
) -> Confinement:
    """The confinement of one kernel. ``data_dir`` is empty until a run brings its data sources."""
    binds, links = system_binds()
    env = {**base_environment(), **data_environment(), **dict(definition.env)}
    return Confinement(
        binds=tuple(staging.bind(bind) for bind in (*binds, *definition.binds)),
        links=(*links, *definition.links),
        files=synthetic_etc(),
        env=tuple(sorted(env.items())),
        caps=caps,
        host_uid=host_uid,
        cgroup=cgroup,
        data_dir=data_dir,
    )
