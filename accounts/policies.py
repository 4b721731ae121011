"""Reasons why something may not be done, and how a service refuses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Blocker:
    """One reason why not: a stable code, and a sentence for the person."""

    code: str
    message: str


class NotAllowed(Exception):
    """You may not do this now; `blockers` say why."""

    def __init__(self, blockers: list[Blocker]) -> None:
        super().__init__("; ".join(blocker.message for blocker in blockers))
        self.blockers = blockers


def require(blockers: list[Blocker]) -> None:
    """Go on only when nothing is in the way.  Raises NotAllowed."""
    if blockers:
        raise NotAllowed(blockers)
