"""The API's description is complete, and open to everybody."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

PREFIX = "/api/v1/"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    written = StringIO()
    call_command(
        "spectacular",
        "--format",
        "openapi-json",
        "--validate",
        "--fail-on-warn",
        stdout=written,
    )
    described: dict[str, Any] = json.loads(written.getvalue())
    return described


def addresses(patterns: list[Any], prefix: str = "/") -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            found |= addresses(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            found.add(address)
    return found


def plain(address: str) -> str:
    """Write `<slug:slug>` as `{slug}`."""
    return "".join(
        f"{{{part.split('>')[0].split(':')[1]}}}{part.split('>')[1]}" if index else part
        for index, part in enumerate(address.split("<"))
    )


def test_it_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")


def test_every_address_of_the_api_is_described(schema: dict[str, Any]) -> None:
    routed = {
        plain(address)
        for address in addresses(get_resolver().url_patterns)
        if address.startswith(PREFIX)
    }
    assert set(schema["paths"]) == routed - {f"{PREFIX}schema/"}


def test_every_call_tells_its_refusals_as_problems(schema: dict[str, Any]) -> None:
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            refusals = {code for code in call["responses"] if int(code) >= 400}
            assert {"401", "403"} <= refusals, (method, path)
            for code in refusals:
                content = call["responses"][code]["content"]
                assert set(content) == {"application/problem+json"}


def test_every_call_tells_what_the_framework_refuses(schema: dict[str, Any]) -> None:
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            assert "405" in call["responses"], (method, path)
            writes = method in {"post", "put", "patch"}
            assert ("415" in call["responses"]) == writes, (method, path)


def test_every_call_may_find_the_database_away(schema: dict[str, Any]) -> None:
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            assert "503" in call["responses"], (method, path)


def test_what_is_not_acceptable_is_told_where_it_is_refused(
    schema: dict[str, Any], client: Client, db: None
) -> None:
    session = schema["paths"][f"{PREFIX}session/"]["get"]["responses"]
    assert (
        client.get(f"{PREFIX}session/", headers={"accept": "text/x"}).status_code == 406
    )
    assert "406" in session
    download = f"{PREFIX}notebooks/{{slug}}/versions/{{number}}/ipynb/"
    assert "406" not in schema["paths"][download]["get"]["responses"]


def test_lists_are_paginated(schema: dict[str, Any]) -> None:
    bare = [
        path
        for path, calls in schema["paths"].items()
        for code, answer in calls.get("get", {}).get("responses", {}).items()
        for form in answer.get("content", {}).values()
        if form["schema"].get("type") == "array"
    ]
    assert bare == []


def test_every_call_says_what_it_is_for(schema: dict[str, Any]) -> None:
    silent = [
        (method, path)
        for path, calls in schema["paths"].items()
        for method, call in calls.items()
        if not call.get("description")
    ]
    assert silent == []


def test_the_description_is_served_to_anybody(client: Client, db: None) -> None:
    answer = client.get(f"{PREFIX}schema/")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Countersign"


def test_the_reference_page_lists_every_call(schema: dict[str, Any]) -> None:
    page = (settings.BASE_DIR / "docs/reference/http-api.md").read_text()
    listed = {
        (method, f"{PREFIX}{path}")
        for methods, path in re.findall(r"^\| `([A-Z ]+) (\S+)` \|", page, re.MULTILINE)
        for method in methods.split()
    }
    described = {
        (method.upper(), path)
        for path, calls in schema["paths"].items()
        for method in calls
    }
    assert listed == described
