"""The one confinement policy. Bubblewrap's arguments, the limits and the evidence follow from it.

A launcher (exec under bubblewrap, or fork from a template) reads this value and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from runner.kernelhost.environments import Bind
from runner.kernelhost.seccomp import compiled
from runner.kernelhost.template.confine import PRIVATE_DIR

MIB = 1024 * 1024
UID_INSIDE = 1000
HOME = "/home/kernel"
# Inside the sandbox; the host's own are never shown.
TEMPORARY = "/".join(("", "tmp"))
SHARED_MEMORY = "/".join(("", "dev", "shm"))
KERNEL_DIR = "/run/kernel"
DATA_DIR = "/run/data"
#: Where a kernel may write, each a memory file system of its own.
WRITABLE = (TEMPORARY, HOME, KERNEL_DIR, SHARED_MEMORY)

# Every layer that can stand between a kernel and the host.
NAMESPACES = ("mount", "pid", "network", "ipc", "uts", "user")
REQUIRED_LAYERS = (
    *NAMESPACES,
    "nested_user_namespaces",
    "read_only_files",
    "capabilities",
    "no_new_privileges",
    "seccomp",
    "vsock",
    "rlimits",
)
# Possible only when the host itself was started as root.
ROOT_LAYERS = ("uid_per_run", "cgroup")
# Not required: a launcher or the machine's kernel may have no way to them.
LANDLOCK = "landlock"
FURTHER_LAYERS = (LANDLOCK,)

# What bubblewrap makes of its own besides the root, and what Landlock allows there.
SYSTEM_RULES = (
    ("/", "list"),
    ("/proc", "use"),
    ("/dev", "use"),
    ("/dev/pts", "terminal"),
    ("/dev/tty", "terminal"),
)

# ulimit letters: c core, f file size (512-byte blocks), n descriptors, d data (KiB),
# l locked memory (KiB). The process limit is p in dash, u in bash.
LIMIT_SCRIPT = (
    'ulimit -c 0 && ulimit -f "$1" && ulimit -n "$2" && ulimit -l 0 && ulimit -d "$3" '
    '&& { ulimit -p "$4" 2>/dev/null || ulimit -u "$4"; } || exit 125; shift 4; exec "$@"'
)


@dataclass(frozen=True)
class Layer:
    """One layer of the sandbox: does it hold, and what was seen."""

    name: str
    holds: bool
    seen: str

    def as_dict(self) -> dict[str, Any]:
        """For ``status``."""
        return {"holds": self.holds, "seen": self.seen}


@dataclass(frozen=True)
class Tmpfs:
    """A file system in memory that ends with the run."""

    target: str
    size_bytes: int
    mode: int = 0o700


@dataclass(frozen=True)
class DataFile:
    """A small file that exists only inside, handed over by descriptor."""

    target: str
    content: bytes
    mode: int = 0o400
    writable: bool = False


@dataclass(frozen=True)
class Caps:
    """What one run may use. Bytes, counts, and thousandths of one CPU."""

    memory_bytes: int = 1024 * MIB
    processes: int = 64
    cpu_millis: int = 2000
    file_bytes: int = 512 * MIB
    open_files: int = 1024

    @property
    def data_bytes(self) -> int:
        """RLIMIT_DATA per process; a little above the run's cap, which the cgroup or the watcher keeps."""
        return self.memory_bytes + self.memory_bytes // 4

    @property
    def resource_limits(self) -> dict[str, int]:
        """Value by name of the resource, soft and hard."""
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": self.file_bytes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_DATA": self.data_bytes,
            "RLIMIT_NPROC": self.processes,
        }


