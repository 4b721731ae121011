"""Read what a run asked the data source, whether it ended well or not."""

import json
from typing import Any

from django.conf import settings

from runner.models import Run
from runner.results import vault
from runner.results.reading import associated


def statements_of(run: Run) -> list[dict[str, Any]]:
    """Return the statements of a run in order: of its result, or as they came.

    Empty after their expiry.  Raises vault.VaultError.
    """
    result = getattr(run, "result", None)
    sealed = {each.associated: each.sealed for each in run.statement_batches.all()}
    if result is not None:
        sealed[associated(run, "statements")] = result.statements
    return [
        statement
        for name, part in sealed.items()
        if part is not None
        for statement in json.loads(
            vault.unseal(bytes(part), keys=settings.RESULT_KEYS, associated=name)
        )
    ]
