"""Puts one run's confinement together from its kernel, its caps and its data sources."""

from __future__ import annotations

from pathlib import Path

from runner.kernelhost.confinement import DATA_DIR, Caps, Confinement
from runner.kernelhost.environments import Bind, KernelDefinition
from runner.kernelhost.protocol import DataSource, ExecuteRequest
from runner.kernelhost.sandbox_files import (
    base_environment,
    data_environment,
    service_file,
    synthetic_etc,
    system_binds,
)
from runner.kernelhost.staging import Staging

DATA_SOCKET_NAME = ".s.PGSQL.5432"


def caps_of(request: ExecuteRequest) -> Caps:
    """The kernel's caps as the request asks for them."""
    return Caps(
        memory_bytes=request.limits.memory_bytes, processes=request.limits.processes
    )


def data_binds(sockets: dict[str, Path]) -> tuple[Bind, ...]:
    """Each data source's socket, at the place where libpq looks for it."""
    return tuple(
        Bind(str(path), f"{DATA_DIR}/{name}/{DATA_SOCKET_NAME}")
        for name, path in sockets.items()
    )


def plan(
    *,
    definition: KernelDefinition,
    caps: Caps,
    staging: Staging,
    host_uid: int | None,
    cgroup: bool,
    sources: tuple[DataSource, ...] = (),
    sockets: dict[str, Path] | None = None,
) -> Confinement:
    """The confinement of one run."""
    binds, links = system_binds()
    names = [(source.name, source.user, source.database) for source in sources]
    files = synthetic_etc() + ((service_file(names),) if names else ())
    env = {**base_environment(), **data_environment(names), **dict(definition.env)}
    return Confinement(
        binds=(
            *(staging.bind(bind) for bind in (*binds, *definition.binds)),
            *data_binds(sockets or {}),
        ),
        links=(*links, *definition.links),
        files=files,
        env=tuple(sorted(env.items())),
        caps=caps,
        host_uid=host_uid,
        cgroup=cgroup,
    )
