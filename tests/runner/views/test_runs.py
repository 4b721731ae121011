"""A run's pages: its owner's only; progress, result, failure, downloads."""

import re

import pytest

from accounts.models import User
from audit.models import Event
from gallery.workflow import Status as VersionStatus
from runner.models import ContentLink
from runner.workflow import FINAL, Queue, Status
from tests.factories.gallery import make_version
from tests.factories.runs import make_run
from tests.gallery.layouts import at, grid_of
from tests.gallery.notebooks import as_bytes
from tests.pages import as_reader, text, version_path

pytestmark = pytest.mark.django_db
PAGES = (
    "", "progress/", "frame/", "cancel/", "again/", "ipynb/", "html/", "tables/", "tables/1.csv"
)  # fmt: skip


@pytest.fixture
def version():
    return make_version(VersionStatus.APPROVED)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_else_sees_a_run(version, adams: User, baker: User, page: str) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    client = as_reader(baker)
    for send in (client.get, client.post):
        response = send(f"/runs/{run.pk}/{page}", follow=True)
        assert response.status_code in {404, 405}, page
        assert "Twelve prescriptions" not in text(response)


def test_a_run_leads_to_its_notebook_only_while_its_owner_sees_it(
    version, adams: User
) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    link = f'href="{version.notebook.get_absolute_url()}"'
    client = as_reader(adams)
    assert link in client.get(f"/runs/{run.pk}/").content.decode()
    narrow = version.notebook
    narrow.launch_restricted = True
    narrow.save(update_fields=["launch_restricted"])
    page = client.get(f"/runs/{run.pk}/")
    assert link not in page.content.decode()
    assert "No longer in your catalog" in text(page)


def test_a_run_under_way_shows_its_steps_and_cancel(version, adams: User) -> None:
    run = make_run(version, adams, Status.RUNNING)
    page = as_reader(adams).get(f"/runs/{run.pk}/")
    assert "Step 2 of 2." in text(page)
    assert "Cancel" in text(page)
    assert f'data-run-events="/runs/{run.pk}/events/"' in page.content.decode()


def test_the_fragment_is_the_part_that_changes(version, adams: User) -> None:
    run = make_run(version, adams, Status.RUNNING)
    fragment = as_reader(adams).get(f"/runs/{run.pk}/progress/").content.decode()
    assert fragment.strip().startswith('<div id="live"')
    assert "<html" not in fragment


def test_a_run_under_way_frames_its_outputs_outside_the_part_that_changes(
    version, adams: User, settings
) -> None:
    run = make_run(version, adams, Status.RUNNING)
    client = as_reader(adams)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    frames = re.findall(r"<iframe .*?>", page)
    assert len(set(frames)) == 1
    assert f'src="{settings.CONTENT_ORIGIN}/results/' in frames[0]
    assert "/live/" in frames[0]
    assert " sandbox " in frames[0]
    assert "allow-" not in frames[0]
    fragment = client.get(f"/runs/{run.pk}/progress/").content.decode()
    assert "live-outputs" not in fragment
    assert ContentLink.objects.count() == 1


def test_without_javascript_the_frame_is_there_too(version, adams: User) -> None:
    run = make_run(version, adams, Status.RUNNING)
    page = as_reader(adams).get(f"/runs/{run.pk}/").content.decode()
    assert re.search(r"<noscript><iframe [^>]*live-frame", page)


