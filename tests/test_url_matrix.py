"""Every address × everybody: nobody signed in, each of the cast, another owner's object.

A route without a row here fails, so that nobody forgets to say who may.  Whatever a
call changes is rolled back before the next one.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests.api import BACKEND, PASSWORD
from tests.factories.gallery import ipynb, person
from tests.matrix_rows import ROWS
from tests.world import World, build

pytestmark = pytest.mark.django_db

#: Who stands in which column: nobody, then one of each role; adams owns the runs, and
#: baker, who holds the same persona, does not.
COLUMNS = ("", "ada", "ravi", "carol", "adams", "baker", "otto", "iris", "nora")
SIGNED = {"decision": "approve", "comment": "", "password": PASSWORD}
#: What a call sends, by route; what is not here sends nothing.
BODIES: dict[str, dict[str, Any]] = {
    "api:reviews": SIGNED,
    "api:sign-offs": SIGNED,
    "api:revoke": {"reason": "Wrong.", "password": PASSWORD},
    "api:comments": {"body": "Why?"},
    "api:access": {"launch": []},
    "api:preview-requests": {"persona": "doctor"},
    "api:run-requests": {"persona": "doctor"},
    "api:personas": {"active": "doctor"},
    "api:session": {"username": "adams", "password": "wrong"},
    "api:notebook": {"tags": ["new"]},
    "api:policy": {"policy": "One peer"},
    "api:password": {"old": PASSWORD, "new": "a sentence that only I know"},
    "api:choose-password": {
        "username": "sam",
        "token": "none",
        "new": "a sentence that only I know",
    },
    "api:people": {"username": "zoe"},
    "api:person": {"display_name": "Samantha Stone"},
    "api:person-roles": {"roles": ["author"]},
    "api:person-personas": {"personas": [{"persona": "doctor"}]},
    "api:person-groups": {"groups": ["Cardiology"]},
    "api:deactivate": {"reason": "Left."},
    "api:groups": {"name": "Ward B"},
    "reviews:review": SIGNED,
    "reviews:sign-off": SIGNED,
    "reviews:revoke": {"reason": "Wrong.", "password": PASSWORD},
    "reviews:comment": {"body": "Why?"},
    "reviews:membership": {"reason": "Moved."},
    "reviews:policy": {"policy": "0"},
    "reviews:access": {"launch": "named", "source": "everyone", "review": "everyone"},
    "runner:launch": {"version": "1", "persona": "doctor", "purpose": "treatment"},
    "runner:preview": {"persona": "doctor", "purpose": "treatment"},
    "accounts:set-persona": {"persona": "doctor"},
    "gallery:edit": {"title": "T", "tags": ""},
}
UPLOADS = {"api:notebooks", "api:versions", "gallery:upload", "gallery:upload-version"}


@dataclass(frozen=True)
class Row:
    """One address, one method, one thing, and what everybody gets."""

    route: str
    method: str
    thing: str
    expected: tuple[int, ...]

    def by_person(self) -> Iterator[tuple[str, int]]:
        yield from zip(COLUMNS, self.expected, strict=True)


def rows() -> list[Row]:
    found = []
    for line in ROWS.strip().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        call, _, answers = line.partition(":  ")
        method, route, *thing = call.split()
        expected = tuple(int(answer) for answer in answers.split())
        found.append(Row(route, method, " ".join(thing), expected))
    return found


def routes(patterns: list[Any], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from routes(pattern.url_patterns, namespace + inner)
        else:
            yield f"{namespace}{pattern.name}"


def path_of(row: Row, world: World) -> str:
    pattern = next(
        pattern
        for pattern in walk(get_resolver().url_patterns)
        if pattern[0] == row.route
    )[1]
    named = world.kwargs(row.thing)
    return reverse(row.route, kwargs={key: named[key] for key in pattern})


def walk(
    patterns: list[Any], namespace: str = "", names: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in patterns:
        inside = (*names, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from walk(pattern.url_patterns, namespace + inner, inside)
        else:
            yield f"{namespace}{pattern.name}", inside


def call(client: Client, row: Row, path: str) -> int:
    """Make the call, undo what it did, and return the answer's status."""
    before, cookies = transaction.savepoint(), copy.deepcopy(client.cookies)
    try:
        return int(_send(client, row, path).status_code)
    finally:
        transaction.savepoint_rollback(before)
        client.cookies = cookies


def _send(client: Client, row: Row, path: str) -> Any:
    body = BODIES.get(row.route, {})
    method = getattr(client, row.method.lower())
    if row.method == "GET":
        return method(path)
    if row.route in UPLOADS:
        title = {} if row.route == "api:versions" else {"title": "T"}
        file = SimpleUploadedFile("trends.ipynb", ipynb())
        return method(path, title | {"summary": "S", "file": file})
    if row.route.startswith("api:"):
        return method(path, json.dumps(body), content_type="application/json")
    return method(path, body)


@pytest.fixture
def world(settings: Any) -> World:
    """The world of versions that read no data source, so that none is needed."""
    settings.DATA_SOURCES = {}
    return build()


@pytest.fixture
def clients(world: World) -> dict[str, Client]:
    signed_in = {"": Client(raise_request_exception=False)}
    for name in COLUMNS[1:]:
        client = Client(raise_request_exception=False)
        client.force_login(person(name), backend=BACKEND)
        signed_in[name] = client
    return signed_in


def test_every_route_has_a_row() -> None:
    said = {row.route for row in rows()}
    routed = set(routes(get_resolver().url_patterns))
    assert routed - said == set(), "say in tests/matrix_rows.py who may"
    assert said - routed == set(), "these routes are gone"


def test_the_content_origin_answers_these_addresses_only() -> None:
    there = get_resolver("config.content_urls").url_patterns
    results = {"framed-result", "live-outputs"}
    assert set(routes(there)) == results | {
        "asset",
        "kernel",
        "session-page",
        "shutdown",
    }


#: Rows per test, so that none takes long.
CHUNK = 20
CHUNKS = [rows()[start : start + CHUNK] for start in range(0, len(rows()), CHUNK)]


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: chunk[0].route)
def test_everybody_gets_what_the_table_says(
    chunk: list[Row], world: World, clients: dict[str, Client]
) -> None:
    wrong = []
    for row in chunk:
        path = path_of(row, world)
        for name, status in row.by_person():
            got = call(clients[name], row, path)
            if got != status:
                who = name or "nobody"
                wrong.append(f"{row.method} {path} as {who}: {got}, not {status}")
    assert wrong == []
