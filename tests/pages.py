"""How tests read pages: as a person, from a signed-in session."""

import html
import re
from typing import Any

from django.test import Client

from accounts.models import User
from tests.api import BACKEND, PASSWORD

__all__ = ["PASSWORD", "as_reader", "text", "version_path"]


def as_reader(person: User) -> Client:
    """Return a browser-like client that is signed in."""
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def text(response: Any) -> str:
    """Return a page's words as a person reads them."""
    body = re.sub(
        r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S
    )
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def version_path(version: Any, page: str = "") -> str:
    """Return the address of a version's page."""
    return f"/notebooks/{version.notebook.slug}/versions/{version.number}/{page}"