def test_the_end_takes_the_frame_of_outputs_away(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    client = as_reader(adams)
    fragment = client.get(f"/runs/{run.pk}/progress/").content.decode()
    assert '<div id="live-outputs" hx-swap-oob="delete"></div>' in fragment
    assert "live-outputs" not in client.get(f"/runs/{run.pk}/").content.decode()


def test_watching_is_not_a_sign_of_life() -> None:
    from accounts.activity import is_activity
    from runner.views import events, progress, run

    assert not is_activity(progress)
    assert not is_activity(events)
    assert is_activity(run)


def test_a_result_stands_in_a_frame_of_the_content_origin(
    version, adams: User, settings
) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    page = as_reader(adams).get(f"/runs/{run.pk}/").content.decode()
    assert f'src="{settings.CONTENT_ORIGIN}/results/' in page
    assert " sandbox " in page
    assert "allow-" not in page
    assert "Twelve prescriptions" not in page


def test_the_rights_bar_says_whose_truth_it_is(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/"))
    for words in (
        "Dr Ruth Adams , acting as Doctor, cardiology : only the rows that you may see.",
        "Purpose Treatment",
        version.short_digest,
        "Signed off by Carol Jensen",
        "Months 6",
    ):
        assert words in page, words


def test_a_result_without_rows_says_so(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED, read=0)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/"))
    assert "This run read no rows." in page


def test_a_reader_of_a_failure_gets_one_sentence_and_a_number(
    version, adams: User
) -> None:
    run = make_run(version, adams, Status.FAILED)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/"))
    assert "Cell 2 stopped with an error." in page
    assert run.incident in page
    assert "ValueError" not in page


def test_the_author_sees_place_and_kind_of_failures(
    version, adams: User, ada: User
) -> None:
    make_run(version, adams, Status.FAILED)
    page = text(as_reader(ada).get(f"/notebooks/{version.notebook.slug}/"))
    assert "Where runs failed" in page
    assert "ValueError" in page
    assert "Adams" not in page


@pytest.mark.parametrize("status", sorted(FINAL))
def test_every_end_has_a_page(version, adams: User, status: str) -> None:
    run = make_run(version, adams, status)
    page = as_reader(adams).get(f"/runs/{run.pk}/")
    assert page.status_code == 200
    assert "Run again" in text(page)


def test_a_waiting_run_is_cancelled_at_once(version, adams: User) -> None:
    run = make_run(version, adams, Status.QUEUED)
    as_reader(adams).post(f"/runs/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_downloads_are_attachments_and_each_is_an_event(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    client = as_reader(adams)
    for page in ("ipynb/", "html/"):
        response = client.get(f"/runs/{run.pk}/{page}")
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Cache-Control"] == "no-store"
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    found = Event.objects.filter(action="result.downloaded", target_id=str(run.pk))
    assert found.count() == 2


def test_the_downloaded_page_says_whose_rights_it_shows(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    page = text(as_reader(adams).get(f"/runs/{run.pk}/html/"))
    assert "Twelve prescriptions" in page
    assert "Dr Ruth Adams" in page
    assert version.short_digest in page


def test_a_result_without_tables_says_so(version, adams: User) -> None:
    run = make_run(version, adams, Status.SUCCEEDED)
    client = as_reader(adams)
    assert "No tables" in text(client.get(f"/runs/{run.pk}/tables/"))
    assert client.get(f"/runs/{run.pk}/tables/1.csv").status_code == 404


def test_my_runs_are_mine(version, adams: User, baker: User) -> None:
    make_run(version, adams, Status.SUCCEEDED)
    assert "Prescription trends" in text(as_reader(adams).get("/runs/"))
    assert "You have not run anything yet" in text(as_reader(baker).get("/runs/"))


def test_the_catalog_knows_my_last_run(version, adams: User, baker: User) -> None:
    make_run(version, adams, Status.SUCCEEDED)
    assert "My last run:" in text(as_reader(adams).get("/"))
    page = text(as_reader(baker).get("/"))
    assert "My last run:" not in page
    assert "1 run this month" in page


def test_a_preview_opens_in_place_on_the_review_page(ravi: User) -> None:
    version = make_version(VersionStatus.IN_REVIEW)
    run = make_run(version, ravi, Status.SUCCEEDED, kind="preview")
    client = as_reader(ravi)
    page = client.get(version_path(version, "review/")).content.decode()
    assert f'hx-get="/runs/{run.pk}/frame/"' in page
    fragment = client.get(f"/runs/{run.pk}/frame/").content.decode()
    assert "invented data that follow the same rules" in fragment
    assert "<iframe" in fragment


def test_nothing_is_framed_before_the_end(version, adams: User) -> None:
    run = make_run(version, adams, Status.RUNNING)
    assert as_reader(adams).get(f"/runs/{run.pk}/frame/").status_code == 409


@pytest.mark.parametrize("queue", [Queue.PAGE, Queue.INTERACTIVE])
@pytest.mark.parametrize("status", [Status.RUNNING, Status.SUCCEEDED])
def test_a_preview_says_what_its_layout_keeps_from_readers(
    ravi: User, adams: User, queue: str, status: str
) -> None:
    data = as_bytes(grid_of({"hidden": True}, at(0, 0)))
    version = make_version(VersionStatus.APPROVED, data=data)
    run = make_run(version, adams, status, queue=queue)
    assert "1 cell runs" not in text(as_reader(adams).get(run.get_absolute_url()))
    preview = make_run(version, ravi, status, kind="preview", queue=queue)
    page = text(as_reader(ravi).get(preview.get_absolute_url()))
    is_said = queue == Queue.INTERACTIVE or status == Status.SUCCEEDED
    assert ("1 cell runs but is not shown." in page) is is_said
