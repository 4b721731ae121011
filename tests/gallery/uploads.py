"""Uploads for tests of the services."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from gallery.models import Notebook, Version
from gallery.services import Upload, create_notebook
from tests.gallery.notebooks import as_bytes, code, markdown, notebook

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

TRENDS = notebook(
    markdown("# Prescription trends\nMonthly counts per drug."),
    code('drug: str = "Metformin"  # which drug', tags=["parameters"]),
    code(
        "import psycopg\n"
        "with psycopg.connect() as connection:\n"
        '    rows = connection.execute("SELECT drug FROM clinic.prescriptions")\n'
    ),
)


def upload(document: dict[str, Any] = TRENDS, **fields: Any) -> Upload:
    """Return an upload of a notebook."""
    return Upload(data=as_bytes(document), **fields)


def create(by: User, title: str = "Prescription trends", **fields: Any) -> Notebook:
    """Create a notebook through the service."""
    values: dict[str, Any] = {
        "description": "Monthly counts.",
        "tags": ["drugs"],
        "upload": upload(),
        "now": NOW,
    }
    return create_notebook(title=title, by=by, **{**values, **fields})


def first_version(notebook_: Notebook) -> Version:
    """Return version 1."""
    return notebook_.versions.get(number=1)
