"""What a page's form can do, a script can do: each page that takes a form, and its call.

A page that takes a form and is in no table here fails, so that nobody builds one for
browsers alone.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.views.people import CHANGES
from tests.api import BACKEND
from tests.factories.gallery import person
from tests.test_url_matrix import Row, path_of
from tests.world import World, build

#: Page with a form → the call that does the same.
FORMS = {
    "accounts:sign-in": "POST api:session",
    "accounts:sign-out": "DELETE api:session",
    "accounts:choose-password": "POST api:choose-password",
    "accounts:set-persona": "POST api:personas",
    "accounts:change-password": "POST api:password",
    "accounts:end-session": "DELETE api:end-session",
    "accounts:new-person": "POST api:people",
    "accounts:groups": "POST api:groups",
    "accounts:delete-group": "DELETE api:group",
    "audit:verify": "GET api:audit-verify",
    "gallery:upload": "POST api:notebooks",
    "gallery:edit": "PATCH api:notebook",
    "gallery:upload-version": "POST api:versions",
    "reviews:policy": "PUT api:policy",
    "reviews:membership": "PUT api:person-groups",
    "reviews:access": "PUT api:access",
    "reviews:review": "POST api:reviews",
    "reviews:sign-off": "POST api:sign-offs",
    "reviews:submit": "POST api:submit",
    "reviews:withdraw": "POST api:withdraw",
    "reviews:revoke": "POST api:revoke",
    "reviews:comment": "POST api:comments",
    "reviews:resolve-comment": "POST api:resolve-comment",
    "runner:launch": "POST api:run-requests",
    "runner:preview": "POST api:preview-requests",
    "runner:repeat": "POST api:repeat",
    "runner:cancel": "POST api:cancel",
}
#: What an operator may do to an account, by the last word of `accounts:change-person`.
ACCOUNT_FORMS = {
    "name": "PATCH api:person",
    "roles": "PUT api:person-roles",
    "personas": "PUT api:person-personas",
    "deactivate": "POST api:deactivate",
    "reactivate": "POST api:reactivate",
    "end-sessions": "POST api:end-sessions",
    "reset-password": "POST api:reset-password",
}
#: Pages and downloads that change nothing → the call that reads the same.
READS = {
    "status": "GET api:status",
    "accounts:profile": "GET api:sessions",
    "accounts:roles": "GET api:roles",
    "accounts:people": "GET api:people",
    "accounts:person": "GET api:person",
    "audit:events": "GET api:audit-events",
    "audit:export": "GET api:audit-export",
    "gallery:catalog": "GET api:notebooks",
    "gallery:notebook": "GET api:notebook",
    "gallery:version": "GET api:version",
    "gallery:version-ipynb": "GET api:version-ipynb",
    "gallery:diff": "GET api:version-diff",
    "reviews:queue": "GET api:queue",
    "runner:runs": "GET api:runs",
    "runner:run": "GET api:run",
    "runner:run-progress": "GET api:run",
    "runner:run-events": "GET api:run-events",
    "runner:frame": "GET api:run-html",
    "runner:download-ipynb": "GET api:run-ipynb",
    "runner:download-html": "GET api:run-html",
    "runner:record": "GET api:record",
    "runner:replay": "GET api:replay",
    "runner:tables": "GET api:tables",
    "runner:table-csv": "GET api:table-csv",
}
#: Health, and what a page asks so that nobody's data stays on an unattended screen.
NO_PAGES = {"healthz", "readyz", "accounts:session-left", "accounts:stay-signed-in"}
FORM = re.compile(r"""<form\b[^>]*method="post"[^>]*action="{% url '([\w:-]+)'""")
#: Where a page's address needs an object, the object that the world has.
THINGS = {"run_id": "run", "slug": "approved", "username": "person"}


def patterns(
    found: list[Any], namespace: str = ""
) -> Iterator[tuple[str, URLPattern, set[str]]]:
    """Yield every route with its pattern and the parts of its address."""
    for pattern in found:
        parts = set(pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from patterns(pattern.url_patterns, namespace + inner)
        else:
            yield f"{namespace}{pattern.name}", pattern, parts


ROUTES = {name: pattern for name, pattern, _ in patterns(get_resolver().url_patterns)}
PARTS = {name: parts for name, _, parts in patterns(get_resolver().url_patterns)}
PAGES = {name for name in ROUTES if not name.startswith("api:")} - NO_PAGES


def methods_of(route: str) -> set[str]:
    """Return the methods that a call of the API answers."""
    view = ROUTES[route].callback
    kind = getattr(view, "cls", None) or view.view_class
    return {each.upper() for each in kind.http_method_names if hasattr(kind, each)}


def test_every_page_is_in_one_of_the_tables() -> None:
    told = FORMS.keys() | READS.keys() | {"accounts:change-person"}
    assert PAGES - told == set(), "which call of the API does the same?"
    assert told - PAGES == set(), "these pages are gone"
    assert FORMS.keys().isdisjoint(READS)


def test_every_change_of_an_account_is_in_the_table() -> None:
    assert CHANGES.keys() | {"reset-password"} == ACCOUNT_FORMS.keys()


@pytest.mark.parametrize(
    "call", sorted({*FORMS.values(), *ACCOUNT_FORMS.values(), *READS.values()})
)
def test_the_call_is_there_and_takes_the_method(call: str) -> None:
    method, route = call.split()
    assert method in methods_of(route)


@pytest.fixture
def operator(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("otto"), backend=BACKEND)
    return client


@pytest.fixture
def world(settings: Any, db: None) -> World:
    settings.DATA_SOURCES = {}
    return build()


def takes_a_form(route: str) -> bool:
    """Tell whether a page's view looks at what a form sends."""
    source = inspect.getsource(inspect.unwrap(ROUTES[route].callback))
    return any(word in source for word in ("POST", "Form", "services"))


def test_a_page_that_only_reads_takes_no_form(world: World, operator: Client) -> None:
    taking = []
    for route in READS:
        thing = next((THINGS[part] for part in THINGS if part in PARTS[route]), "")
        path = path_of(Row(route, "POST", thing, ()), world)
        if operator.post(path).status_code != 405 and takes_a_form(route):
            taking.append(route)
    assert taking == []


def test_every_form_with_an_address_leads_to_a_page_in_the_table() -> None:
    sent = {
        route
        for template in (settings.BASE_DIR / "templates").rglob("*.html")
        for route in FORM.findall(template.read_text(encoding="utf-8"))
    }
    assert sent
    assert sent - FORMS.keys() - NO_PAGES == {"accounts:change-person"}
