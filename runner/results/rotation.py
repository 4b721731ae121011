"""Move every stored result to the first of RESULT_KEYS, so that old keys can go."""

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from django.conf import settings
from django.db import transaction

from audit.log import record
from runner.models import BATCHES, RunResult
from runner.models_statements import BatchKind
from runner.results import vault
from runner.results.reading import Kind, associated

PARTS: tuple[Kind, ...] = get_args(Kind)


def rotate_keys(*, now: datetime) -> int:
    """Wrap the data keys of all results anew; return how many results changed.

    Ciphertexts are not touched; running it again does nothing.  One event says that
    it was done.  Raises vault.VaultError for a result that does not open.
    """
    changed = sum(_rotate(pk) for pk in list(_stored()))
    for kind in BATCHES:
        batches = kind.objects.order_by("pk").values_list("pk", flat=True)
        changed += sum(_rotate_batch(kind, pk) for pk in list(batches))
    if changed:
        with transaction.atomic():
            record("result.keys_rotated", by=None, at=now, results=changed)
    return changed


def _stored() -> Iterator[int]:
    stored = RunResult.objects.filter(expired_at=None).order_by("pk")
    return stored.values_list("pk", flat=True).iterator()


@transaction.atomic
def _rotate(pk: int) -> bool:
    result = (
        RunResult.objects.select_for_update(of=("self",), no_key=True)
        .select_related("run")
        .get(pk=pk)
    )
    if result.expired_at is not None:
        return False
    keys = settings.RESULT_KEYS
    fields = {
        part: vault.rewrap(
            bytes(getattr(result, part)),
            keys=keys,
            associated=associated(result.run, part),
        )
        for part in PARTS
        if vault.needs_rewrap(bytes(getattr(result, part)), keys=keys)
    }
    return bool(fields) and bool(RunResult.objects.filter(pk=pk).update(**fields))


@transaction.atomic
def _rotate_batch(kind: BatchKind, pk: int) -> bool:
    """Wrap the key of what is kept apart from results."""
    batch = kind.objects.select_for_update(no_key=True).filter(pk=pk).first()
    keys = settings.RESULT_KEYS
    if batch is None or not vault.needs_rewrap(bytes(batch.sealed), keys=keys):
        return False
    batch.sealed = vault.rewrap(
        bytes(batch.sealed), keys=keys, associated=batch.associated
    )
    batch.save(update_fields=["sealed"])
    return True
