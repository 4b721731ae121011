"""Typed reading of environment variables, each also as `NAME_FILE`.

A value that is missing or malformed stops the process with a sentence that says
how to fix it; nothing falls back in silence.
"""

import base64
import binascii
import math
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from runner.access import transport
from runner.access.install import PERSONAS
from runner.access.sources import POSTGRESQL, DataSourceSettings, Dsns, NotionalPerson
from runner.kernelhost.protocol import SOURCE_NAME

_REQUIRED = object()
#: How long somebody waits for a database connection, and how long a spare one is kept.
POOL_TIMEOUT_S = 10
POOL_IDLE_S = 60
#: The pause between two attempts to connect doubles; after this long the next request tries
#: at once, so that a database that is back is not waited for as long as it was away.
POOL_RECONNECT_S = 3
MAKE_A_KEY = (
    "Make one with: head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\\n'"
)


def text(name: str, default: object = _REQUIRED) -> str:
    """Return the variable `name`, or the content of the file `NAME_FILE`.

    Raises ImproperlyConfigured when neither is set and there is no default.
    """
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            message = f"{name}_FILE names {file_name}, which cannot be read: {error}."
            raise ImproperlyConfigured(message) from error
    value = os.environ.get(name)
    if value is not None:
        return value
    if default is _REQUIRED:
        message = f"Set {name}, or {name}_FILE to a file that holds it."
        raise ImproperlyConfigured(message)
    return str(default)


def boolean(name: str, *, default: bool) -> bool:
    """Return a switch; only 1/0, true/false, yes/no and on/off are accepted."""
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    message = f"{name} must be 1 or 0, not {value!r}."
    raise ImproperlyConfigured(message)


def integer(
    name: str, default: int, *, at_least: int = 0, at_most: float = math.inf
) -> int:
    """Return a whole number, from `at_least` to `at_most`."""
    value = text(name, default)
    try:
        number = int(value)
    except ValueError as error:
        message = f"{name} must be a whole number, not {value!r}."
        raise ImproperlyConfigured(message) from error
    if number < at_least:
        message = f"{name} must be at least {at_least}, not {number}."
        raise ImproperlyConfigured(message)
    if number > at_most:
        message = f"{name} must be at most {at_most:.0f}, not {number}."
        raise ImproperlyConfigured(message)
    return number


def limit(name: str, default: int, bounds: tuple[float, float]) -> int:
    """Return a limit of runs within what the kernel host takes: it refuses runs otherwise."""
    low, high = bounds
    return integer(name, default, at_least=max(1, math.ceil(low)), at_most=high)


def limit_bounds(
    name: str, most: int, *, usual: int, bounds: tuple[float, float]
) -> tuple[int, int]:
    """Return from the least to the most (`NAME_MAX`) that a version may ask for."""
    low, high = bounds
    at_most = integer(f"{name}_MAX", max(most, usual), at_least=usual, at_most=high)
    return max(1, math.ceil(low)), at_most


def choice(name: str, default: str, allowed: set[str]) -> str:
    """Return a value out of a closed set."""
    value = text(name, default)
    if value not in allowed:
        message = f"{name} must be one of {sorted(allowed)}, not {value!r}."
        raise ImproperlyConfigured(message)
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list without empty members."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def secret_key(name: str) -> str:
    """Return a long random text."""
    value = text(name)
    if len(value) < 50 or len(set(value)) < 10:
        message = (
            f"{name} must be at least 50 random characters; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(64))"'
        )
        raise ImproperlyConfigured(message)
    return value


