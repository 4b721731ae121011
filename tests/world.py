"""One notebook in each state of interest, one run, one comment, one group: what routes name."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from accounts.services import password_link_token
from gallery.workflow import Status
from reviews.services import add_comment
from reviews.services.comments import Place
from runner.models import Run
from runner.workflow import Status as RunStatus
from tests.factories.gallery import NOW, make_version, person
from tests.factories.runs import make_run
from tests.runner.recorded import recorded_run

STATES = {
    "draft": Status.DRAFT,
    "in-review": Status.IN_REVIEW,
    "peer-approved": Status.PEER_APPROVED,
    "approved": Status.APPROVED,
}

#: What a live page was told.
SHOWN = {
    "cell": 0,
    "change": "append",
    "output": {"output_type": "stream", "name": "stdout", "text": "shown"},
}


@dataclass(frozen=True)
class World:
    """Everything that a route's address can name."""

    run: Run
    waiting: Run
    live: Run
    comment_id: int
    group: Group
    stranger: User

    def kwargs(self, thing: str) -> dict[str, Any]:
        """Return the arguments of an address that is about `thing`."""
        if thing in STATES:
            return {"slug": thing, "number": 1, "comment_id": self.comment_id}
        if thing == "run":
            return {"run_id": self.run.pk, "number": 1}
        if thing == "waiting run":
            return {"run_id": self.waiting.pk}
        if thing == "live run":
            return {"run_id": self.live.pk}
        if thing == "group":
            return {"pk": self.group.pk, "group_id": self.group.pk}
        if thing == "session":
            return {"fingerprint": "0" * 16}
        if thing == "link":
            token = password_link_token(self.stranger)
            return {"username": self.stranger.username, "token": token}
        if thing.startswith("change "):
            return {"username": self.stranger.username, "change": thing[7:]}
        if thing == "person":
            return {"username": self.stranger.username}
        return {}


def build() -> World:
    """Make the world; adams owns the runs, ravi wrote the comment."""
    for slug, status in STATES.items():
        version = make_version(status, title=slug)
        assert version.notebook.slug == slug
        if slug == "in-review":
            comment = add_comment(
                version=version, body="Why?", place=Place(), by=person("ravi"), now=NOW
            )
    adams = person("adams")
    stranger = User.objects.create(username="sam", display_name="Sam Stone")
    return World(
        run=make_run(version, adams, RunStatus.SUCCEEDED),
        waiting=make_run(version, adams, now=timezone.now()),
        live=recorded_run(version, adams, changes=[{"step": 0, "cell": SHOWN}]),
        comment_id=comment.pk,
        group=Group.objects.create(name="Cardiology"),
        stranger=stranger,
    )
