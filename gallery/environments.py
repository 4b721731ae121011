"""The named, locked environments that a version can ask for.

An environment is a lock file `<name>.txt` in the locks folder; its SHA-256 is part
of the version's digest, so that other packages mean another version.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from accounts.policies import BadInput, FieldError

_DEFAULTS = {"python3": "python-analytics", "bash": "bash"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", re.MULTILINE)


class UnknownEnvironment(BadInput):
    """There is no such environment."""


@dataclass(frozen=True)
class Environment:
    """One environment: its name, the digest of its lock and its package names."""

    name: str
    lock_sha256: str
    packages: frozenset[str]


def find_environment(
    *, requested: str | None, kernel_name: str, locks_dir: Path
) -> Environment:
    """Return the environment asked for, or the kernelspec's default one.

    Raises UnknownEnvironment.
    """
    name = requested or _DEFAULTS.get(kernel_name)
    known = sorted(path.stem for path in locks_dir.glob("*.txt"))
    if name is None:
        raise UnknownEnvironment(
            [
                FieldError(
                    "environment",
                    "unknown_kernel",
                    f"No environment has the kernel {kernel_name!r}. "
                    f"Choose one of: {', '.join(known)}.",
                )
            ]
        )
    if not _NAME.fullmatch(name) or name not in known:
        raise UnknownEnvironment(
            [
                FieldError(
                    "environment",
                    "unknown_environment",
                    f"There is no environment {name!r}. Choose one of: {', '.join(known)}.",
                )
            ]
        )
    lock = (locks_dir / f"{name}.txt").read_bytes()
    return Environment(
        name=name,
        lock_sha256=_sha256(lock),
        packages=frozenset(
            package.lower() for package in _PINNED.findall(lock.decode("utf-8"))
        ),
    )


def is_installed(*, name: str, lock_sha256: str, locks_dir: Path) -> bool:
    """Tell whether the environment is still the one with exactly these packages."""
    try:
        return _sha256((locks_dir / f"{name}.txt").read_bytes()) == lock_sha256
    except FileNotFoundError:
        return False


def _sha256(lock: bytes) -> str:
    return hashlib.sha256(lock).hexdigest()
