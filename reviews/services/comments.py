"""Comments on a version, its cells and their lines."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.policies import BadInput, FieldError, require
from audit.log import record
from audit.transitions import StaleState
from gallery.characters import hidden_in_words, plain_lines
from gallery.models import Version
from gallery.queries import document
from reviews.models import Comment
from reviews.policies import comment_blockers
from reviews.services.locking import lock_version


class InvalidComment(BadInput):
    """The comment is empty, too long, or on a cell that is not there."""


@dataclass(frozen=True)
class Place:
    """Where a comment stands: the whole version, a cell, or a line (from 1) of it."""

    cell_id: str = ""
    line: int | None = None


@transaction.atomic
def add_comment(
    *, version: Version, body: str, place: Place, by: User, now: datetime
) -> Comment:
    """Store a comment.  Raises NotAllowed, InvalidComment."""
    # A decision that is under way either knows of this comment or comes before it.
    version = lock_version(version)
    require(comment_blockers(by, version))
    body = plain_lines(body.replace("\x00", ""))
    if not body or len(body) > 5000:
        raise InvalidComment(
            [FieldError("body", "required", "Write 1 to 5,000 characters.")]
        )
    if hidden := hidden_in_words(body):
        raise InvalidComment([FieldError("body", "hidden_character", hidden)])
    _require_place(version, place)
    comment = Comment.objects.create(
        version=version,
        cell_id=place.cell_id,
        line=place.line,
        body=body,
        written_at=now,
        written_by=by,
    )
    record("comment.added", by=by, at=now, target=version, comment=comment.pk)
    return comment


def _require_place(version: Version, place: Place) -> None:
    if not place.cell_id and place.line is None:
        return
    sources = {cell["id"]: cell["source"] for cell in document(version)["cells"]}
    if place.cell_id not in sources:
        raise InvalidComment(
            [FieldError("cell_id", "unknown_cell", "There is no such cell.")]
        )
    lines = sources[place.cell_id].count("\n") + 1
    if place.line is not None and not 1 <= place.line <= lines:
        raise InvalidComment(
            [FieldError("line", "unknown_line", f"The cell has {lines} lines.")]
        )


@transaction.atomic
def resolve_comment(*, comment: Comment, by: User, now: datetime) -> Comment:
    """Mark a comment as dealt with.  Raises NotAllowed, StaleState."""
    require(comment_blockers(by, comment.version))
    resolved = Comment.objects.filter(pk=comment.pk, resolved_at=None).update(
        resolved_at=now, resolved_by=by
    )
    if not resolved:
        raise StaleState(comment)
    comment.refresh_from_db()
    record(
        "comment.resolved", by=by, at=now, target=comment.version, comment=comment.pk
    )
    return comment
