"""Approved versions with real code, for tests that run them."""

import json
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from gallery.parameters.infer import infer_parameters
from runner.models import Run
from runner.services import Launch, request_run
from tests.gallery.notebooks import code, notebook
from tests.rows import approve, notebook_row, version_row
from tests.support import cast

COUNT_PATIENTS = (
    "import psycopg\n"
    "with psycopg.connect() as connection:\n"
    "    print(connection.execute("
    '"SELECT count(*) FROM clinic.patients").fetchone()[0])\n'
)


def version_of(
    *sources: str,
    parameters: str = "",
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    **fields: Any,
) -> Version:
    """Insert a draft whose code cells are `sources`, the last one with `tags`."""
    cells = [code(source) for source in sources]
    if tags:
        cells[-1] = code(sources[-1], tags=tags)
    if parameters:
        cells.insert(0, code(parameters, tags=["parameters"]))
    document = notebook(
        *cells,
        kernel=fields.get("kernel_name", "python3"),
        language=fields.get("language", "python"),
        **(metadata or {}),
    )
    ada = cast.create("ada")
    entry = notebook_row(ada, slug=f"notebook-{time.monotonic_ns()}")
    return version_row(
        entry,
        ada,
        document=json.dumps(document).encode(),
        parameters=infer_parameters(document).schema,
        **fields,
    )


def approved(*sources: str, parameters: str = "", **fields: Any) -> Version:
    """Insert an approved version whose code cells are `sources`."""
    version = version_of(*sources, parameters=parameters, **fields)
    approve(version, *(cast.create(name) for name in ("carol", "ravi", "petra")))
    version.refresh_from_db()
    return version


def launch(
    version: Version, by: User, *, now: datetime | None = None, **wanted: Any
) -> Run:
    """Request a run of the approved version."""
    return request_run(
        notebook=version.notebook,
        launch=Launch(**wanted),
        by=by,
        now=now or timezone.now(),
    )


def wait_for_end(run_id: UUID, timeout_s: float = 60) -> Run:
    """Return the run once it has ended."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        run = Run.objects.select_related("result").get(pk=run_id)
        if run.is_final:
            return run
        time.sleep(0.1)
    message = f"run {run_id} is still {run.status}"
    raise AssertionError(message)
