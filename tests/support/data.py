"""The data cluster of a test session: the demo hospital, seeded by the demo's own code."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from config.embedded.postgres import PostgresServer
from config.environment import Dsns
from tests.support import environment, services


@dataclass(frozen=True)
class DataCluster:
    """Where the hospital is, as its owner and as Countersign's processes."""

    hospital_owner_dsn: str
    notional_owner_dsn: str
    dsns: dict[str, Dsns]


@cache
def start() -> DataCluster:
    """Start this worker's own, once.  Raises when the hospital cannot be built.

    Only one worker at a time is at it, so that the second finds what the first seeded.
    """
    with services.once("data"), services.once(f"data-{environment.worker()}") as first:
        if first:
            root = environment.REPOSITORY
            key = services.fingerprint(
                [
                    root / "config" / "demo" / "hospital",
                    *root.glob("runner/access/**/*.sql"),
                    root / "runner" / "access" / "install.py",
                    root / "runner" / "access" / "public_rights.py",
                ]
            )
            services.start_cluster(services.data_server(), "data", key, build)
    server = services.data_server()
    return DataCluster(
        hospital_owner_dsn=server.dsn("hospital"),
        notional_owner_dsn=server.dsn("notional"),
        dsns={name: _dsns(name) for name in ("hospital", "notional")},
    )


def _dsns(database: str) -> Dsns:
    return Dsns(
        **{
            purpose.lower(): environment.data_dsn(role, database)
            for purpose, role in environment.DATA_LOGINS.items()
        }
    )


def build(server: PostgresServer) -> None:
    """Install and seed both databases with the demo's code."""
    hospital = import_module("config.demo.hospital.build")
    hospital.build_all(
        superuser_dsn=server.dsn(),
        passwords={
            role: environment.password(role)
            for role in environment.DATA_LOGINS.values()
        },
    )
