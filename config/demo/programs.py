"""The processes of the demo, and which secret each of them gets.

A process is given the files of the secrets that it needs and no others: the kernel host, next
to which hostile code runs, gets none at all.
"""

import os
import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from config.demo.notional import NOTIONAL_PEOPLE
from config.demo.state import Home, random_key32
from config.embedded import application
from config.embedded.launcher import Launch
from config.embedded.postgres import PostgresServer, dsn
from config.embedded.valkey import ValkeyServer
from runner.live.frames import MAX_FRAME_BYTES

REPOSITORY = Path(__file__).parents[2]
SOURCE = "hospital"
DATA_DATABASES = {"": "hospital", "NOTIONAL_": "notional"}
"""Part of the setting's name, and the database that it is about."""

DATA_LOGINS = {"TICKET": "cs_web", "BROKER": "cs_broker", "IDENTITY": "cs_identity"}


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Args:
        priority: lower starts earlier and stops later.
        stop_signal: what asks it to stop; after `stop_wait_s` it is killed.
        autostart: whether it starts before the bootstrap has run.
        group: those of one group are asked to stop together.
    """

    name: str
    launch: Launch
    priority: int
    stop_signal: str
    stop_wait_s: int
    autostart: bool = False
    group: str = ""


@dataclass(frozen=True)
class Demo:
    """One demo: where its state is, where it listens, how it confines.

    Args:
        pool: which kernels wait for a run; the kernel host's own default without it.
    """

    home: Home
    port: int
    ports: Mapping[str, int]
    sandbox: str
    pool: str | None = None

    @property
    def application_origin(self) -> str:
        """Where people go."""
        return f"http://localhost:{self.port}"

    @property
    def content_origin(self) -> str:
        """Where results are shown: another host, since cookies ignore ports."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def kernel_socket(self) -> Path:
        """Where the kernel host listens."""
        return self.home.sockets / "kernels.sock"

    def application_server(self) -> PostgresServer:
        """The cluster of Countersign itself."""
        return PostgresServer(
            self.home.path / "application",
            self.ports["application"],
            self.home.secret("application_superuser"),
            settings={"max_connections": "100"},
        )

    def data_server(self) -> PostgresServer:
        """The cluster of the hospital."""
        return PostgresServer(
            self.home.path / "data",
            self.ports["data"],
            self.home.secret("data_superuser"),
            uid=61302,
            settings={"max_connections": "100"},
        )

    def broker(self) -> ValkeyServer:
        """The queue."""
        return ValkeyServer(
            self.home.path / "valkey", self.ports["broker"], self.home.secret("valkey")
        )

    def application_dsn(self, role: str) -> str:
        """How a role of the application signs in."""
        password = self.home.secret(role)
        return application.role_dsn(self.application_server(), role, password)

    def data_dsn(self, role: str, database: str) -> str:
        """How a login of Countersign signs in to a data source."""
        password = self.home.secret(role)
        port = self.ports["data"]
        return dsn(user=role, password=password, port=port, database=database)


def keep_secrets(demo: Demo) -> None:
    """Make every secret that is still missing, and write down what follows from them."""
    home = demo.home
    for name in ("application_superuser", "data_superuser", "valkey", "secret_key"):
        home.secret_file(name)
    for name in (application.OWNER, application.APP, *DATA_LOGINS.values()):
        home.secret_file(name)
    home.secret_file("result_keys", random_key32)
    home.secret_file("signing_key", random_key32)
    home.keep("database_url", demo.application_dsn(application.APP))
    home.keep("owner_database_url", demo.application_dsn(application.OWNER))
    home.keep("broker_url", demo.broker().url())
    for part, database in DATA_DATABASES.items():
        for purpose, role in DATA_LOGINS.items():
            home.keep(
                _dsn_setting(part, purpose).lower(), demo.data_dsn(role, database)
            )


def _dsn_setting(part: str, purpose: str) -> str:
    return f"DATA_SOURCE_{SOURCE.upper()}_{part}{purpose}_DSN"


def secret_files(demo: Demo, *names: str) -> dict[str, str]:
    """`NAME_FILE` variables for these settings."""
    return {f"{name}_FILE": str(demo.home.secrets / name.lower()) for name in names}


def data_source_files(demo: Demo, *purposes: str) -> dict[str, str]:
    """The logins for these purposes, to the real source and to its twin."""
    names = [_dsn_setting(part, each) for each in purposes for part in DATA_DATABASES]
    return {"DATA_SOURCES": SOURCE, **secret_files(demo, *names)}


def common(demo: Demo) -> dict[str, str]:
    """What every process of ours is told; nothing in it is secret."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "KERNEL_HOST_SOCKET": str(demo.kernel_socket),
        "ENVIRONMENTS_DIR": str(REPOSITORY / ".environments"),
        "SANDBOX": demo.sandbox,
        "LOG_FORMAT": "text",
    }


def django(demo: Demo) -> dict[str, str]:
    """What every Django process is told besides."""
    return {
        **common(demo),
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "APPLICATION_ORIGIN": demo.application_origin,
        "CONTENT_ORIGIN": demo.content_origin,
        "NOTIONAL_PEOPLE": NOTIONAL_PEOPLE,
        "STATIC_ROOT": str(demo.home.static),
    }


APPLICATION_SECRETS = (
    "SECRET_KEY",
    "DATABASE_URL",
    "BROKER_URL",
    "RESULT_KEYS",
    "SIGNING_KEY",
)


def web_environment(demo: Demo) -> dict[str, str]:
    """Web: the application, and tickets for data; it can open no run's login."""
    secrets_ = secret_files(demo, *APPLICATION_SECRETS)
    return {**django(demo), **secrets_, **data_source_files(demo, "TICKET")}


