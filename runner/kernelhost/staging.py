"""The host's own working directory and, as root, its private view of the file system.

A kernel's bubblewrap runs under an unprivileged uid and cannot enter a home
of mode 0700, where an interpreter may well live. As root the host therefore
binds what it needs below its own directory, in a mount namespace of its own:
the mounts are visible to nobody else and vanish with the host, however it ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.kernelhost.environments import Bind

PREFIX = "countersign-kernelhost-"
LOCK_NAME = "host.lock"
UNLOCKED_AGE_S = 60
CLONE_NEWNS = 0x00020000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
# MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, without MS_RDONLY
WRITABLE_REMOUNT = 32 | MS_BIND | 2 | 4 | 8

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(
    source: str, target: str, kind: str | None, flags: int, data: str | None
) -> None:
    encoded = [
        part.encode() if part is not None else None
        for part in (source, target, kind, data)
    ]
    _check(
        _libc.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]),
        f"mount on {target}",
    )


@dataclass
class Staging:
    """The working directory ``root``; ``private`` when it is a mount of our own."""

    root: Path
    lock_fd: int
    private: bool
    staged: dict[str, str] = field(default_factory=dict)

    @property
    def sockets(self) -> Path:
        """Where the data proxies listen, one directory per run."""
        return self.root / "sockets"

    def reachable(self, path: str) -> str:
        """A path to the same directory that an unprivileged kernel uid can walk to."""
        if not self.private:
            return path
        if path not in self.staged:
            self.staged[path] = self._bind(path)
        return self.staged[path]

    def bind(self, bind: Bind) -> Bind:
        """``bind`` with a reachable source."""
        return Bind(self.reachable(bind.source), bind.target)

    def _bind(self, path: str) -> str:
        target = self.root / "shown" / str(len(self.staged))
        if Path(path).is_dir():
            target.mkdir(mode=0o755)
        else:
            target.touch(mode=0o644)
        _mount(path, str(target), None, MS_BIND | MS_REC, None)
        return str(target)

    def close(self) -> None:
        """Remove the directory; mounts go with the process."""
        if self.private:
            _libc.umount2(str(self.root).encode(), 2)
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self.lock_fd)


def enter(parent: Path | None = None) -> Staging:
    """Make the working directory. Call it before any thread starts: a mount namespace is per thread.

    Raises:
        OSError: as root, when the private mount namespace is refused.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock_fd = os.open(root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    private = os.geteuid() == 0
    if private:
        _check(_libc.unshare(CLONE_NEWNS), "a private mount namespace")
        _mount("none", "/", None, MS_REC | MS_PRIVATE, None)
        _mount("countersign", str(root), "tmpfs", 0, "size=4m,mode=0711")
        make_cgroups_writable()
    staging = Staging(root, lock_fd, private)
    staging.sockets.mkdir(mode=0o711)
    (root / "shown").mkdir(mode=0o711)
    return staging


def make_cgroups_writable(mounts: Path = Path("/proc/self/mounts")) -> None:
    """Containers see the control groups read-only; in our own mount namespace we need not.

    Where this is refused, the self-test finds that the cgroup layer is missing.
    """
    for line in mounts.read_text().splitlines():
        _, target, kind, options = line.split(" ")[:4]
        if kind in ("cgroup", "cgroup2") and "ro" in options.split(","):
            with suppress(OSError):
                _mount("none", target, None, WRITABLE_REMOUNT, None)


def sweep(parent: Path) -> list[Path]:
    """Remove the directories that dead hosts of this user left behind."""
    removed = []
    for path in parent.glob(f"{PREFIX}*"):
        # Another host may be removing its own, or the same one.
        with suppress(FileNotFoundError):
            mine = not path.is_symlink() and path.stat().st_uid == os.geteuid()
            if mine and _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
    return removed


def _is_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # Another host may be between its first two steps.
        return time.time() - path.stat().st_mtime > UNLOCKED_AGE_S
    except OSError:
        return False
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        return True
    os.close(descriptor)
    return False
