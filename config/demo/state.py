"""What the demo remembers between starts: its folders, ports and secrets.

Everything lies in COUNTERSIGN_HOME.  Secrets are made once, one file each, readable by their
owner only; processes are told the file's name and never the value.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from config.embedded.files import free_port, port_is_free, private_folder, write_private

SOCKET_PATH_MAX_BYTES = 107
"""Source: unix(7), sun_path less its closing NUL."""

LONGEST_SOCKET_NAME = 48
PORT_NAMES = ("application", "data", "broker")


class PortTaken(RuntimeError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


@dataclass(frozen=True)
class Home:
    """COUNTERSIGN_HOME: where all state of one demo lives."""

    path: Path

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """One secret per file."""
        return self.path / "secrets"

    @property
    def static(self) -> Path:
        """Empty: the demo serves static files from where they are written."""
        return self.path / "static"

    @property
    def report(self) -> Path:
        """`demo.json`, for people who want to look with psql."""
        return self.path / "demo.json"

    @property
    def sockets(self) -> Path:
        """A folder short enough for socket paths: here, or a private one below /tmp."""
        here = self.path / "run"
        if len(os.fsencode(here)) + LONGEST_SOCKET_NAME <= SOCKET_PATH_MAX_BYTES:
            return here
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(gettempdir()) / f"countersign-{os.geteuid()}-{name}"

    def prepare(self) -> None:
        """Make the folders, private to us.  Raises PermissionError for a foreign one."""
        for folder in (self.path, self.logs, self.secrets, self.static, self.sockets):
            private_folder(folder)
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                message = f"{folder} belongs to somebody else; set COUNTERSIGN_HOME"
                raise PermissionError(message)

    def secret_file(self, name: str, make: Callable[[], str] | None = None) -> Path:
        """The file of a secret, made on first use."""
        path = self.secrets / name
        if not path.exists():
            write_private(path, (make or random_text)())
        return path

    def secret(self, name: str) -> str:
        """A secret's value, for the bootstrap."""
        return self.secret_file(name).read_text(encoding="utf-8")

    def keep(self, name: str, value: str) -> Path:
        """Keep a derived secret, such as an address with a password in it."""
        path = self.secrets / name
        write_private(path, value)
        return path

    def ports(self) -> dict[str, int]:
        """Ports of the services: remembered, and picked anew only when taken."""
        file = self.path / "ports.json"
        known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        ports = {name: known.get(name) or free_port() for name in PORT_NAMES}
        ports = {
            name: port if port_is_free(port) else free_port()
            for name, port in ports.items()
        }
        write_private(file, json.dumps(ports))
        return ports


def random_text() -> str:
    """A password or key in words of the URL-safe alphabet."""
    return secrets.token_urlsafe(48)


def random_key32() -> str:
    """32 random bytes as URL-safe base64: result keys and the signing seed."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
