"""Keep what a run asks the data source while it asks, so that no crash takes it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from runner.models import Run, StatementBatch
from runner.results.vault import seal


def keep_statements(
    *, run: Run, first: int, statements: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Seal the run's statements from number `first` on; nothing to do for none."""
    if not statements:
        return
    batch = StatementBatch(
        run=run,
        first=first,
        stored_at=now,
        expires_at=now + timedelta(days=settings.RESULT_RETENTION_DAYS),
    )
    batch.sealed = seal(
        json.dumps(list(statements)).encode(),
        keys=settings.RESULT_KEYS,
        associated=batch.associated,
    )
    batch.save(force_insert=True)
