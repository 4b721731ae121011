"""The environment of a test session, set before Django reads it.

A pytest plugin (`-p tests.support.environment`): ports, passwords and paths are chosen by the
first process and inherited by the workers, so that settings are right before any service runs.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from config.demo.notional import NOTIONAL_PEOPLE
from config.embedded.files import free_port, private_folder, write_private
from config.embedded.postgres import dsn

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".service_cache"
SESSION = "COUNTERSIGN_TEST_SESSION"

DATA_LOGINS = {"TICKET": "cs_web", "BROKER": "cs_broker", "IDENTITY": "cs_identity"}


def session() -> dict[str, str | int]:
    """What the first process of this session chose: `home`, `controller`, ports."""
    chosen: dict[str, str | int] = json.loads(os.environ[SESSION])
    return chosen


def home() -> Path:
    """The folder of this session's services; short, because sockets lie in it."""
    return Path(str(session()["home"]))


def port(name: str) -> int:
    """The loopback port of a service: `application`, `data` or `broker`.

    Each xdist worker has a data cluster of its own: what one worker sweeps away there
    must not be another worker's login.
    """
    if name == "data":
        variable = f"COUNTERSIGN_TEST_DATA_PORT_{worker()}"
        return int(os.environ.setdefault(variable, str(free_port())))
    return int(session()[name])


def worker() -> str:
    """`main`, or the name of the xdist worker."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def worker_number() -> int:
    """0 without xdist; else counted from 1."""
    return 0 if worker() == "main" else int(worker().removeprefix("gw")) + 1


def database() -> str:
    """The name of this worker's own database."""
    return f"countersign_{worker()}"


def password(name: str) -> str:
    """A password of this checkout's test services; random, and kept between sessions
    because the seeded clusters are."""
    return hmac.new(_secret(), name.encode(), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    path = CACHE / "secret"
    if not path.exists():
        private_folder(CACHE)
        write_private(path, secrets.token_hex(32))
    return path.read_bytes()


def application_dsn(role: str, database_name: str) -> str:
    """A libpq URI into the application cluster."""
    return dsn(
        user=role,
        password=password(role),
        port=port("application"),
        database=database_name,
    )


def data_dsn(role: str, database_name: str) -> str:
    """A libpq URI into the data cluster."""
    return dsn(
        user=role, password=password(role), port=port("data"), database=database_name
    )


def _choose() -> None:
    """Choose, in the first process only."""
    chosen = {
        "home": f"/tmp/cs-{secrets.token_hex(4)}",
        "controller": os.getpid(),
        "application": free_port(),
        "broker": free_port(),
    }
    os.environ[SESSION] = json.dumps(chosen)


def _key(name: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(password(name))).decode()


def _static_root() -> Path:
    """An empty folder: files are found where they lie, and nothing warns of its absence."""
    folder = CACHE / "static"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _variables() -> dict[str, str]:
    broker_url = (
        f"redis://:{password('valkey')}@127.0.0.1:{port('broker')}/{worker_number()}"
    )
    variables = {
        "SECRET_KEY": password("secret key") + password("secret key, more"),
        "DATABASE_URL": application_dsn("countersign_app", database()),
        "BROKER_URL": broker_url,
        "APPLICATION_ORIGIN": "http://localhost:8000",
        "CONTENT_ORIGIN": "http://127.0.0.1:8000",
        "RESULT_KEYS": _key("results"),
        "SIGNING_KEY": _key("signing"),
        # The cast signs on a fixed day, and launches on the day of the test run.
        "APPROVAL_VALID_DAYS": "36500",
        "KERNEL_HOST_SOCKET": str(home() / worker() / "kernels.sock"),
        "ENVIRONMENTS_DIR": str(REPOSITORY / ".environments"),
        "STATIC_ROOT": str(_static_root()),
        "DATA_SOURCES": "hospital",
        "NOTIONAL_PEOPLE": NOTIONAL_PEOPLE,
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "tests.support.settings",
    }
    for purpose, role in DATA_LOGINS.items():
        prefix = "DATA_SOURCE_HOSPITAL"
        variables[f"{prefix}_{purpose}_DSN"] = data_dsn(role, "hospital")
        variables[f"{prefix}_NOTIONAL_{purpose}_DSN"] = data_dsn(role, "notional")
    return variables


if SESSION not in os.environ:
    _choose()
os.environ.update(_variables())