def worker_environment(demo: Demo) -> dict[str, str]:
    """Worker: the application, redeeming tickets, keeping identities; it can issue none."""
    sources = data_source_files(demo, "BROKER", "IDENTITY")
    return {**django(demo), **secret_files(demo, *APPLICATION_SECRETS), **sources}


def beat_environment(demo: Demo) -> dict[str, str]:
    """Beat: the queue only.  What the settings insist on is random and good for nothing."""
    return {
        **django(demo),
        **secret_files(demo, "BROKER_URL"),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SIGNING_KEY": random_key32(),
        "RESULT_KEYS": random_key32(),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }


def owner_environment(demo: Demo) -> dict[str, str]:
    """Migrations: as the owner of the tables; runs during the bootstrap only."""
    files = secret_files(demo, *APPLICATION_SECRETS)
    files["DATABASE_URL_FILE"] = str(demo.home.secrets / "owner_database_url")
    return {**django(demo), **files}


def python(
    environment: Mapping[str, str], *arguments: str, death_signal: int = signal.SIGTERM
) -> Launch:
    """A Python process of ours, in the repository; it ends when its parent dies."""
    return Launch(
        [sys.executable, *arguments],
        None,
        environment=environment,
        folder=str(REPOSITORY),
        death_signal=death_signal,
    )


#: Uploads ride in one frame. Compressed, secret and chosen text side by side would be told
#: by their length.
SOCKET_ARGUMENTS = (
    *("--ws-max-size", str(MAX_FRAME_BYTES)),
    *("--ws-per-message-deflate", "false"),
)


def web_arguments(port: int) -> tuple[str, ...]:
    """The web server on loopback, as the demo and the tests start it.

    Nobody stands in front of it, so whoever sends X-Forwarded-For made it up: uvicorn
    would believe it from loopback and give each guess at a password an address of its own.
    """
    return (
        *("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1"),
        *("--port", str(port), "--lifespan", "off", "--no-access-log"),
        *("--no-proxy-headers", "--timeout-graceful-shutdown", "2"),
        *SOCKET_ARGUMENTS,
    )


def programs(demo: Demo) -> list[Program]:
    """Every process, in the order of starting; they stop in the opposite order."""
    return [*_services(demo), _kernel_host(demo), *_application(demo)]


def _services(demo: Demo) -> list[Program]:
    return [
        Program(
            "application-db",
            demo.application_server().launch(),
            *(10, "INT", 3, True, "databases"),
        ),
        Program(
            "data-db", demo.data_server().launch(), 11, "INT", 3, True, "databases"
        ),
        Program("broker", demo.broker().launch(), 20, "TERM", 1, True),
    ]


def _kernel_host(demo: Demo) -> Program:
    environment = {**common(demo), "KERNEL_HOST_DRAIN_S": "1"}  # workers stopped before
    if demo.pool is not None:
        environment["KERNEL_HOST_POOL"] = demo.pool
    launch = python(environment, "-m", "runner.kernelhost")
    # Kernels are other users, and are shown files that the host makes.
    launch = replace(launch, umask=0o022)
    return Program("kernels", launch, 30, "TERM", 2, True)


def _worker(
    demo: Demo,
    queue: str,
    *,
    concurrency: int,
    checks: bool = False,
    pool: str = "prefork",
) -> Launch:
    return python(
        worker_environment(demo),
        *("-m", "celery", *([] if checks else ["--skip-checks"]), "-A", "config"),
        *("worker", "-Q", queue, "-n", f"{queue}@%h", "--without-gossip"),
        *("--pool", pool),
        *("--without-mingle", "--loglevel", "INFO", "--concurrency", str(concurrency)),
    )


def _application(demo: Demo) -> list[Program]:
    # Who waits at a page has places of their own, which no other queue's runs can take.
    # One of them asks Django's checks; the others are the same code, told the same.
    workers = {
        "worker": _worker(demo, "page", concurrency=3, checks=True),
        "api-worker": _worker(demo, "api,batch", concurrency=2),
        # A session mostly waits for its reader: a thread each is enough.
        "live-worker": _worker(demo, "interactive", concurrency=16, pool="threads"),
    }
    # Sweeps have a process of their own: no run, however long, keeps them waiting.
    sweeper = _worker(demo, "sweep", concurrency=1)
    web = python(web_environment(demo), *web_arguments(demo.port))
    schedule = str(demo.home.path / "beat-schedule")
    beat = python(
        beat_environment(demo),
        *("-m", "celery", "-A", "config.beat", "beat", "--schedule", schedule),
        *("--pidfile", ""),
    )
    return [
        Program("sweeper", sweeper, 39, "TERM", 1, group="application"),
        *(
            Program(name, worker, 40, "TERM", 7, group="application")
            for name, worker in workers.items()
        ),
        Program("web", web, 50, "TERM", 3, group="application"),
        Program("beat", beat, 60, "TERM", 1, group="application"),
    ]