def key32(name: str, value: str) -> bytes:
    """Decode one urlsafe-base64 key of 32 random bytes."""
    try:
        key = base64.b64decode(value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"{name} must be urlsafe base64 of 32 bytes. {MAKE_A_KEY}"
        raise ImproperlyConfigured(message) from error
    if len(key) != 32:
        message = f"{name} must decode to 32 bytes, not {len(key)}. {MAKE_A_KEY}"
        raise ImproperlyConfigured(message)
    if len(set(key)) < 8:
        message = f"{name} is not random: whoever guesses it has it. {MAKE_A_KEY}"
        raise ImproperlyConfigured(message)
    return key


def keys32(name: str, *, apart_from: bytes) -> list[bytes]:
    """Decode one or more keys, comma-separated, all different and none `apart_from`."""
    keys = [key32(name, value) for value in words(name)]
    if not keys:
        raise ImproperlyConfigured(f"{name} must hold at least one key. {MAKE_A_KEY}")
    if len({*keys, apart_from}) <= len(keys):
        message = (
            f"{name} holds a key twice, or the signing key: each key has one purpose. "
            f"{MAKE_A_KEY}"
        )
        raise ImproperlyConfigured(message)
    return keys


def database(name: str, *, pool_size: int) -> dict[str, object]:
    """Turn a `postgresql://` URL into Django's database settings.

    With a `pool_size`, connections are kept for whoever comes next, each checked before
    it is given away; with 0 each is closed after its use.
    """
    value = text(name)
    if urlsplit(value).scheme not in {"postgres", "postgresql"}:
        message = f"{name} must be a postgresql:// URL."
        raise ImproperlyConfigured(message)
    parts = _safe(name, value)
    options: dict[str, object] = {"application_name": "countersign"}
    if pool_size:
        options["pool"] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": POOL_TIMEOUT_S,
            "max_idle": POOL_IDLE_S,
            "reconnect_timeout": POOL_RECONNECT_S,
        }
    if "sslmode" in parts:
        options["sslmode"] = parts["sslmode"]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts["host"],
        "PORT": parts.get("port", ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def broker(name: str) -> str:
    """Return the `redis://` URL of the queue."""
    value = text(name)
    if urlsplit(value).scheme not in {"redis", "rediss"}:
        message = f"{name} must be a redis:// or rediss:// URL."
        raise ImproperlyConfigured(message)
    return value


def data_sources(name: str) -> dict[str, DataSourceSettings]:
    """Read every data source named in the comma-separated variable `name`."""
    sources = {}
    for source in words(name):
        if not SOURCE_NAME.fullmatch(source):
            message = (
                f"{name}: {source!r} is no name for a data source; write small letters, "
                "digits, - and _, at most 32."
            )
            raise ImproperlyConfigured(message)
        sources[source] = DataSourceSettings(
            name=source,
            real=_dsns(f"DATA_SOURCE_{source.upper()}"),
            notional=_dsns(f"DATA_SOURCE_{source.upper()}_NOTIONAL"),
            kind=choice(f"DATA_SOURCE_{source.upper()}_KIND", POSTGRESQL, {POSTGRESQL}),
        )
    return sources


def notional_people(name: str) -> dict[str, NotionalPerson]:
    """Read `persona:username:department` triples, comma-separated, by persona."""
    people = {}
    for entry in words(name):
        parts = entry.split(":")
        if len(parts) != 3 or not parts[0] or not parts[1]:
            message = f"{name}: write persona:username:department, not {entry!r}."
            raise ImproperlyConfigured(message)
        if parts[0] not in PERSONAS or parts[0] in people:
            message = f"{name}: name each of {PERSONAS} at most once, not {entry!r}."
            raise ImproperlyConfigured(message)
        people[parts[0]] = NotionalPerson(username=parts[1], department=parts[2])
    return people


def _dsns(prefix: str) -> Dsns:
    return Dsns(
        ticket=_login(f"{prefix}_TICKET_DSN", "cs_web"),
        broker=_login(f"{prefix}_BROKER_DSN", "cs_broker"),
        identity=_login(f"{prefix}_IDENTITY_DSN", "cs_identity"),
    )


def _login(name: str, role: str) -> str:
    """Return a DSN of one of Countersign's three logins, or nothing."""
    dsn = text(name, "")
    if dsn and _safe(name, dsn).get("user") != role:
        message = f"{name} must log in as {role}: no process gets more than its part."
        raise ImproperlyConfigured(message)
    return dsn


def _safe(name: str, dsn: str) -> dict[str, str]:
    try:
        parts = transport.parsed(dsn)
    except transport.UnsafeDsn as error:
        raise ImproperlyConfigured(f"{name} {error.message}") from error
    if parts.get("sslmode") == transport.VERIFIED and not os.environ.get(
        "PGSSLROOTCERT"
    ):
        message = (
            f"{name} has sslmode={transport.VERIFIED}: set PGSSLROOTCERT to the file of the "
            "certificate authority, or to `system` for the computer's own list."
        )
        raise ImproperlyConfigured(message)
    return parts
