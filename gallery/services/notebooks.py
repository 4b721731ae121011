"""Create a catalog entry with its first version; change what the entry says."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from guardian.shortcuts import assign_perm

from accounts.models import User
from accounts.policies import BadInput, FieldError, require
from audit.log import record
from gallery.access import EDIT
from gallery.characters import hidden_in_words, plain_lines
from gallery.models import Notebook
from gallery.policies import (
    SIGNED_WITH_A_VERSION,
    create_blockers,
    edit_blockers,
    signed_entry_blockers,
)
from gallery.services.search import index_notebook
from gallery.services.versions import (
    Upload,
    read_upload,
    record_upload,
    store_version,
)

_SLUG_LENGTH = 60
_MAX_TAGS = 12


class InvalidNotebook(BadInput):
    """The catalog entry's title, description or tags cannot be stored."""


@transaction.atomic
def create_notebook(
    *,
    title: str,
    description: str,
    tags: list[str],
    department: str = "",
    upload: Upload,
    by: User,
    now: datetime,
) -> Notebook:
    """Create a notebook with version 1 at `draft`.

    Raises NotAllowed, InvalidNotebook, RefusedUpload, UnknownEnvironment,
    InvalidManifest.
    """
    require(create_blockers(by))
    entry = _clean_entry(title, description, tags, department)
    reading = read_upload(upload)
    notebook = _insert(
        {
            "language": reading.intake.language,
            "created_at": now,
            "created_by": by,
            **entry,
        }
    )
    assign_perm(EDIT, by, notebook)
    version = store_version(notebook=notebook, reading=reading, by=by, now=now)
    record("notebook.created", by=by, at=now, target=notebook)
    record_upload(version, by=by, now=now)
    return notebook


@transaction.atomic
def edit_notebook(
    *,
    notebook: Notebook,
    title: str,
    description: str,
    tags: list[str],
    department: str,
    by: User,
    now: datetime,
) -> Notebook:
    """Change title, description, tags and department; the code is untouched.

    What compliance signed stays while it is in force. Raises NotAllowed,
    InvalidNotebook.
    """
    require(edit_blockers(by, notebook))
    entry = _clean_entry(title, description, tags, department)
    locked = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    changed = [name for name, value in entry.items() if getattr(locked, name) != value]
    if not changed:
        return locked
    if SIGNED_WITH_A_VERSION.intersection(changed):
        require(signed_entry_blockers(locked))
    for name, value in entry.items():
        setattr(locked, name, value)
    locked.save(update_fields=changed)
    index_notebook(locked)
    record("notebook.edited", by=by, at=now, target=locked, changed=changed)
    return locked


def _insert(fields: dict[str, Any]) -> Notebook:
    """Insert under a free address; whoever takes the same one first makes us retry."""
    while True:
        slug = _free_slug(fields["title"])
        try:
            with transaction.atomic():
                return Notebook.objects.create(slug=slug, **fields)
        except IntegrityError:
            if not Notebook.objects.filter(slug=slug).exists():
                raise


def _clean_entry(
    title: str, description: str, tags: list[str], department: str
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "title": " ".join(title.split()),
        "description": plain_lines(description),
        "tags": sorted({tag.strip().lower() for tag in tags if tag.strip()}),
        "department": department.strip()[:80],
    }
    errors = [*_length_errors(entry), *_character_errors(entry)]
    if errors:
        raise InvalidNotebook(errors)
    return entry


def _length_errors(entry: dict[str, Any]) -> Iterator[FieldError]:
    if not entry["title"]:
        yield FieldError("title", "required", "Give the notebook a title.")
    if len(entry["title"]) > 120:
        yield FieldError("title", "too_long", "Keep the title to 120 characters.")
    if len(entry["description"]) > 2000:
        yield FieldError("description", "too_long", "Keep it to 2,000 characters.")
    tags = entry["tags"]
    if len(tags) > _MAX_TAGS or any(len(tag) > 40 for tag in tags):
        message = f"Use at most {_MAX_TAGS} tags of at most 40 characters."
        yield FieldError("tags", "invalid_tags", message)


def _character_errors(entry: dict[str, Any]) -> Iterator[FieldError]:
    for name, value in entry.items():
        hidden = hidden_in_words("".join(value))
        if hidden:
            yield FieldError(name, "hidden_character", hidden)


def _free_slug(title: str) -> str:
    stem = slugify(title)[:_SLUG_LENGTH].strip("-") or "notebook"
    taken = set(
        Notebook.objects.filter(slug__startswith=stem).values_list("slug", flat=True)
    )
    # Words that are addresses of their own under /notebooks/.
    taken.add("new")
    if stem not in taken:
        return stem
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
