"""Read what a run asked the data source, whether it ended well or not."""

import json
from typing import Any

from django.conf import settings

from runner.models import Run
from runner.results import vault
from runner.results.batches import opened
from runner.results.reading import associated


def statements_of(run: Run) -> list[dict[str, Any]]:
    """Return the statements of a run in order: of its result, or as they came.

    Empty after their expiry.  Raises vault.VaultError.
    """
    kept = [each for batch in run.statement_batches.all() for each in opened(batch)]
    result = getattr(run, "result", None)
    if result is None or result.statements is None:
        return kept
    last = vault.unseal(
        bytes(result.statements),
        keys=settings.RESULT_KEYS,
        associated=associated(run, "statements"),
    )
    return [*kept, *json.loads(last)]
