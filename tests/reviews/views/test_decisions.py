"""Review and sign-off pages: deciding, refusals with reasons, stale pages."""

import pytest

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status
from tests.factories.gallery import make_version, review
from tests.gallery.layouts import at, grid_of
from tests.gallery.notebooks import as_bytes
from tests.pages import PASSWORD, as_reader, text, version_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_review() -> Version:
    return make_version(Status.IN_REVIEW)


def seen(page) -> str:
    return page.context["seen"]


def decide(client, version: Version, page: str, **sent: str):
    path = version_path(version, page)
    sent.setdefault("seen", seen(client.get(path)))
    sent.setdefault("password", PASSWORD)
    return client.post(path, sent)


def test_a_peer_approves_with_the_password(ravi: User, in_review: Version) -> None:
    client = as_reader(ravi)
    response = decide(client, in_review, "review/", decision="approve")
    assert response.status_code == 302
    page = text(client.get(version_path(in_review, "review/")))
    assert "Peer reviewed and approved: Ravi Menon" in page
    assert "1 of 2 peer approvals" in page


def test_a_wrong_password_signs_nothing_and_keeps_the_comment(
    ravi: User, in_review: Version
) -> None:
    response = decide(
        as_reader(ravi),
        in_review,
        "review/",
        decision="approve",
        comment="Reads well.",
        password="wrong",
    )
    assert response.status_code == 403
    assert "The password is not right" in text(response)
    assert "Reads well." in text(response)
    assert 'value="wrong"' not in response.content.decode()
    assert not in_review.reviews.exists()


def test_changes_need_a_reason(ravi: User, in_review: Version) -> None:
    response = decide(as_reader(ravi), in_review, "review/", decision="request_changes")
    assert response.status_code == 400
    assert "Say what has to change." in text(response)


def test_a_page_that_is_out_of_date_signs_nothing(
    ravi: User, petra: User, in_review: Version
) -> None:
    client = as_reader(ravi)
    old = seen(client.get(version_path(in_review, "review/")))
    review(in_review, petra)
    response = decide(client, in_review, "review/", decision="approve", seen=old)
    assert response.status_code == 409
    assert "This changed while you were looking" in text(response)
    assert in_review.reviews.count() == 1


def test_the_author_reads_why_not_and_the_button_is_grey(
    ada: User, in_review: Version
) -> None:
    page = as_reader(ada).get(version_path(in_review, "review/"))
    assert "You worked on this notebook. Nobody signs their own work." in text(page)
    assert 'disabled aria-describedby="blockers"' in page.content.decode()
    assert 'type="password"' not in page.content.decode()


def test_the_author_cannot_post_a_review_either(ada: User, in_review: Version) -> None:
    response = decide(as_reader(ada), in_review, "review/", decision="approve")
    assert response.status_code == 403
    assert "Nobody signs their own work" in text(response)
    assert not in_review.reviews.exists()


def test_compliance_out_of_order_reads_how_many_peers_are_missing(
    carol: User, in_review: Version
) -> None:
    page = text(as_reader(carol).get(version_path(in_review, "sign-off/")))
    assert "0 of 2 peer approvals so far" in page


def test_compliance_signs_and_sees_name_time_and_meaning(carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    client = as_reader(carol)
    response = decide(client, version, "sign-off/", decision="approve")
    assert response.status_code == 302
    page = text(client.get(version_path(version, "sign-off/")))
    assert "Signed off for compliance: Carol Jensen ," in page
    assert version.digest in page
    version.refresh_from_db()
    assert version.status == Status.APPROVED


def test_the_sheet_says_in_words_what_is_signed(carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    page = text(as_reader(carol).get(version_path(version, "sign-off/")))
    for words in (
        "How often is a drug prescribed?",
        "Prescriptions clinic",
        "Everyone who holds a persona",
        "Nobody has previewed this version yet.",
        "Reads what it says.",
        "Nothing of this notebook was signed before",
        "I, Carol Jensen ,",
    ):
        assert words in page, words


def test_the_sheet_counts_what_changed_since_the_last_signature(carol: User) -> None:
    approved = make_version(Status.APPROVED)
    version = make_version(Status.PEER_APPROVED, notebook=approved.notebook)
    page = text(as_reader(carol).get(version_path(version, "sign-off/")))
    assert "Compared with version 1" in page
    assert "cells: 1 changed" in page or "new" in page


@pytest.mark.security
def test_the_sheet_names_another_hidden_cell_and_what_is_no_longer_kept(
    carol: User,
) -> None:
    hidden = {"hidden": True}
    before = grid_of(at(0, 0), at(2, 0), hidden)
    now = grid_of(at(0, 0), hidden, at(2, 0))
    now["metadata"]["countersign"] = {"sensitive_widgets": ["Age"]}
    old = make_version(Status.APPROVED, data=as_bytes(before))
    data = as_bytes(now)
    version = make_version(Status.PEER_APPROVED, notebook=old.notebook, data=data)
    page = text(as_reader(carol).get(version_path(version, "sign-off/")))
    assert "is not shown (cell 3) is now: Readers" in page
    assert "is not shown (cell 2)" in page
    assert "Values of controls was: kept is now: What readers set “Age” to" in page


def test_a_rejection_sends_the_version_back(carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    decide(
        as_reader(carol), version, "sign-off/", decision="reject", comment="Too broad."
    )
    version.refresh_from_db()
    assert version.status == Status.CHANGES_REQUESTED
