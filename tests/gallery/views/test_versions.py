"""Source, bytes and differences of a version: for whom, and what they show."""

import pytest

from accounts.models import User
from gallery.workflow import Status
from tests.factories.gallery import ipynb, make_notebook, make_version
from tests.gallery.layouts import at, grid_of
from tests.gallery.notebooks import as_bytes, code, notebook
from tests.pages import as_reader, text, version_path

pytestmark = pytest.mark.django_db


def test_the_source_shows_code_findings_parameters_and_digest(ada: User) -> None:
    version = make_version(data=ipynb("import requests"))
    page = text(as_reader(ada).get(version_path(version)))
    assert "import requests" in page.replace("  ", " ")
    assert "has no network" in page or "network" in page
    assert version.digest in page


def test_a_default_of_lists_in_a_list_is_shown(ada: User) -> None:
    source = "groups = [['A', 'B'], ['C']]"
    cell = code(source, tags=["parameters"])
    version = make_version(data=as_bytes(notebook(cell)))
    page = text(as_reader(ada).get(version_path(version)))
    assert "default ['A', 'B'] and ['C']" in page


def test_code_is_shown_as_text_and_never_as_markup(ada: User) -> None:
    version = make_version(data=ipynb("x = '<script>alert(1)</script>'"))
    page = as_reader(ada).get(version_path(version)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_characters_that_cannot_be_seen_are_shown(ada: User) -> None:
    version = make_version(data=ipynb("x = 'a\u202eb'"))
    page = as_reader(ada).get(version_path(version)).content.decode()
    assert 'class="invisible-char"' in page
    assert "\u202e" not in page


def test_the_stored_bytes_are_sent_as_a_download(ada: User) -> None:
    version = make_version()
    response = as_reader(ada).get(version_path(version, "ipynb/"))
    assert response.content == bytes(version.document)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_reader_without_the_code_reads_why(adams: User) -> None:
    version = make_version(Status.APPROVED)
    for page in ("", "ipynb/", "diff/", "review/", "sign-off/"):
        response = as_reader(adams).get(version_path(version, page))
        assert response.status_code == 403, page
        assert "The code is for its authors" in text(response)


def test_a_draft_does_not_exist_for_reviewers(ravi: User) -> None:
    version = make_version(Status.DRAFT)
    assert as_reader(ravi).get(version_path(version)).status_code == 404


def test_the_difference_is_to_the_last_approved_version(ada: User) -> None:
    approved = make_version(Status.APPROVED)
    draft = make_version(Status.DRAFT, notebook=approved.notebook)
    page = text(as_reader(ada).get(version_path(draft, "diff/")))
    assert "From version 1 to 2" in page
    assert "added:" in page
    assert "removed:" in page


def test_a_first_version_has_nothing_to_compare_with(ada: User) -> None:
    page = text(as_reader(ada).get(version_path(make_version(), "diff/")))
    assert "Nothing to compare with" in page


@pytest.mark.parametrize("asked", ["9", "x", "-1", "1" * 40, "²"])
def test_a_version_that_is_not_there_cannot_be_compared_with(
    ada: User, asked: str
) -> None:
    version = make_version(Status.DRAFT, notebook=make_notebook())
    response = as_reader(ada).get(version_path(version, f"diff/?from={asked}"))
    assert response.status_code == 404


def test_the_source_says_which_cells_readers_do_not_see(ada: User) -> None:
    version = make_version(data=as_bytes(grid_of({"hidden": True}, at(0, 0))))
    page = text(as_reader(ada).get(version_path(version)))
    assert "1 cell runs but is not shown" in page
    assert page.count("The layout does not show what this cell puts out") == 2


def test_the_difference_names_a_layout_that_hides_more(ada: User) -> None:
    before = as_bytes(grid_of(at(0, 0), at(2, 0)))
    approved = make_version(Status.APPROVED, data=before)
    after = as_bytes(grid_of(at(0, 0), {"hidden": True}))
    draft = make_version(Status.DRAFT, notebook=approved.notebook, data=after)
    page = text(as_reader(ada).get(version_path(draft, "diff/")))
    was = "Readers see the cells in a grid, not in the notebook's order"
    assert f"Layout {was} {was}; 1 cell runs but is not shown (cell 2)" in page
