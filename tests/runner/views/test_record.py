"""The page of what was done: its person's, and an auditor's with less on it."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.models import Version
from runner.live.record import CUT
from runner.models import ContentLink, Run
from runner.results.expiry import expire_results
from tests.factories.runs import make_run
from tests.pages import as_reader, text
from tests.runner.launching import approved
from tests.runner.recorded import (
    DAYS,
    MAP,
    NOTE,
    PASSWORD,
    entry,
    recorded_run,
    says,
    shown,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(ada: User) -> Version:
    return approved("IntSlider(description='Days')")


@pytest.fixture
def run(version: Version, adams: User) -> Run:
    return recorded_run(
        version,
        adams,
        entry(DAYS, value=8),
        entry(NOTE, value="Ruth <b>Hall</b>"),
        entry(PASSWORD, value="CANARY"),
    )


def test_its_person_reads_what_was_done(run: Run, adams: User) -> None:
    page = as_reader(adams).get(f"/runs/{run.pk}/record/")
    assert page.status_code == 200
    shown = text(page)
    for part in ("Days", "Slider", "Set to 8", "10:00:05 UTC", "Note"):
        assert part in shown
    assert "Ruth &lt;b&gt;Hall" in page.content.decode()
    assert "Password Set to something that is not kept" in shown
    assert "CANARY" not in page.content.decode()
    assert Event.objects.filter(action="record.read", actor="adams").count() == 1


@pytest.mark.security
def test_an_auditor_reads_which_controls_were_used_and_no_value(
    run: Run, iris: User
) -> None:
    page = as_reader(iris).get(f"/runs/{run.pk}/record/")
    shown = text(page)
    assert "Days Slider Set to something that you may not see" in shown
    assert "10:00:05 UTC" in shown
    # The code does not say it: it may have come from a row.
    assert "Note" not in shown
    assert "Hall" not in page.content.decode()
    assert Event.objects.filter(action="record.read", actor="iris").count() == 1


@pytest.mark.security
def test_an_auditor_reads_no_name_that_code_or_a_page_chose(
    version: Version, adams: User, iris: User
) -> None:
    chosen = {"comm_id": "CANARY", "module": "CANARY", "model": "CANARY"}
    use = {**entry(MAP, CANARY=1), **chosen}
    run = recorded_run(version, adams, entry(NOTE, value=1), use)
    page = as_reader(iris).get(f"/runs/{run.pk}/record/")
    assert "CANARY" not in page.content.decode()
    assert "Without a name (control 2) A control of another library" in text(page)
    assert "Set a trait to something that you may not see" in text(page)
    assert "CANARY" in as_reader(adams).get(f"/runs/{run.pk}/record/").content.decode()


def test_a_long_record_comes_in_pages(version: Version, adams: User) -> None:
    many = [entry(DAYS, value=value) for value in range(1001, 1061)]
    run = recorded_run(version, adams, *many, per_batch=7)
    first = text(as_reader(adams).get(f"/runs/{run.pk}/record/"))
    second = text(as_reader(adams).get(f"/runs/{run.pk}/record/?page=2"))
    assert "1–50 of 60 steps" in first
    assert ("Set to 1050" in first, "Set to 1051" in first) == (True, False)
    assert ("Set to 1050" in second, "Set to 1060" in second) == (False, True)


def test_a_page_that_nobody_used_says_so(version: Version, adams: User) -> None:
    run = recorded_run(version, adams)
    page = as_reader(adams).get(f"/runs/{run.pk}/record/")
    assert "No control was used" in text(page)


def test_a_record_whose_time_is_over_says_so(run: Run, adams: User) -> None:
    expire_results(now=timezone.now() + timedelta(days=settings.RESULT_RETENTION_DAYS))
    page = as_reader(adams).get(f"/runs/{run.pk}/record/")
    assert page.status_code == 409
    assert "The record has expired" in text(page)
    assert not Event.objects.filter(action="record.read").exists()


def test_a_page_that_is_still_open_says_so(version: Version, adams: User) -> None:
    run = recorded_run(version, adams, status="running")
    page = as_reader(adams).get(f"/runs/{run.pk}/record/")
    assert (page.status_code, "has not ended yet" in text(page)) == (409, True)


@pytest.mark.security
@pytest.mark.parametrize("who", ["baker", "carol", "otto", "ada", "nora"])
def test_for_everybody_else_it_does_not_exist(
    run: Run, who: str, request: pytest.FixtureRequest
) -> None:
    client = as_reader(request.getfixturevalue(who))
    assert client.get(f"/runs/{run.pk}/record/").status_code == 404


def test_an_ended_live_page_leads_to_it_and_another_run_does_not(
    run: Run, version: Version, adams: User
) -> None:
    client = as_reader(adams)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert f'href="/runs/{run.pk}/record/"' in page
    plain = make_run(version, adams, "succeeded")
    assert "/record/" not in client.get(f"/runs/{plain.pk}/").content.decode()


def test_the_audit_log_leads_to_it(
    run: Run, version: Version, adams: User, iris: User
) -> None:
    plain = make_run(version, adams, "succeeded")
    page = as_reader(iris).get("/audit/").content.decode()
    assert f'href="/runs/{run.pk}/record/"' in page
    assert f"/runs/{plain.pk}/record/" not in page


def test_what_a_version_leaves_out_is_said_above_its_record(adams: User) -> None:
    finding = {
        "code": "values_not_kept",
        "severity": "warning",
        "message": "No values.",
    }
    version = approved("1", findings=[{**finding, "cell": None, "line": None}])
    run = recorded_run(version, adams, entry(DAYS, value=1))
    page = as_reader(adams).get(f"/runs/{run.pk}/record/")
    assert "Not kept No values." in text(page)


class TestReplay:
    """The page that frames each step, and leads from one to the next without a script."""

    @pytest.fixture
    def run(self, version: Version, adams: User) -> Run:
        uses = [entry(DAYS, value=value) for value in (4, 5)]
        changes = [shown(step, "append", output=says("x")) for step in range(3)]
        return recorded_run(version, adams, *uses, changes=changes)

    @pytest.mark.parametrize(
        ("asked", "step", "before", "after"),
        [
            ("", 0, None, 1),
            ("?step=1", 1, 0, 2),
            ("?step=2", 2, 1, None),
            ("?step=99", 2, 1, None),
            ("?step=-4", 0, None, 1),
            ("?step=x", 0, None, 1),
        ],
    )
    def test_it_leads_to_the_steps_beside_it(
        self,
        run: Run,
        adams: User,
        asked: str,
        step: int,
        before: int | None,
        after: int | None,
    ) -> None:
        page = as_reader(adams).get(f"/runs/{run.pk}/replay/{asked}")
        html = page.content.decode()
        assert f'value="{step}"' in html
        for rel, other in (("prev", before), ("next", after)):
            found = re.search(rf'rel="{rel}" href="\?step=(\d+)#steps"', html)
            assert (found and int(found[1])) == other
        assert ContentLink.objects.get().step == step

    def test_the_list_leads_to_each_step(self, run: Run, adams: User) -> None:
        page = as_reader(adams).get(f"/runs/{run.pk}/record/").content.decode()
        assert f'href="/runs/{run.pk}/replay/"' in page
        assert f'href="/runs/{run.pk}/replay/?step=2"' in page

    @pytest.mark.security
    def test_an_auditor_is_not_led_there_and_not_let_in(
        self, run: Run, iris: User
    ) -> None:
        client = as_reader(iris)
        page = client.get(f"/runs/{run.pk}/record/").content.decode()
        assert "/replay/" not in page
        refused = client.get(f"/runs/{run.pk}/replay/")
        assert refused.status_code == 403
        assert "for the person alone" in text(refused)
        assert not ContentLink.objects.exists()

    def test_where_the_page_was_not_kept_it_says_from_where_on(
        self, version: Version, adams: User
    ) -> None:
        uses = [entry(DAYS, value=value) for value in (4, 5)]
        changes = [shown(0, "append", output=says("x")), {"step": 2, CUT: True}]
        run = recorded_run(version, adams, *uses, changes=changes)
        client = as_reader(adams)
        first = client.get(f"/runs/{run.pk}/replay/?step=1")
        assert "up to step 1" in text(first)
        assert ContentLink.objects.count() == 1
        second = client.get(f"/runs/{run.pk}/replay/?step=2")
        assert "more than a record keeps" in text(second)
        assert ContentLink.objects.count() == 1

    def test_where_no_step_was_kept_it_says_so_and_leads_to_none(
        self, version: Version, adams: User
    ) -> None:
        changes = [shown(0, "append", output=says("x")), {"step": 0, CUT: True}]
        run = recorded_run(version, adams, entry(DAYS, value=4), changes=changes)
        page = as_reader(adams).get(f"/runs/{run.pk}/replay/")
        assert "No step can be shown" in text(page)
        assert "up to step" not in text(page)
        assert 'id="steps"' not in page.content.decode()
        assert not ContentLink.objects.exists()

    def test_a_session_of_which_no_page_was_kept_says_so(
        self, version: Version, adams: User
    ) -> None:
        run = recorded_run(version, adams, entry(DAYS, value=1))
        client = as_reader(adams)
        page = client.get(f"/runs/{run.pk}/replay/")
        assert (page.status_code, "was not kept" in text(page)) == (409, True)
        assert "/replay/" not in client.get(f"/runs/{run.pk}/record/").content.decode()
