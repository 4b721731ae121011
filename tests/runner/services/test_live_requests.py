"""Asking for a live page: which versions, how many, for how long."""

import pytest
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed, NotNow, TooMany
from audit.models import Event
from gallery.findings import find, waiting
from gallery.findings.waiting import LIVE_TAG
from gallery.findings.widgets import CODE
from gallery.models import Version
from gallery.parameters.names import SKIP_TAG
from runner.kernelhost import cells
from runner.kernelhost.cells import executes
from runner.models import Run
from runner.policies import stop_reason
from runner.services import Launch, cancel_run, repeat_run, request_preview, request_run
from runner.services.lifecycle import get_run
from runner.sessions.limits import session_limits
from runner.workflow import Queue
from tests.gallery.notebooks import code, notebook
from tests.runner.launching import approved, version_of
from tests.support.signing_in import sign_in

pytestmark = pytest.mark.usefixtures("committed_db", "data_cluster")

FINDINGS = [
    {"code": CODE, "severity": "info", "message": "", "cell": None, "line": None}
]
WAITING = [*FINDINGS, {**FINDINGS[0], "code": waiting.CODE}]


@pytest.fixture
def version() -> Version:
    return approved("1", findings=FINDINGS)


def open_live(version: Version, by: User) -> Run:
    return request_run(
        notebook=version.notebook,
        launch=Launch(),
        by=by,
        now=timezone.now(),
        queue=Queue.INTERACTIVE,
    )


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("import ipywidgets as w", True),
        ("from ipywidgets import IntSlider", True),
        ("import ipython_blocking", True),
        ("from jupyter_ui_poll import ui_events", True),
        ("import pandas", False),
        ("import ipywidgets_of_mine", False),
    ],
)
def test_a_notebook_with_widgets_says_so_among_its_findings(
    source: str, is_found: bool
) -> None:
    found = [
        each.code for each in find(notebook(code(source)), environment_packages=set())
    ]
    assert (CODE in found) == is_found


def test_a_live_page_waits_in_its_own_line_and_the_event_says_so(
    version: Version, adams: User
) -> None:
    run = open_live(version, adams)
    assert (run.queue, run.is_live) == ("interactive", True)
    event = Event.objects.get(action="run.requested", target_id=str(run.pk))
    assert event.data["live"] is True


def test_a_version_without_widgets_is_refused(adams: User) -> None:
    with pytest.raises(NotAllowed) as refused:
        open_live(approved("1"), adams)
    assert [each.code for each in refused.value.blockers] == ["not_interactive"]
    assert not Run.objects.exists()


def test_one_more_than_a_person_may_have_is_refused(
    version: Version, adams: User, baker: User, settings
) -> None:
    settings.LIVE_PER_PERSON = 1
    first = open_live(version, adams)
    with pytest.raises(TooMany) as refused:
        open_live(version, adams)
    assert [each.code for each in refused.value.blockers] == ["too_many_live_sessions"]
    open_live(version, baker)
    request_run(
        notebook=version.notebook, launch=Launch(), by=adams, now=timezone.now()
    )
    cancel_run(run=first, by=adams, now=timezone.now())
    open_live(version, adams)


def test_a_live_page_opened_again_is_a_live_page(version: Version, adams: User) -> None:
    first = open_live(version, adams)
    again = repeat_run(
        before=first, by=adams, now=timezone.now(), queue=Queue.INTERACTIVE
    )
    assert again.is_live


def test_it_may_last_as_long_as_a_session_and_not_as_a_run(
    version: Version, adams: User
) -> None:
    assert (
        session_limits(open_live(version, adams))["wall_clock_s"]
        > configured.LIVE_SESSION_S
    )
    run = request_run(
        notebook=version.notebook, launch=Launch(), by=adams, now=timezone.now()
    )
    assert session_limits(run) == {}


def test_a_preview_can_be_live_too(ravi: User) -> None:
    draft = version_of("1", findings=FINDINGS)
    run = request_preview(
        version=draft,
        launch=Launch(persona="doctor"),
        by=ravi,
        now=timezone.now(),
        queue=Queue.INTERACTIVE,
    )
    assert run.is_live


@pytest.mark.security
def test_only_while_its_person_is_signed_in_does_it_go_on(
    version: Version, adams: User
) -> None:
    run = open_live(version, adams)
    assert stop_reason(get_run(run.pk)).code == "signed_out"
    session = sign_in(adams)
    assert stop_reason(get_run(run.pk)) is None
    session.delete()
    assert stop_reason(get_run(run.pk)).code == "signed_out"


def test_an_ordinary_run_goes_on_without(version: Version, adams: User) -> None:
    run = request_run(
        notebook=version.notebook, launch=Launch(), by=adams, now=timezone.now()
    )
    assert stop_reason(get_run(run.pk)) is None


def test_a_version_that_waits_for_input_has_live_pages_only(
    adams: User, ravi: User
) -> None:
    version = approved("1", findings=WAITING)
    draft = version_of("1", findings=WAITING)
    for ask in (
        lambda: request_run(
            notebook=version.notebook, launch=Launch(), by=adams, now=timezone.now()
        ),
        lambda: request_preview(
            version=draft, launch=Launch(persona="doctor"), by=ravi, now=timezone.now()
        ),
    ):
        with pytest.raises(NotNow) as refused:
            ask()
        assert [each.code for each in refused.value.blockers] == ["needs_live_page"]
    assert not Run.objects.exists()
    first = open_live(version, adams)
    with pytest.raises(NotNow):
        repeat_run(before=first, by=adams, now=timezone.now(), queue=Queue.API)


@pytest.mark.parametrize(("is_told", "without"), [(True, 1), (False, 2)])
def test_cells_for_live_pages_count_there_only_if_reviewers_were_told(
    adams: User, is_told: bool, without: int
) -> None:
    told = [*FINDINGS, {**FINDINGS[0], "code": waiting.LEFT_OUT_CODE}]
    findings = told if is_told else FINDINGS
    version = approved("1", "2", findings=findings, tags=[LIVE_TAG])
    run = request_run(
        notebook=version.notebook, launch=Launch(), by=adams, now=timezone.now()
    )
    assert (run.cells_total, open_live(version, adams).cells_total) == (without, 2)


@pytest.mark.parametrize(
    ("tag", "without", "live"),
    [
        ("other", True, True),
        (LIVE_TAG, False, True),
        ("Live-Only", False, True),
        (SKIP_TAG, False, False),
        ("Skip-Execution", False, False),
    ],
)
def test_which_cells_are_executed_is_what_reviewers_are_told(
    tag: str, without: bool, live: bool
) -> None:
    cell = code("1", tags=[tag])
    assert (executes(cell, live=False), executes(cell, live=True)) == (without, live)
    told = {each.code for each in find(notebook(cell), environment_packages=set())}
    assert ("skipped_cell" in told) == (not live)
    assert ("live_only_cell" in told) == (live and not without)
    assert (LIVE_TAG, SKIP_TAG) == (cells.LIVE_TAG, cells.SKIP_TAG)