@dataclass(frozen=True)
class Confinement:
    """Everything that a kernel can see and use. Nothing else exists for it."""

    binds: tuple[Bind, ...]
    links: tuple[Bind, ...]
    files: tuple[DataFile, ...]
    env: tuple[tuple[str, str], ...]
    caps: Caps
    host_uid: int | None
    cgroup: bool
    tmpfs: tuple[Tmpfs, ...] = (
        Tmpfs(TEMPORARY, 256 * MIB, 0o1777),
        Tmpfs(HOME, 64 * MIB),
        Tmpfs(KERNEL_DIR, 1 * MIB),
        Tmpfs(SHARED_MEMORY, 64 * MIB, 0o1777),
    )
    hostname: str = "run"
    chdir: str = HOME
    #: The host's directory for the run's data sockets, shown as DATA_DIR.
    data_dir: Path | None = None
    read_only: tuple[str, ...] = ("/dev", "/")

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """What Landlock leaves: the mounts above, and of each no more than it is for."""
        shown = [
            *(bind.target for bind in self.binds),
            *(file.target for file in self.files if not file.writable),
            *((DATA_DIR,) if self.data_dir else ()),
        ]
        return (
            *SYSTEM_RULES,
            *((target, "read") for target in shown),
            *((mount.target, "keep") for mount in self.tmpfs),
        )

    def with_file(self, file: DataFile) -> Confinement:
        """The same confinement with one more file inside."""
        return replace(self, files=(*self.files, file))

    def limit_command(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """``command`` behind the resource limits, which are set inside.

        Inside, because the process limit counts per user namespace: set
        outside, it would count every other process of the host's own user.
        """
        caps = self.caps
        values = (
            caps.file_bytes // 512,
            caps.open_files,
            caps.data_bytes // 1024,
            caps.processes,
        )
        return (
            "/bin/sh",
            "-c",
            LIMIT_SCRIPT,
            "limits",
            *(str(value) for value in values),
            *command,
        )

    def argv(
        self,
        *,
        bwrap: str,
        command: tuple[str, ...],
        give: Callable[[str, bytes], int],
        info_fd: int,
        block_fd: int,
    ) -> list[str]:
        """Bubblewrap's command line. ``give(name, content)`` turns bytes into an inherited descriptor."""
        data = (Bind(str(self.data_dir), DATA_DIR),) if self.data_dir else ()
        return [
            bwrap,
            *self._isolation(),
            *self._file_system(give, data),
            *("--seccomp", str(give("seccomp", self.seccomp()))),
            *self._environment(),
            *("--info-fd", str(info_fd), "--block-fd", str(block_fd)),
            *("--chdir", self.chdir, "--"),
            *self.limit_command(command),
        ]

    def template_argv(
        self,
        *,
        bwrap: str,
        command: tuple[str, ...],
        give: Callable[[str, bytes], int],
        info_fd: int,
        map_fd: int | None,
        private: tuple[Bind, ...],
    ) -> list[str]:
        """Bubblewrap's command line for a template: the same files, and the rights to confine its forks.

        ``private`` is shown to the template only. Its rights end at its own user namespace, whose
        map the host writes before ``map_fd`` lets it go on; None maps nobody but the caller.
        """
        return [
            bwrap,
            *self._separation(uid=0),
            *("--cap-add", "ALL"),
            *(() if map_fd is None else ("--userns-block-fd", str(map_fd))),
            *self._parents(),
            *("--dir", DATA_DIR, "--tmpfs", PRIVATE_DIR),
            *self._file_system(give, private),
            *self._environment(),
            *("--info-fd", str(info_fd), "--chdir", "/", "--"),
            *command,
        ]

    def _parents(self) -> list[str]:
        """Directories that another user than the template's may enter; bubblewrap's own are private."""
        shown = [PurePosixPath(bind.target) for bind in self.binds]
        targets = [
            *(bind.target for bind in (*self.binds, *self.links)),
            *(file.target for file in self.files),
            *(mount.target for mount in self.tmpfs),
            DATA_DIR,
        ]
        parents = {
            parent for target in targets for parent in PurePosixPath(target).parents
        }
        return [
            part
            for parent in sorted(parents - {PurePosixPath("/")})
            if not any(parent.is_relative_to(place) for place in shown)
            for part in ("--perms", "0755", "--dir", str(parent))
        ]

    def _isolation(self) -> list[str]:
        return [
            *self._separation(uid=UID_INSIDE),
            *("--disable-userns", "--cap-drop", "ALL"),
        ]

    def _separation(self, *, uid: int) -> list[str]:
        return [
            *("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"),
            *("--clearenv", "--hostname", self.hostname),
            *("--uid", str(uid), "--gid", str(uid)),
        ]

    def _file_system(
        self, give: Callable[[str, bytes], int], more: tuple[Bind, ...]
    ) -> list[str]:
        arguments: list[str] = ["--proc", "/proc", "--dev", "/dev"]
        for mount in self.tmpfs:
            size, mode = str(mount.size_bytes), f"{mount.mode:04o}"
            arguments += ["--perms", mode, "--size", size, "--tmpfs", mount.target]
        for bind in (*self.binds, *more):
            arguments += ["--ro-bind", bind.source, bind.target]
        for link in self.links:
            arguments += ["--symlink", link.source, link.target]
        for file in self.files:
            descriptor = str(give(file.target, file.content))
            how = "--file" if file.writable else "--ro-bind-data"
            arguments += ["--perms", f"{file.mode:04o}", how, descriptor, file.target]
        for target in self.read_only:
            arguments += ["--remount-ro", target]
        return arguments

    def _environment(self) -> list[str]:
        return [part for name, value in self.env for part in ("--setenv", name, value)]

    def seccomp(self) -> bytes:
        """The system call filter of this machine."""
        return compiled()
