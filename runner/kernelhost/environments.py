"""Notebook environments: which interpreter, kernelspec and directories a kernel needs.

An environment is a virtual environment below ``ENVIRONMENTS_DIR``. A kernel
name is looked up in its own ``share/jupyter/kernels`` and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Where every environment appears inside the sandbox: no path of this machine shows.
INSIDE = "/opt/environment"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Present in every sandbox anyway.
SYSTEM_PREFIXES = (Path("/"), Path("/usr"), Path("/usr/local"))
MAX_LINK_HOPS = 16
CONNECTION_FILE = "{connection_file}"
# A copy of the lock that an environment was built from, put there when the build had ended.
LOCK_FILE = "lock.txt"


class UnknownEnvironment(Exception):
    """The environment or its kernel does not exist on this kernel host."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EnvironmentDiffers(Exception):
    """The environment was built from another lock than the one that was approved."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self.message = (
            f"The environment {environment!r} of this kernel host is not the one that the "
            "version was approved with."
        )


@dataclass(frozen=True)
class Bind:
    """A directory or file of the host, shown read-only at ``target`` inside."""

    source: str
    target: str


@dataclass(frozen=True)
class KernelDefinition:
    """What a kernelspec says, translated to paths inside the sandbox."""

    environment: str
    kernel_name: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    encrypts: bool
    interrupt_mode: str
    binds: tuple[Bind, ...]
    links: tuple[Bind, ...]
    lock_sha256: str | None = None

    def require_lock(self, sha256: str) -> None:
        """Insist on the packages that were approved.

        Raises:
            EnvironmentDiffers: it was built from another lock, or its build did not end.
        """
        if self.lock_sha256 != sha256:
            raise EnvironmentDiffers(self.environment)


def _checked(name: str, kind: str) -> str:
    if not NAME.fullmatch(name):
        raise UnknownEnvironment(f"{name!r} is not a valid {kind} name.")
    return name


def is_interpreter_prefix(prefix: Path) -> bool:
    """Whether ``prefix`` is the root of a Python installation, and not, say, a home."""
    return (prefix / "bin").is_dir() and any((prefix / "lib").glob("*python3*"))


def interpreter_binds(environment: Path) -> tuple[tuple[Bind, ...], tuple[Bind, ...]]:
    """What lies outside an environment but is needed by its interpreter: (directories, links).

    The interpreter may live below a home that nobody else may enter. Only the
    installation itself is shown, at the path that the links lead to.
    """
    binds: dict[str, Bind] = {}
    links: dict[str, Bind] = {}
    here = environment / "bin" / "python"
    for _ in range(MAX_LINK_HOPS):
        if not here.is_symlink():
            break
        here = _follow(here)
        if here.is_relative_to(environment):
            continue
        prefix = here.parent.parent
        if prefix.resolve() in SYSTEM_PREFIXES:
            continue
        if is_interpreter_prefix(prefix):
            binds[str(prefix)] = Bind(str(prefix.resolve()), str(prefix))
        elif here.is_symlink():
            links[str(here)] = Bind(str(here.readlink()), str(here))
    return tuple(binds.values()), tuple(links.values())


def _follow(link: Path) -> Path:
    target = link.readlink()
    return (
        target if target.is_absolute() else Path(*_normal((link.parent / target).parts))
    )


def _normal(parts: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept.pop()
        elif part != ".":
            kept.append(part)
    return kept


def _read_kernelspec(directory: Path) -> dict[str, Any]:
    try:
        spec = json.loads((directory / "kernel.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UnknownEnvironment(
            f"Kernel {directory.name!r} cannot be read."
        ) from problem
    if (
        not isinstance(spec, dict)
        or not isinstance(spec.get("argv"), list)
        or not spec["argv"]
    ):
        raise UnknownEnvironment(f"Kernel {directory.name!r} names no command.")
    return spec


def _inside(text: str, environment: Path, resource_dir: Path) -> str:
    text = text.replace("{resource_dir}", str(resource_dir)).replace("{prefix}", INSIDE)
    return text.replace(str(environment), INSIDE)


def _command(
    spec: dict[str, Any], environment: Path, resource_dir: Path
) -> tuple[str, ...]:
    argv = [
        _inside(str(argument), environment, resource_dir) for argument in spec["argv"]
    ]
    if "/" not in argv[0] and (environment / "bin" / argv[0]).exists():
        argv[0] = f"{INSIDE}/bin/{argv[0]}"
    return tuple(argv)


def resolve(environments: Path, environment: str, kernel_name: str) -> KernelDefinition:
    """Look up a kernel.

    Raises:
        UnknownEnvironment: the environment or the kernel is not there.
    """
    root = (environments / _checked(environment, "environment")).absolute()
    if not (root / "bin" / "python").exists():
        raise UnknownEnvironment(
            f"Environment {environment!r} is not installed on this kernel host."
        )
    resource_dir = (
        root / "share" / "jupyter" / "kernels" / _checked(kernel_name, "kernel")
    )
    if not resource_dir.is_dir():
        raise UnknownEnvironment(
            f"Environment {environment!r} has no kernel {kernel_name!r}."
        )
    spec = _read_kernelspec(resource_dir)
    metadata = spec.get("metadata") or {}
    binds, links = interpreter_binds(root)
    env = {
        str(k): _inside(str(v), root, resource_dir)
        for k, v in (spec.get("env") or {}).items()
    }
    return KernelDefinition(
        environment=environment,
        kernel_name=kernel_name,
        argv=_command(spec, root, resource_dir),
        env=tuple(sorted(env.items())),
        encrypts="curve" in (metadata.get("supported_encryption") or ()),
        interrupt_mode=str(spec.get("interrupt_mode", "signal")),
        binds=(Bind(str(root), INSIDE), *binds),
        links=links,
        lock_sha256=_lock_sha256(root),
    )


def _lock_sha256(root: Path) -> str | None:
    try:
        return hashlib.sha256((root / LOCK_FILE).read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
