"""Open the sealed batches in which a run's record was kept while it grew."""

import json

from django.conf import settings

from runner.live.frames import Json
from runner.models_statements import SealedBatch
from runner.results import vault


def opened(batch: SealedBatch) -> list[Json]:
    """Return the entries of one batch in order.  Raises vault.VaultError."""
    entries: list[Json] = json.loads(
        vault.unseal(
            bytes(batch.sealed),
            keys=settings.RESULT_KEYS,
            associated=batch.associated,
        )
    )
    return entries
