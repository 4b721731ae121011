"""Remarks on a version, a cell, a line."""

import pytest

from accounts.models import User
from accounts.policies import NotAllowed
from audit.models import Event
from audit.transitions import StaleState
from gallery.queries import document
from gallery.workflow import Status
from reviews.models import Comment
from reviews.services import add_comment, resolve_comment
from reviews.services.comments import InvalidComment, Place
from tests.factories.gallery import NOW, make_version

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["ada", "ravi", "petra", "carol", "chen"])
def test_authors_peers_and_compliance_comment(
    name: str, request: pytest.FixtureRequest
) -> None:
    version = make_version(Status.IN_REVIEW)
    by = request.getfixturevalue(name)
    comment = add_comment(version=version, body=" Why? ", place=Place(), by=by, now=NOW)
    assert (comment.body, comment.written_by) == ("Why?", by)
    last = Event.objects.latest("seq")
    assert last.action == "comment.added"
    assert "Why?" not in last.payload


@pytest.mark.parametrize("name", ["adams", "otto", "iris", "nora"])
def test_nobody_else_comments(name: str, request: pytest.FixtureRequest) -> None:
    version = make_version(Status.APPROVED)
    with pytest.raises(NotAllowed):
        add_comment(
            version=version,
            body="Hello",
            place=Place(),
            by=request.getfixturevalue(name),
            now=NOW,
        )
    assert not Comment.objects.exists()


def test_a_comment_stands_on_a_line_of_a_cell(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    cell = document(version)["cells"][1]
    place = Place(cell_id=cell["id"], line=2)
    comment = add_comment(version=version, body="Units?", place=place, by=ravi, now=NOW)
    assert (comment.cell_id, comment.line) == (cell["id"], 2)


@pytest.mark.parametrize(
    ("cell", "line", "field"),
    [("nowhere", None, "cell_id"), ("", 1, "cell_id"), (1, 3, "line"), (1, 0, "line")],
)
def test_a_comment_on_a_place_that_is_not_there_is_refused(
    cell: str | int, line: int | None, field: str, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    cell_id = document(version)["cells"][cell]["id"] if isinstance(cell, int) else cell
    with pytest.raises(InvalidComment) as refusal:
        add_comment(
            version=version,
            body="Here",
            place=Place(cell_id=cell_id, line=line),
            by=ravi,
            now=NOW,
        )
    assert refusal.value.errors[0].field == field


@pytest.mark.parametrize("body", ["", " \n", "\x00", "x" * 5001])
def test_an_empty_or_endless_comment_is_refused(body: str, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(InvalidComment):
        add_comment(version=version, body=body, place=Place(), by=ravi, now=NOW)


def test_a_comment_is_resolved_once(ravi: User, ada: User) -> None:
    version = make_version(Status.IN_REVIEW)
    comment = add_comment(version=version, body="Why?", place=Place(), by=ravi, now=NOW)
    resolved = resolve_comment(comment=comment, by=ada, now=NOW)
    assert (resolved.resolved_by, resolved.resolved_at) == (ada, NOW)
    with pytest.raises(StaleState):
        resolve_comment(comment=comment, by=ravi, now=NOW)
