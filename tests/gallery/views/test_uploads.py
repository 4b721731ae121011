"""Upload pages: what arrives, what is refused, what stays typed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from gallery.models import Notebook
from tests.factories.gallery import ipynb, make_notebook
from tests.pages import as_reader, text

pytestmark = pytest.mark.django_db


def file(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("trends.ipynb", ipynb() if data is None else data)


def test_an_upload_leads_to_the_source_with_submit(ada: User) -> None:
    page = as_reader(ada).post(
        "/notebooks/new/", {"file": file(), "title": "Trends"}, follow=True
    )
    assert page.redirect_chain == [("/notebooks/trends/versions/1/", 302)]
    assert "Submit for review" in text(page)
    assert "Months" in text(page)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "This file is empty"), (b"{", "not"), (b"\x00", "")]
)
def test_a_refused_file_keeps_what_was_typed(
    ada: User, data: bytes, reason: str
) -> None:
    page = as_reader(ada).post(
        "/notebooks/new/",
        {"file": file(data), "title": "Kept title", "tags": "one, two"},
    )
    assert page.status_code == 400
    assert reason in text(page)
    assert 'value="Kept title"' in page.content.decode()
    assert 'value="one, two"' in page.content.decode()
    assert not Notebook.objects.exists()


def test_a_manifest_that_is_not_one_is_refused_on_its_field(ada: User) -> None:
    page = as_reader(ada).post(
        "/notebooks/new/", {"file": file(), "title": "Trends", "manifest": "[1"}
    )
    assert page.status_code == 400
    assert "The manifest is not valid JSON." in text(page)


def test_limits_beyond_the_most_are_refused_on_their_field(ada: User) -> None:
    page = as_reader(ada).post(
        "/notebooks/new/",
        {"file": file(), "title": "Trends", "limits": '{"wall_clock_s": 86400}'},
    )
    assert page.status_code == 400
    assert "wall_clock_s must be a whole number from 1 to 3600." in text(page)
    assert "86400" in text(page)


def test_the_limits_asked_for_stand_beside_the_code(ada: User) -> None:
    sent = {"file": file(), "title": "Trends", "limits": '{"memory_bytes": 2147483648}'}
    page = as_reader(ada).post("/notebooks/new/", sent, follow=True)
    assert "What it may use Memory 2 GiB (every run: 1 GiB)" in text(page)


def test_who_is_no_author_reads_why_and_gets_no_form(adams: User) -> None:
    page = as_reader(adams).get("/notebooks/new/")
    assert "Only people with the author role" in text(page)
    assert 'type="file"' not in page.content.decode()


def test_who_is_no_author_cannot_post_either(adams: User) -> None:
    page = as_reader(adams).post("/notebooks/new/", {"file": file(), "title": "Trends"})
    assert page.status_code == 403
    assert not Notebook.objects.exists()


def test_a_new_version_says_what_changed(ada: User) -> None:
    notebook = make_notebook()
    path = f"/notebooks/{notebook.slug}/versions/new/"
    client = as_reader(ada)
    refused = client.post(path, {"file": file(), "summary": ""})
    assert "Say in one sentence what changed." in text(refused)
    page = client.post(
        path, {"file": file(ipynb("1")), "summary": "Counts refills once."}, follow=True
    )
    assert "Counts refills once." in text(page)
    assert notebook.versions.count() == 2


def test_nobody_else_uploads_versions(ravi: User) -> None:
    notebook = make_notebook()
    page = as_reader(ravi).get(f"/notebooks/{notebook.slug}/versions/new/")
    assert page.status_code == 404


def test_the_entry_can_be_edited_by_its_author(ada: User) -> None:
    notebook = make_notebook()
    page = as_reader(ada).post(
        f"/notebooks/{notebook.slug}/edit/",
        {"title": "Renamed", "description": "", "tags": "a", "department": "lab"},
        follow=True,
    )
    assert "Renamed" in text(page)
