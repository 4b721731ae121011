"""Keep a run's record in batches while it grows, so that no crash takes it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from runner.models import PageChangeBatch, Run, StatementBatch, WidgetEventBatch
from runner.results.vault import seal


def keep_statements(
    *, run: Run, first: int, statements: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Seal the run's statements from number `first` on; nothing to do for none."""
    _keep(StatementBatch(run=run, first=first), statements, now)


#: Entries of a record, and how many came before them.
Entries = tuple[int, Sequence[dict[str, Any]]]


@transaction.atomic
def keep_record(*, run: Run, events: Entries, changes: Entries, now: datetime) -> None:
    """Seal what the reader of a session did and what its pages were told; both or neither.

    One without the other would show a page that answered nothing, or by itself.
    """
    _keep(WidgetEventBatch(run=run, first=events[0]), events[1], now)
    _keep(PageChangeBatch(run=run, first=changes[0]), changes[1], now)


def _keep(
    batch: StatementBatch | WidgetEventBatch | PageChangeBatch,
    entries: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    if not entries:
        return
    batch.stored_at = now
    batch.expires_at = now + timedelta(days=settings.RESULT_RETENTION_DAYS)
    batch.sealed = seal(
        json.dumps(list(entries)).encode(),
        keys=settings.RESULT_KEYS,
        associated=batch.associated,
    )
    batch.save(force_insert=True)
