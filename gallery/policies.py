"""When and why somebody may not change the gallery."""

from accounts.models import User
from accounts.permissions import Permission, has_permission
from accounts.policies import Blocker
from gallery.access import can_edit, can_read_source
from gallery.models import Notebook, Version


def create_blockers(user: User) -> list[Blocker]:
    """Return why the person may not submit notebooks at all."""
    if has_permission(user, Permission.NOTEBOOK_SUBMIT):
        return []
    return [
        Blocker(
            "not_an_author",
            "Only people with the author role can upload notebooks. "
            "Ask an operator for the role.",
        )
    ]


def edit_blockers(user: User, notebook: Notebook) -> list[Blocker]:
    """Return why the person may not add versions or change the entry."""
    blockers = create_blockers(user)
    if not can_edit(user, notebook):
        blockers.append(
            Blocker(
                "not_a_contributor",
                "Only the notebook's authors can change it or upload a version.",
            )
        )
    return blockers


def read_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not read this version's code."""
    if can_read_source(user, version):
        return []
    return [
        Blocker(
            "no_source_access",
            "The code is for its authors, reviewers, compliance officers and auditors. "
            "You may run it.",
        )
    ]
