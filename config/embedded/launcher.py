"""Become an unprivileged user that sees a program at neutral paths, then run it.

PostgreSQL refuses to run as root, and what root owns often lies below folders that no other
user may enter (`/root` is 0700). Widening their mode is not ours to do. So, as root, this
module makes a private mount namespace, binds each wanted folder below `/mnt` in it, names the
uid in a private `/etc/passwd` (initdb looks itself up) and only then drops the uid for good.
As an ordinary user there is nothing to drop and the program runs where it lies.

Standard library only: it runs as `python -I launcher.py JSON` or `… @FILE`.
Source: unshare(2), mount(2), prctl(2), capabilities(7).
"""

import ctypes
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOM = "/mnt"
"""The folder that a private tmpfs covers; binds appear below it."""

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE, MS_REMOUNT = 4096, 16384, 1 << 18, 32
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
PR_SET_NO_NEW_PRIVS = 38
PR_SET_PDEATHSIG = 1

MINIMAL_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""What a database server needs: it is configured by files and argv, never by ours."""


class CannotIsolate(RuntimeError):
    """This machine lets root make no private mount namespace.

    A container without CAP_SYS_ADMIN is the usual reason.
    """


@dataclass(frozen=True)
class Launch:
    """What to run, as whom, and which folders it needs to see.

    Args:
        argv: the command; `{name}` stands for the folder bound under that name.
        uid: user and group id to become when started as root; None stays who we are.
        folders: name to path, readable and writable.
        programs: name to path, bound read-only.
        environment: all of the program's environment.
        folder: the working directory.
        death_signal: what the kernel sends it when its parent dies; 0 is nothing.
        umask: of the files that it makes.
    """

    argv: Sequence[str]
    uid: int | None
    folders: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(
        default_factory=lambda: dict(MINIMAL_ENVIRONMENT)
    )
    folder: str = "/"
    death_signal: int = 0
    umask: int = 0o077

    def command(self) -> list[str]:
        """The argv that starts it: the launcher replaces itself, so the pid stays."""
        return [*_ourselves(), self.as_json()]

    def command_from(self, path: Path) -> list[str]:
        """The same, read from a file that this writes (for those who parse argv)."""
        path.write_text(self.as_json(), encoding="utf-8")
        return [*_ourselves(), f"@{path}"]

    def as_json(self) -> str:
        """This launch as text."""
        return json.dumps(asdict(self))


def _ourselves() -> list[str]:
    return [sys.executable, "-I", str(Path(__file__).resolve())]


def run(launch: Launch) -> None:
    """Replace this process by the launched program.  Raises CannotIsolate."""
    paths = {**launch.programs, **launch.folders}
    if os.geteuid() == 0 and launch.uid is not None:
        paths = _enter_room(launch, launch.uid)
        _drop_to(launch.uid)
    argv = [part.format_map(paths) if paths else part for part in launch.argv]
    os.chdir(launch.folder)
    os.umask(launch.umask)
    if launch.death_signal:  # after the drop, which would clear it
        parent = os.getppid()
        _call("prctl", PR_SET_PDEATHSIG, launch.death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent died while this was starting")
    os.execve(argv[0], argv, dict(launch.environment))


def _enter_room(launch: Launch, uid: int) -> dict[str, str]:
    """Bind every folder below a private tmpfs; returns where each one is now."""
    _call("unshare", CLONE_NEWNS)
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    # Opened first: a source may itself lie below the folder that the tmpfs is about to hide.
    sources = {
        name: os.open(path, os.O_PATH | os.O_DIRECTORY)
        for name, path in {**launch.programs, **launch.folders}.items()
    }
    _mount("tmpfs", ROOM, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
    places = {}
    for name, handle in sources.items():
        place = f"{ROOM}/{name}"
        Path(place).mkdir()
        _mount(f"/proc/self/fd/{handle}", place, "", MS_BIND)
        if name in launch.programs:
            read_only = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV
            _mount("none", place, "", read_only)
        os.close(handle)
        places[name] = place
    _name_uid(uid)
    return places


def _name_uid(uid: int) -> None:
    """Give `uid` a name in this namespace only: initdb insists on looking itself up."""
    passwd = Path(ROOM, "passwd")
    service = f"service:x:{uid}:{uid}::/:/usr/sbin/nologin"
    passwd.write_text(f"root:x:0:0::/:/bin/sh\n{service}\n")
    passwd.chmod(0o444)
    _mount(str(passwd), "/etc/passwd", "", MS_BIND)


def _drop_to(uid: int) -> None:
    """Give up root for good: groups, gid, uid, and any way back by a set-uid program."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _call(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )


def _call(name: str, *arguments: object) -> None:
    """Call libc and turn its errno into an exception."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise CannotIsolate(f"{name}: {os.strerror(number)}") from OSError(number, name)


def read(argument: str) -> Launch:
    """A launch from the JSON in an argument, or in the file that `@…` names."""
    if argument.startswith("@"):
        argument = Path(argument[1:]).read_text(encoding="utf-8")
    return Launch(**json.loads(argument))


if __name__ == "__main__":
    run(read(sys.argv[1]))
