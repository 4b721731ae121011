"""Keep a run's record in batches while it grows, so that no crash takes it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from runner.models import Run, StatementBatch, WidgetEventBatch
from runner.results.vault import seal


def keep_statements(
    *, run: Run, first: int, statements: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Seal the run's statements from number `first` on; nothing to do for none."""
    _keep(StatementBatch(run=run, first=first), statements, now)


def keep_widget_events(
    *, run: Run, first: int, events: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Seal what readers did in the run's session, likewise."""
    _keep(WidgetEventBatch(run=run, first=first), events, now)


def _keep(
    batch: StatementBatch | WidgetEventBatch,
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
