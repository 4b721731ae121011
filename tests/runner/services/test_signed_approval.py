"""Nothing runs on real data without signatures that hold: asked three times."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import User
from accounts.policies import NotNow
from audit.models import Event
from gallery.access import LAUNCH, Audience
from gallery.models import Version
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import Status
from runner.models import Run
from runner.policies import claim_blockers
from runner.services import Launch, request_run, requests
from runner.services.lifecycle import claim_run
from tests.factories.gallery import make_version, person, sign_off
from tests.factories.runs import make_run
from tests.forging import forge_approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def forged(ada: User) -> Version:
    return forge_approval(make_version())


@pytest.fixture
def approved(ada: User) -> Version:
    return make_version(Status.APPROVED)


def request(version: Version, by: User) -> Run:
    return request_run(
        notebook=version.notebook,
        launch=Launch(persona="doctor"),
        by=by,
        now=timezone.now(),
    )


def test_a_forged_approval_is_refused_before_a_ticket_is_asked_for(
    forged: Version, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "put_ticket", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(NotNow) as refused:
        request(forged, adams)
    assert [each.code for each in refused.value.blockers] == ["signatures_do_not_hold"]
    assert not Run.objects.exists()


def test_the_page_says_why_and_shows_no_form(
    forged: Version, adams: User, client: Client
) -> None:
    client.force_login(adams)
    page = client.get(f"/notebooks/{forged.notebook.slug}/run/")
    words = re.sub(r"\s+", " ", page.content.decode())
    assert "The signatures of version 1 do not hold, so it does not run." in words


def test_what_stops_holding_before_the_queue_is_refused_in_its_transaction(
    adams: User, baker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version(Status.PEER_APPROVED)
    named = Audience(everyone=False, people=("adams",))
    apply_audiences(version.notebook, Audiences(named, Audience(everyone=True)))
    sign_off(version, person("carol"))

    def tamper(*args: Any, **kwargs: Any) -> None:
        assign_perm(LAUNCH, baker, version.notebook)

    monkeypatch.setattr(requests, "put_ticket", tamper)
    with pytest.raises(NotNow):
        request(version, adams)
    assert not Run.objects.exists()


def test_a_forged_approval_whose_run_was_inserted_too_is_not_started(
    forged: Version, adams: User
) -> None:
    run = make_run(forged, adams)
    assert claim_run(run_id=run.pk, now=timezone.now()) is None
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.error["code"] == "signatures_do_not_hold"
    event = Event.objects.latest("seq")
    assert (event.action, event.data["code"]) == (
        "run.cancelled",
        "signatures_do_not_hold",
    )


def test_an_approval_that_holds_is_claimed(approved: Version, adams: User) -> None:
    run = make_run(approved, adams)
    assert claim_blockers(run) == []
    claimed = claim_run(run_id=run.pk, now=approved.approved_at)
    assert claimed is not None


def test_a_preview_asks_for_no_signature(ada: User) -> None:
    run = make_run(make_version(Status.IN_REVIEW), ada, kind="preview")
    assert claim_blockers(run) == []
