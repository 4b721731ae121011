"""The kernel host's settings, from the environment. Every NAME may also be given as NAME_FILE."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.kernelhost.confinement import Caps
from runner.kernelhost.protocol import Limits
from runner.logs import FORMATS

POOL = "KERNEL_HOST_POOL"
DEFAULT_POOL = "python-analytics/python3=2"
POOL_ENTRY = re.compile(r"([\w.-]+)/([\w.-]+)=(\d{1,3})", re.ASCII)
USUAL = Limits()
REPOSITORY = Path(__file__).resolve().parents[2]


class InvalidSetting(Exception):
    """A setting has a value that the host does not understand. Carries its name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name} {message}")
        self.name = name


@dataclass(frozen=True)
class HostSettings:
    """Where the host listens, what it runs, and whether it may run with a layer missing."""

    socket: Path
    environments: Path
    degraded_allowed: bool
    client_uid: int | None
    bwrap: str | None
    max_runs: int
    drain_s: float
    #: How many kernels wait, by environment and kernel name, and with which caps.
    pool: Mapping[tuple[str, str], int]
    pool_caps: Caps
    #: Whether kernels may be forked from a template of their environment.
    forks: bool
    #: How often one template is forked before another takes its place.
    template_forks: int
    log_format: str = "json"


def _value(environ: Mapping[str, str], name: str, default: str = "") -> str:
    if file := environ.get(f"{name}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return environ.get(name, default)


def _number(environ: Mapping[str, str], name: str, default: str) -> float:
    text = _value(environ, name, default)
    try:
        return float(text)
    except ValueError:
        raise InvalidSetting(name, f"must be a number, not {text!r}.") from None


def _pool(environ: Mapping[str, str]) -> dict[tuple[str, str], int]:
    """Read ``environment/kernel=count``, comma-separated."""
    sizes = {}
    for entry in _value(environ, POOL, DEFAULT_POOL).split(","):
        if not entry.strip():
            continue
        match = POOL_ENTRY.fullmatch(entry.strip())
        if not match:
            raise InvalidSetting(
                POOL, f"must read like python-analytics/python3=2, not {entry!r}."
            )
        environment, kernel_name, count = match.groups()
        sizes[environment, kernel_name] = int(count)
    return sizes


def _log_format(environ: Mapping[str, str]) -> str:
    name = _value(environ, "LOG_FORMAT", "json")
    if name not in FORMATS:
        raise InvalidSetting("LOG_FORMAT", f"must be json or text, not {name!r}.")
    return name


def read_settings(environ: Mapping[str, str] = os.environ) -> HostSettings:
    """Read and check the settings.

    Raises:
        InvalidSetting: a value makes no sense.
    """
    socket = _value(environ, "KERNEL_HOST_SOCKET")
    if not socket:
        raise InvalidSetting("KERNEL_HOST_SOCKET", "is not set.")
    sandbox = _value(environ, "SANDBOX", "required")
    if sandbox not in ("required", "degraded"):
        raise InvalidSetting(
            "SANDBOX", f"must be required or degraded, not {sandbox!r}."
        )
    launcher = _value(environ, "KERNEL_HOST_LAUNCHER", "fork")
    if launcher not in ("exec", "fork"):
        raise InvalidSetting(
            "KERNEL_HOST_LAUNCHER", f"must be fork or exec, not {launcher!r}."
        )
    client_uid = _value(environ, "KERNEL_HOST_CLIENT_UID")
    return HostSettings(
        socket=Path(socket).absolute(),
        environments=Path(
            _value(environ, "ENVIRONMENTS_DIR", str(REPOSITORY / ".environments"))
        ).absolute(),
        degraded_allowed=sandbox == "degraded",
        client_uid=int(_number(environ, "KERNEL_HOST_CLIENT_UID", ""))
        if client_uid
        else None,
        bwrap=_value(environ, "BWRAP") or None,
        max_runs=int(_number(environ, "KERNEL_HOST_MAX_RUNS", "32")),
        drain_s=_number(environ, "KERNEL_HOST_DRAIN_S", "5"),
        pool=_pool(environ),
        pool_caps=Caps(
            memory_bytes=int(
                _number(environ, "RUN_MEMORY_BYTES", str(USUAL.memory_bytes))
            ),
            processes=int(_number(environ, "RUN_PROCESSES", str(USUAL.processes))),
        ),
        forks=launcher == "fork",
        log_format=_log_format(environ),
        template_forks=max(
            1, int(_number(environ, "KERNEL_HOST_TEMPLATE_FORKS", "200"))
        ),
    )
