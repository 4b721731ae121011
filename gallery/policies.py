"""When and why somebody may not change the gallery."""

from accounts.models import User
from accounts.permissions import Permission, has_permission
from accounts.policies import Blocker, StateBlocker
from gallery.access import can_edit, can_read_source
from gallery.models import Notebook, Version
from gallery.workflow import Status

#: The fields of the entry that a sign-off signs.
SIGNED_WITH_A_VERSION = frozenset({"title", "description"})


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


def signed_entry_blockers(notebook: Notebook) -> list[Blocker]:
    """Return why nobody may change the title and the description now.

    Compliance signed them with the version: they are what everybody reads beside it.
    """
    approved = notebook.versions.filter(status=Status.APPROVED).only("number").first()
    if approved is None:
        return []
    return [
        StateBlocker(
            "entry_signed",
            f"Version {approved.number} was signed with this title and description, "
            "so they stay while it is approved. Ask compliance to revoke it first, or "
            "upload a new notebook. Tags and department may change.",
        )
    ]


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
