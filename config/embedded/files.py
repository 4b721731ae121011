"""Small file habits of the embedded services: private files, free ports."""

import os
import socket
from pathlib import Path


def write_private(path: Path, text: str, *, uid: int | None = None) -> None:
    """Write `text` so that only the owner may read it, replacing what was there at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    if uid is not None:
        os.chown(fresh, uid, uid)
    fresh.replace(path)


def private_folder(path: Path, *, uid: int | None = None) -> Path:
    """Make a folder that only its owner may enter; hands it to `uid` when given."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if uid is not None:
        os.chown(path, uid, uid)
    path.chmod(0o700)
    return path


def service_uid(wanted: int) -> int | None:
    """The uid that a service's files belong to: `wanted` under root, else our own (None)."""
    return wanted if os.geteuid() == 0 else None


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
