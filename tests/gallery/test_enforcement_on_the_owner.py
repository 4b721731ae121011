"""Triggers hold for the role that owns the schema, not only for the runtime role."""

import psycopg
import pytest

from accounts.models import User
from tests.rows import notebook_row, version_row
from tests.support import environment


def test_not_even_the_owner_of_the_schema_changes_a_version(
    committed_db: None, ada: User
) -> None:
    version = version_row(notebook_row(ada), ada)
    dsn = environment.application_dsn("countersign_owner", environment.database())
    with psycopg.connect(dsn, autocommit=True) as owner:
        for statement in (
            "UPDATE gallery_version SET digest = repeat('0', 64)",
            "UPDATE gallery_version SET document = 'x'",
            "DELETE FROM gallery_version",
            "TRUNCATE gallery_version CASCADE",
            "DELETE FROM gallery_notebook",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(statement)
    version.refresh_from_db()
    assert version.digest == "ab" * 32
