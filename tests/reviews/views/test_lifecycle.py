"""Submit, withdraw, revoke, comment, queue and access pages."""

import pytest
from django.urls import reverse

from accounts.models import User
from gallery.access import Audience, launch_audience
from gallery.services.access import Audiences
from gallery.workflow import Status
from reviews.services import change_access
from tests.factories.gallery import NOW, make_version
from tests.pages import PASSWORD, as_reader, text, version_path

pytestmark = pytest.mark.django_db


def test_the_author_submits_a_draft(ada: User) -> None:
    version = make_version()
    page = as_reader(ada).post(version_path(version, "submit/"), follow=True)
    assert "Submitted." in text(page)
    version.refresh_from_db()
    assert version.status == Status.IN_REVIEW


def test_submitting_twice_is_refused_with_its_reason(ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    page = as_reader(ada).post(version_path(version, "submit/"))
    assert page.status_code == 409
    assert "Only a draft can be submitted" in text(page)


def test_coming_to_a_posting_address_by_link_leads_to_its_page(ada: User) -> None:
    version = make_version()
    client = as_reader(ada)
    for address in ("submit/", "withdraw/"):
        response = client.get(version_path(version, address))
        assert response["Location"] == version_path(version)
    response = client.get(version_path(version, "comments/"))
    assert response["Location"] == version_path(version, "review/")


def test_the_author_withdraws(ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    as_reader(ada).post(version_path(version, "withdraw/"))
    version.refresh_from_db()
    assert version.status == Status.WITHDRAWN


def test_a_peer_cannot_submit_or_withdraw(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    for address in ("submit/", "withdraw/"):
        page = as_reader(ravi).post(version_path(version, address))
        assert page.status_code == 403
        assert "author" in text(page)


def test_compliance_revokes_with_a_reason_and_the_password(carol: User) -> None:
    version = make_version(Status.APPROVED)
    client = as_reader(carol)
    path = version_path(version, "revoke/")
    assert client.post(path, {"reason": "", "password": PASSWORD}).status_code == 400
    assert client.post(path, {"reason": "Wrong.", "password": "x"}).status_code == 403
    page = client.post(path, {"reason": "Wrong.", "password": PASSWORD}, follow=True)
    assert "Revoked." in text(page)
    version.refresh_from_db()
    assert version.status == Status.REVOKED


def test_closing_the_code_puts_no_approval_out_of_reach(ada: User, carol: User) -> None:
    version = make_version(Status.APPROVED)
    nobody = Audience(everyone=False)
    change_access(
        notebook=version.notebook,
        audiences=Audiences(launch=nobody, source=nobody),
        by=ada,
        confirmation=None,
        now=NOW,
    )
    reader = as_reader(carol)
    assert reader.get(version_path(version)).status_code == 403
    assert reader.get(version_path(version, "revoke/")).status_code == 200
    sent = {"reason": "Wrong.", "password": PASSWORD}
    answer = reader.post(version_path(version, "revoke/"), sent)
    assert answer.url == reverse("gallery:catalog")
    version.refresh_from_db()
    assert version.status == Status.REVOKED


def test_the_author_cannot_revoke(ada: User) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(ada).get(version_path(version, "revoke/"))
    assert "Only a compliance officer can revoke." in text(page)


def test_a_comment_stands_at_its_line_and_can_be_settled(ravi: User, ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    cell = (
        as_reader(ravi).get(version_path(version, "review/")).context["cells"][1].cell
    )
    sent = {"cell_id": cell.id, "line": "2", "body": "Twelve of what?"}
    response = as_reader(ravi).post(version_path(version, "comments/"), sent)
    assert response["Location"].endswith("review/#cell-1")
    comment = version.comments.get()
    client = as_reader(ada)
    assert "Twelve of what?" in text(client.get(version_path(version, "review/")))
    client.post(version_path(version, f"comments/{comment.pk}/resolve/"))
    assert "Settled by Ada Byrne" in text(client.get(version_path(version, "review/")))


def test_a_comment_on_a_line_that_is_not_there_is_shown_again(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    cell = (
        as_reader(ravi).get(version_path(version, "review/")).context["cells"][1].cell
    )
    sent = {"cell_id": cell.id, "line": "99", "body": "Kept words"}
    page = as_reader(ravi).post(version_path(version, "comments/"), sent)
    assert page.status_code == 400
    assert "The cell has 2 lines." in text(page)
    assert "Kept words" in text(page)


def test_the_queue_counts_what_waits_for_each(ravi: User, carol: User) -> None:
    make_version(Status.IN_REVIEW)
    make_version(Status.PEER_APPROVED, title="Lab turnaround")
    for person, title in ((ravi, "Prescription trends"), (carol, "Lab turnaround")):
        page = as_reader(person).get("/reviews/")
        assert [each.notebook.title for each in page.context["waiting_versions"]] == [
            title
        ]
        assert "Waiting for me 1" in text(page)


def test_nobody_is_shown_a_queue_of_their_own_work(ada: User) -> None:
    make_version(Status.IN_REVIEW)
    page = as_reader(ada).get("/reviews/")
    assert "Nothing waits for you" in text(page)


def test_the_author_narrows_the_audience(ada: User, adams: User) -> None:
    version = make_version(Status.APPROVED)
    path = f"/notebooks/{version.notebook.slug}/access/"
    sent = {
        "launch": "named",
        "launch_people": ["adams"],
        "source": "everyone",
        "review": "everyone",
    }
    as_reader(ada).post(path, sent)
    version.notebook.refresh_from_db()
    assert launch_audience(version.notebook).people == ("adams",)


def test_widening_an_approved_audience_takes_a_compliance_signature(
    ada: User, carol: User, adams: User
) -> None:
    version = make_version(Status.APPROVED)
    path = f"/notebooks/{version.notebook.slug}/access/"
    as_reader(ada).post(
        path, {"launch": "named", "source": "everyone", "review": "everyone"}
    )
    wide = {"launch": "everyone", "source": "everyone", "review": "everyone"}
    refused = as_reader(ada).post(path, wide)
    assert refused.status_code == 403
    assert "A compliance officer must sign a wider one." in text(refused)
    unsigned = as_reader(carol).post(path, wide)
    assert unsigned.status_code == 400
    assert "sign with your password" in text(unsigned)
    signed = as_reader(carol).post(path, wide | {"password": PASSWORD})
    assert signed.status_code == 302
    version.notebook.refresh_from_db()
    assert launch_audience(version.notebook).everyone


def test_a_doctor_does_not_change_access(adams: User) -> None:
    version = make_version(Status.APPROVED)
    path = f"/notebooks/{version.notebook.slug}/access/"
    page = as_reader(adams).get(path)
    assert "Only the notebook's authors and compliance officers" in text(page)
    refused = as_reader(adams).post(
        path, {"launch": "named", "source": "everyone", "review": "everyone"}
    )
    assert refused.status_code == 403
