"""Builds a named notebook environment from its lock: exactly these packages, and nothing else.

Standard library only, because it runs before anything is installed; usage:
``python -m runner.building NAME LOCKS_DIR ENVIRONMENTS_DIR``, or ``manage.py build_environment``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
#: Written last: an environment without it was not built to its end, and runs nothing.
LOCK_FILE = "lock.txt"
WARM_FILE = "warm.py"


class UnknownLock(Exception):
    """There is no lock of that name. Carries the names that there are."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            f"There is no environment {name!r}. Choose one of: {', '.join(known)}."
        )
        self.known = known


class BuildFailed(Exception):
    """The environment could not be built; the one that was there is as it was."""

    def __init__(self, name: str, step: str) -> None:
        super().__init__(
            f"The environment {name!r} was not built: {step} failed. See above why."
        )
        self.step = step


def build(name: str, *, locks: Path, environments: Path) -> bool:
    """Build the environment ``name``, unless it is there with these very packages.

    The old one is replaced in one step and kept beside until the next build, because a
    kernel that runs may still read from it.  Returns whether anything was built.

    Raises:
        UnknownLock: ``locks`` has no lock of that name.
        BuildFailed: a package is not to be had, or is not the one that the lock names.
    """
    known = sorted(path.stem for path in locks.glob("*.txt"))
    if not NAME.fullmatch(name) or name not in known:
        raise UnknownLock(name, known)
    lock = (locks / f"{name}.txt").read_bytes()
    root = environments.absolute() / name
    is_new = not _is_built(root, lock)
    if is_new:
        environments.mkdir(parents=True, exist_ok=True)
        for left in environments.glob(f".{name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=root.parent))
        try:
            _install(name, made, root, locks / f"{name}.txt")
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        (made / LOCK_FILE).write_bytes(lock)
        _replace(root, made)
    _copy_warm_up(locks / f"{name}.warm.py", root / WARM_FILE)
    return is_new


def _is_built(root: Path, lock: bytes) -> bool:
    file = root / LOCK_FILE
    return file.exists() and file.read_bytes() == lock


def _install(name: str, made: Path, root: Path, lock: Path) -> None:
    made.chmod(0o755)  # kernels are other users
    venv.create(made, with_pip=True, symlinks=True)
    python = str(made / "bin" / "python")
    _run(name, "pip", python, *PIP, "--require-hashes", "--requirement", str(lock))
    if any(made.glob("lib/python*/site-packages/bash_kernel")):
        _run(name, "bash_kernel", python, "-m", "bash_kernel.install", "--prefix", made)
    _name_its_place(made, root)


def _name_its_place(made: Path, root: Path) -> None:
    """Let what names its own place name the one where it will be: programs and kernels."""
    for pattern in ("bin/*", "pyvenv.cfg", "share/jupyter/kernels/*/kernel.json"):
        for file in made.glob(pattern):
            # An interpreter is a link to another place.
            if file.is_symlink() or not file.is_file():
                continue
            content = file.read_bytes()
            named = content.replace(bytes(made), bytes(root))
            if named != content:
                file.write_bytes(named)


def _run(name: str, step: str, *command: str | Path) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        raise BuildFailed(name, step)


def _replace(root: Path, made: Path) -> None:
    if root.exists():
        kept = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
        root.rename(kept / root.name)
    made.rename(root)


def _copy_warm_up(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copyfile(source, target)
    else:
        target.unlink(missing_ok=True)


def main(name: str, locks: str, environments: str) -> int:
    """Build one environment; the exit code says whether it is there."""
    try:
        build(name, locks=Path(locks), environments=Path(environments))
    except (UnknownLock, BuildFailed) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
