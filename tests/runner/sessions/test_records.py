"""What readers did is sealed, bound to its run, moves to a new key and expires as results do."""

import json
import os
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.workflow import Status
from runner.models import Run, WidgetEventBatch
from runner.results.expiry import expire_results
from runner.results.rotation import rotate_keys
from runner.results.vault import Tampered, unseal
from runner.services.sealed_batches import keep_widget_events
from tests.factories.gallery import make_version
from tests.factories.runs import make_run

pytestmark = [pytest.mark.django_db, pytest.mark.security]

EVENTS = [{"comm_id": "slider", "values": {"value": "CANARY"}}]


@pytest.fixture
def run(adams: User) -> Run:
    made = make_run(make_version(Status.APPROVED), adams, queue="interactive")
    keep_widget_events(run=made, first=0, events=EVENTS, now=timezone.now())
    keep_widget_events(run=made, first=1, events=[], now=timezone.now())
    return made


def opened(batch: WidgetEventBatch) -> object:
    sealed = bytes(batch.sealed)
    return json.loads(
        unseal(sealed, keys=configured.RESULT_KEYS, associated=batch.associated)
    )


def test_they_are_sealed_and_bound_to_their_run(run: Run, baker: User) -> None:
    batch = WidgetEventBatch.objects.get()
    assert opened(batch) == EVENTS
    assert b"CANARY" not in bytes(batch.sealed)
    batch.run = make_run(run.version, baker)
    with pytest.raises(Tampered):
        opened(batch)


def test_they_move_to_a_new_key(run: Run, settings) -> None:
    new = os.urandom(32)
    settings.RESULT_KEYS = [new, *configured.RESULT_KEYS]
    assert rotate_keys(now=timezone.now()) == 1
    settings.RESULT_KEYS = [new]
    assert opened(WidgetEventBatch.objects.get()) == EVENTS


def test_they_expire_and_the_log_says_so(run: Run) -> None:
    expire_results(now=timezone.now())
    assert WidgetEventBatch.objects.exists()
    expire_results(
        now=timezone.now() + timedelta(days=configured.RESULT_RETENTION_DAYS, hours=1)
    )
    assert not WidgetEventBatch.objects.exists()
    assert (
        Event.objects.filter(action="result.expired", target_id=str(run.pk)).count()
        == 1
    )
