"""What readers did is sealed, bound to its run, moves to a new key and expires as results do."""

import os
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.workflow import Status
from runner.models import PageChangeBatch, Run, WidgetEventBatch
from runner.results.batches import opened
from runner.results.expiry import expire_results
from runner.results.rotation import rotate_keys
from runner.results.vault import Tampered
from runner.services.sealed_batches import keep_record
from tests.factories.gallery import make_version
from tests.factories.runs import make_run

pytestmark = [pytest.mark.django_db, pytest.mark.security]

CHANGES = [{"step": 0, "cell": {"output": "CANARY"}}]
EVENTS = [{"comm_id": "slider", "values": {"value": "CANARY"}}]


@pytest.fixture
def run(adams: User) -> Run:
    made = make_run(make_version(Status.APPROVED), adams, queue="interactive")
    now = timezone.now()
    keep_record(run=made, events=(0, EVENTS), changes=(0, CHANGES), now=now)
    keep_record(run=made, events=(1, []), changes=(1, []), now=now)
    return made


KINDS = pytest.mark.parametrize(
    ("kind", "entries"), [(WidgetEventBatch, EVENTS), (PageChangeBatch, CHANGES)]
)
Kind = type[WidgetEventBatch] | type[PageChangeBatch]


@KINDS
def test_they_are_sealed_and_bound_to_their_run(
    run: Run, baker: User, kind: Kind, entries: object
) -> None:
    batch = kind.objects.get()
    assert opened(batch) == entries
    assert b"CANARY" not in bytes(batch.sealed)
    batch.run = make_run(run.version, baker)
    with pytest.raises(Tampered):
        opened(batch)


def test_they_move_to_a_new_key(run: Run, settings) -> None:
    new = os.urandom(32)
    settings.RESULT_KEYS = [new, *configured.RESULT_KEYS]
    assert rotate_keys(now=timezone.now()) == 2
    settings.RESULT_KEYS = [new]
    assert opened(WidgetEventBatch.objects.get()) == EVENTS
    assert opened(PageChangeBatch.objects.get()) == CHANGES


def test_they_expire_and_the_log_says_so(run: Run) -> None:
    expire_results(now=timezone.now())
    assert WidgetEventBatch.objects.exists()
    assert PageChangeBatch.objects.exists()
    expire_results(
        now=timezone.now() + timedelta(days=configured.RESULT_RETENTION_DAYS, hours=1)
    )
    assert not WidgetEventBatch.objects.exists()
    assert not PageChangeBatch.objects.exists()
    assert (
        Event.objects.filter(action="result.expired", target_id=str(run.pk)).count()
        == 1
    )


def test_neither_part_is_kept_without_the_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done, without what the page then showed, would be replayed as no answer."""

    class PowerCut(Exception):
        pass

    def fail(*_: object, **__: object) -> None:
        raise PowerCut

    monkeypatch.setattr(PageChangeBatch, "save", fail)
    with pytest.raises(PowerCut):
        keep_record(
            run=run, events=(1, EVENTS), changes=(1, CHANGES), now=timezone.now()
        )
    assert WidgetEventBatch.objects.count() == 1
