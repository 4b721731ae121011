"""Typed reading of environment variables, each also as `NAME_FILE`.

A value that is missing or malformed stops the process with a sentence that says
how to fix it; nothing falls back in silence.
"""

import base64
import binascii
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from runner.access.sources import DataSourceSettings, Dsns, NotionalPerson

_REQUIRED = object()


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


def integer(name: str, default: int, *, at_least: int = 0) -> int:
    """Return a whole number not below `at_least`."""
    value = text(name, default)
    try:
        number = int(value)
    except ValueError as error:
        message = f"{name} must be a whole number, not {value!r}."
        raise ImproperlyConfigured(message) from error
    if number < at_least:
        message = f"{name} must be at least {at_least}, not {number}."
        raise ImproperlyConfigured(message)
    return number


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


def key32(name: str, value: str) -> bytes:
    """Decode one urlsafe-base64 key of 32 bytes."""
    try:
        key = base64.urlsafe_b64decode(value)
    except (binascii.Error, ValueError) as error:
        message = f"{name} must be urlsafe base64 of 32 bytes."
        raise ImproperlyConfigured(message) from error
    if len(key) != 32:
        message = f"{name} must decode to 32 bytes, not {len(key)}."
        raise ImproperlyConfigured(message)
    return key


def database(name: str, default: object = _REQUIRED) -> dict[str, object]:
    """Turn a `postgresql://` URL into Django's database settings."""
    url = urlsplit(text(name, default))
    if url.scheme not in {"postgres", "postgresql"}:
        message = f"{name} must be a postgresql:// URL."
        raise ImproperlyConfigured(message)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "countersign"},
    }


def data_sources(name: str) -> dict[str, DataSourceSettings]:
    """Read every data source named in the comma-separated variable `name`."""
    return {
        source: DataSourceSettings(
            name=source,
            real=_dsns(f"DATA_SOURCE_{source.upper()}"),
            notional=_dsns(f"DATA_SOURCE_{source.upper()}_NOTIONAL"),
        )
        for source in words(name)
    }


def notional_people(name: str) -> dict[str, NotionalPerson]:
    """Read `persona:username:department` triples, comma-separated, by persona."""
    people = {}
    for entry in words(name):
        parts = entry.split(":")
        if len(parts) != 3 or not parts[0] or not parts[1]:
            message = f"{name}: write persona:username:department, not {entry!r}."
            raise ImproperlyConfigured(message)
        people[parts[0]] = NotionalPerson(username=parts[1], department=parts[2])
    return people


def _dsns(prefix: str) -> Dsns:
    return Dsns(
        ticket=text(f"{prefix}_TICKET_DSN", ""),
        broker=text(f"{prefix}_BROKER_DSN", ""),
        identity=text(f"{prefix}_IDENTITY_DSN", ""),
    )
