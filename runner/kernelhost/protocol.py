"""Requests and events of the kernel host's socket: JSON lines, checked and bounded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_LINE_BYTES = 64 * 1024 * 1024
RUN_ID = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
SOURCE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
MIB = 1024 * 1024
# What a kernel calls its own login and its first data source, whose real names it need not know.
OWN_LOGIN = "run"
DEFAULT_SOURCE = "default"
MAX_CELLS = 5000
MAX_DATA_SOURCES = 8
SSL_MODES = ("disable", "verify-full")


class BadRequest(Exception):
    """The request does not say what it must. ``message`` names the field."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Limits:
    """What one run may use; a request may lower or raise each within its bounds."""

    wall_clock_s: float = 600
    cell_s: float = 300
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    output_bytes_per_cell: int = 5 * MIB
    output_bytes: int = 20 * MIB
    outputs: int = 2000


LIMIT_BOUNDS: dict[str, tuple[float, float]] = {
    "wall_clock_s": (0.1, 24 * 3600),
    "cell_s": (0.1, 24 * 3600),
    "memory_bytes": (128 * MIB, 1024 * 1024 * MIB),
    "processes": (8, 4096),
    "output_bytes_per_cell": (1024, 40 * MIB),
    # The executed notebook travels in one line, so it must fit one.
    "output_bytes": (1024, 40 * MIB),
    "outputs": (1, 100_000),
}


@dataclass(frozen=True)
class SourceLimits:
    """What one run may read from one data source."""

    rows: int = 1_000_000
    bytes: int = 256 * MIB
    statement_s: float = 120
    connections: int = 2


SOURCE_LIMIT_BOUNDS: dict[str, tuple[float, float]] = {
    "rows": (1, 10**12),
    "bytes": (1, 2**50),
    "statement_s": (0.05, 24 * 3600),
    "connections": (1, 64),
}


@dataclass(frozen=True)
class DataSource:
    """Where a data source is and the run's own login for it. The password never leaves the host."""

    name: str
    host: str
    port: int
    database: str
    user: str
    password: str
    sslmode: str
    limits: SourceLimits

    def __repr__(self) -> str:
        return f"DataSource({self.name!r}, {self.user!r})"


@dataclass(frozen=True)
class ExecuteRequest:
    """One run, as the kernel host understands it."""

    run_id: str
    environment: str
    environment_lock_sha256: str
    kernel_name: str
    notebook: dict[str, Any]
    limits: Limits
    data_sources: tuple[DataSource, ...]
    #: The kernel stays after its cells, and messages of widgets pass.
    live: bool = False


def encode(message: dict[str, Any]) -> bytes:
    """One line of JSON. Lone surrogates become question marks, so that it is always UTF-8."""
    text = json.dumps(
        message, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return text.encode("utf-8", "replace") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object in one line.

    Raises:
        BadRequest: it is not one JSON object.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise BadRequest("The line is not JSON.") from problem
    if not isinstance(message, dict):
        raise BadRequest("The line is not a JSON object.")
    return message


def _text(message: dict[str, Any], field: str, *, longest: int = 255) -> str:
    value = message.get(field)
    if not isinstance(value, str) or not value or len(value) > longest or "\0" in value:
        raise BadRequest(f"{field} must be a text of 1 to {longest} characters.")
    return value


def _bounded(
    given: Any, defaults: Any, bounds: dict[str, tuple[float, float]], field: str
) -> dict[str, Any]:
    if given is None:
        given = {}
    if not isinstance(given, dict) or not given.keys() <= bounds.keys():
        raise BadRequest(f"{field} must be an object with known limits only.")
    values = {}
    for name, (low, high) in bounds.items():
        default = getattr(defaults, name)
        value = given.get(name, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not low <= value <= high
        ):
            raise BadRequest(
                f"{field}.{name} must be a number from {low:g} to {high:g}."
            )
        values[name] = (
            type(default)(value) if isinstance(default, int) else float(value)
        )
    return values


def _source(message: Any) -> DataSource:
    if not isinstance(message, dict):
        raise BadRequest("Each data source must be an object.")
    name = _text(message, "name")
    if not SOURCE_NAME.fullmatch(name):
        raise BadRequest(f"{name!r} is not a valid data source name.")
    port = message.get("port", 5432)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise BadRequest("port must be a number from 1 to 65535.")
    sslmode = message.get("sslmode", "disable")
    if sslmode not in SSL_MODES:
        raise BadRequest("sslmode must be disable or verify-full.")
    return DataSource(
        name=name,
        host=_text(message, "host", longest=1024),
        port=port,
        database=_text(message, "database", longest=63),
        user=_text(message, "user", longest=63),
        password=_text(message, "password", longest=1024),
        sslmode=sslmode,
        limits=SourceLimits(
            **_bounded(
                message.get("limits"), SourceLimits(), SOURCE_LIMIT_BOUNDS, "limits"
            )
        ),
    )


def _notebook(message: dict[str, Any]) -> dict[str, Any]:
    notebook = message.get("notebook")
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise BadRequest("notebook must be an object with a list of cells.")
    if len(notebook["cells"]) > MAX_CELLS:
        raise BadRequest(f"notebook must not have more than {MAX_CELLS} cells.")
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
            raise BadRequest("Each cell must be an object with metadata.")
        if not isinstance(cell.get("source"), str) or not isinstance(
            cell.get("cell_type"), str
        ):
            raise BadRequest("Each cell must have a type, and its source as one text.")
    notebook.setdefault("metadata", {})
    return notebook


def read_execute(message: dict[str, Any]) -> ExecuteRequest:
    """Check an ``execute`` request.

    Raises:
        BadRequest: something is missing or out of bounds.
    """
    run_id = _text(message, "run_id")
    if not RUN_ID.fullmatch(run_id):
        raise BadRequest("run_id must be 32 hexadecimal digits.")
    lock_sha256 = _text(message, "environment_lock_sha256")
    if not SHA256.fullmatch(lock_sha256):
        raise BadRequest("environment_lock_sha256 must be 64 hexadecimal digits.")
    sources = message.get("data_sources", [])
    if not isinstance(sources, list) or len(sources) > MAX_DATA_SOURCES:
        raise BadRequest(f"data_sources must be a list of at most {MAX_DATA_SOURCES}.")
    parsed = tuple(_source(source) for source in sources)
    if len({source.name for source in parsed}) != len(parsed):
        raise BadRequest("Two data sources have the same name.")
    return ExecuteRequest(
        run_id=run_id,
        environment=_text(message, "environment"),
        environment_lock_sha256=lock_sha256,
        kernel_name=_text(message, "kernel_name"),
        notebook=_notebook(message),
        limits=Limits(
            **_bounded(message.get("limits"), Limits(), LIMIT_BOUNDS, "limits")
        ),
        data_sources=parsed,
        live=message.get("live") is True,
    )
