"""Start each service once per pytest session, whichever worker needs it first."""

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import filelock
import psycopg
from psycopg import sql

from config.embedded import application
from config.embedded.files import private_folder
from config.embedded.postgres import PostgresServer
from config.embedded.valkey import ValkeyServer
from tests.support import environment

TEMPLATE = "countersign_template"
KEPT_CLUSTERS = 3

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""Settings that give up surviving a power cut, and nothing else."""


@contextmanager
def once(name: str) -> Iterator[bool]:
    """Yield True to the first worker of this session that asks for `name`; the others wait."""
    home = environment.home()
    private_folder(home / "pids")
    with filelock.FileLock(str(home / f"{name}.lock")):
        done = home / f"{name}.done"
        first = not done.exists()
        yield first
        done.touch()


def guard() -> None:
    """Start the process that ends this session's services when pytest ends."""
    with once("guard") as first:
        if first:
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.support.guard",
                    str(environment.home()),
                    str(environment.session()["controller"]),
                ],
                cwd=environment.REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


def register(pid: int, how: signal.Signals) -> None:
    """Have the guard stop this process by this signal at the end."""
    guard()
    (environment.home() / "pids" / str(pid)).write_text(str(int(how)))


def fingerprint(paths: Iterable[Path]) -> str:
    """A name for what these files say; folders count with every file below them."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                name = str(file.relative_to(environment.REPOSITORY))
                digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def application_server() -> PostgresServer:
    """The application cluster of this session."""
    return PostgresServer(
        environment.home() / "application",
        environment.port("application"),
        environment.password("postgres"),
        settings=FAST,
    )


def data_server() -> PostgresServer:
    """The data cluster of this worker."""
    return PostgresServer(
        environment.home() / f"data-{environment.worker()}",
        environment.port("data"),
        environment.password("postgres"),
        uid=61302,
        settings=FAST,
    )


def broker() -> ValkeyServer:
    """The Valkey of this session; each worker has a numbered database of its own."""
    return ValkeyServer(
        environment.home() / "valkey",
        environment.port("broker"),
        environment.password("valkey"),
    )


def start_cluster(
    server: PostgresServer,
    kind: str,
    key: str,
    build: Callable[[PostgresServer], None],
) -> None:
    """Start a cluster from the cache, or build it with `build(server)` and cache it."""
    cached = environment.CACHE / f"{kind}-{key}"
    if cached.exists():
        copy_folder(cached, server.home)
        cached.touch()
    else:
        server.initialise(durable=False)
    start(server, signal.SIGINT)
    if not cached.exists():
        build(server)
        server.stop()
        keep(server.home, cached, kind)
        start(server, signal.SIGINT)


def start(server: PostgresServer | ValkeyServer, how: signal.Signals) -> None:
    """Start a server that the guard will stop."""
    server.start()
    assert server.process
    register(server.process.pid, how)


def copy_folder(source: Path, target: Path) -> None:
    """Copy with owners and modes, sharing blocks where the file system can."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def keep(folder: Path, cached: Path, kind: str) -> None:
    """Keep a built cluster for later sessions, and drop the oldest ones."""
    fresh = cached.with_name(f"new-{os.getpid()}-{cached.name}")
    copy_folder(folder, fresh)
    try:
        fresh.rename(cached)
    except OSError:  # another session was quicker
        shutil.rmtree(fresh)
    old = sorted(
        environment.CACHE.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime
    )
    for path in old[:-KEPT_CLUSTERS]:
        shutil.rmtree(path, ignore_errors=True)


def start_application() -> None:
    """The application cluster with a migrated template database, and the broker."""
    with once("application") as first:
        if first:
            key = fingerprint(_what_migrations_read())
            start_cluster(application_server(), "application", key, build_application)
            start(broker(), signal.SIGTERM)


def _what_migrations_read() -> list[Path]:
    root = environment.REPOSITORY
    return [
        application.INIT_SQL,
        root / "requirements.in",
        *root.glob("*/migrations"),
        Path(__file__),
    ]


def build_application(server: PostgresServer) -> None:
    """Create the template database and migrate it as its owner, as production does."""
    application.create_database(server, TEMPLATE)
    for role in (application.OWNER, application.APP):
        application.set_password(server, role, environment.password(role))
    owner = environment.application_dsn(application.OWNER, TEMPLATE)
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "-v", "0"],
        cwd=environment.REPOSITORY,
        env={**os.environ, "DATABASE_URL": owner},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py migrate failed:\n{done.stderr[-4000:]}")


def recreate_database() -> None:
    """Replace this worker's database by a fresh copy of the template.

    The next copy is made meanwhile, so that a test waits for no more than a renaming.
    """
    while len(_COPIES) < 2:
        _COPIES.append(_COPYING.submit(_copy_template))
    copy = _COPIES.pop(0).result()
    name = sql.Identifier(environment.database())
    with psycopg.connect(application_server().dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
        )
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(copy), name)
        )


_COPYING = ThreadPoolExecutor(max_workers=1)
_COPIES: list[Future[str]] = []


def _copy_template() -> str:
    """Copy the template; returns the name of the copy."""
    server = application_server()
    copy = f"{environment.database()}_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        # Roles are the whole cluster's: two workers may not alter them at one time.
        connection.execute("SELECT pg_advisory_lock(1)")
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(copy), sql.Identifier(TEMPLATE)
            )
        )
        # Rights on a database itself do not come with its template.
        application.create_database(server, copy)
    return copy
