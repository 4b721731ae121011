"""Load the demo's people and notebooks through the services that everybody uses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.services import (
    create_group,
    create_person,
    set_groups,
    set_personas,
    set_roles,
)
from config.demo.people import PASSWORD, PEOPLE, DemoPerson
from gallery.models import Notebook, Version
from gallery.services import Upload, create_notebook
from reviews.services import add_comment, record_review, record_sign_off, submit
from reviews.services.comments import Place
from reviews.services.decisions import Decision
from reviews.signing import Confirmation, confirm
from runner.models import Run
from runner.services import Launch, request_preview, request_run

SIGNERS = ("ravi", "petra", "carol")
NOTEBOOKS = Path(__file__).parent / "notebooks"

#: How far each wanted state goes along the steps of the review.
STEPS = {
    "draft": 0,
    "in_review": 1,
    "peer_approved": 3,
    "approved": 4,
}


@dataclass(frozen=True)
class Entry:
    """One notebook of the demo's catalog (catalog.json)."""

    file: str
    title: str
    description: str
    tags: list[str]
    department: str
    personas: list[str]
    state: str
    parameters: dict[str, Any]

    @property
    def data(self) -> bytes:
        """The notebook's bytes."""
        return (NOTEBOOKS / self.file).read_bytes()


def entries() -> list[Entry]:
    """Return the demo's catalog."""
    rows = json.loads((NOTEBOOKS / "catalog.json").read_text(encoding="utf-8"))
    names = Entry.__dataclass_fields__
    return [Entry(**{name: row[name] for name in names}) for row in rows["notebooks"]]


def load_people(*, now: datetime) -> Iterator[str]:
    """Create the people who are not there yet; yield a line for each."""
    known = set(User.objects.values_list("username", flat=True))
    for person in PEOPLE:
        if person.username not in known:
            _create(person, now=now)
            yield f"{person.username}: {person.display_name}"


@transaction.atomic
def _create(person: DemoPerson, *, now: datetime) -> None:
    user = create_person(
        username=person.username, display_name=person.display_name, by=None, now=now
    )
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    set_roles(
        person=user, roles=[role.value for role in person.roles], by=None, now=now
    )
    personas = {persona.value: department for persona, department in person.personas}
    set_personas(person=user, personas=personas, by=None, now=now)
    departments = sorted({name for name in personas.values() if name})
    groups = [_group(name, now=now) for name in departments]
    set_groups(person=user, groups=groups, by=None, now=now)


def _group(name: str, *, now: datetime) -> Group:
    found = Group.objects.filter(name=name).first()
    return found or create_group(name=name, by=None, now=now)


def load_notebooks(*, clock: Any) -> Iterator[str]:
    """Upload and review the notebooks that are not there yet; yield a line for each."""
    people = {user.username: user for user in User.objects.all()}
    titles = set(Notebook.objects.values_list("title", flat=True))
    for entry in entries():
        if entry.title in titles:
            continue
        # Passwords are confirmed outside the transaction, as they are on the pages.
        signers = {
            name: confirm(person=people[name], password=PASSWORD, now=clock())
            for name in ("ravi", "petra", "carol")
        }
        yield _load_notebook(entry, people, signers, clock)


@transaction.atomic  # whole or not at all: a start that is interrupted may be repeated
def _load_notebook(
    entry: Entry, people: dict[str, User], signers: dict[str, Confirmation], clock: Any
) -> str:
    notebook = create_notebook(
        title=entry.title,
        description=entry.description,
        tags=entry.tags,
        department=entry.department,
        upload=Upload(data=entry.data, summary="First version"),
        by=people["ada"],
        now=clock(),
    )
    version = notebook.versions.get()
    _review(version, STEPS[entry.state], people, signers, clock)
    version.refresh_from_db()
    return f"{entry.title}: {version.get_status_display().lower()}"


def _review(
    version: Version,
    steps: int,
    people: dict[str, User],
    signers: dict[str, Confirmation],
    clock: Any,
) -> None:
    if steps >= 1:
        submit(version=version, by=people["ada"], now=clock())
    for peer, words in [
        ("ravi", "Read every cell; the query is bound to its parameters."),
        ("petra", "Checked every figure against its query; they agree."),
    ][: max(0, steps - 1)]:
        record_review(
            version=version,
            decision=Decision("approve", words),
            by=people[peer],
            confirmation=signers[peer],
            now=clock(),
        )
    if steps >= 4:
        record_sign_off(
            version=version,
            decision=Decision("approve", "Reads no more than its purpose needs."),
            by=people["carol"],
            confirmation=signers["carol"],
            now=clock(),
        )
    elif steps == 1:
        add_comment(
            version=version,
            body="I am looking at this one today.",
            place=Place(),
            by=people["ravi"],
            now=clock(),
        )


#: Who runs the demo's notebooks first, by persona.
VIEWERS = {
    "doctor": "adams",
    "department_head": "helen",
    "billing": "bill",
    "lab": "lena",
    "data_scientist": "ada",
}


def request_first_runs(*, clock: Any) -> Iterator[str]:
    """Queue a run per approved notebook and persona, and a preview where it is reviewed.

    Only personas that can read what the notebook needs; what was run before is not
    run again. Yields a line for each.
    """
    people = {user.username: user for user in User.objects.all()}
    for entry in entries():
        notebook = Notebook.objects.filter(title=entry.title).first()
        reviewed = entry.state in {"in_review", "peer_approved"}
        if notebook is None or not (reviewed or entry.state == "approved"):
            continue
        for persona in entry.personas:
            person = people["petra" if reviewed else VIEWERS[persona]]
            if _ran(notebook, person, persona):
                continue
            launch = Launch(parameters=entry.parameters, persona=persona)
            if reviewed:
                version = notebook.versions.get(number=1)
                request_preview(version=version, launch=launch, by=person, now=clock())
            else:
                request_run(notebook=notebook, launch=launch, by=person, now=clock())
            yield f"{entry.title} for {person.username} as {persona}"


def _ran(notebook: Notebook, person: User, persona: str) -> bool:
    mine = Run.objects.filter(notebook=notebook, requested_by=person, persona=persona)
    return mine.exists()
