"""Create a catalog entry with its first version; change what the entry says."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from guardian.shortcuts import assign_perm

from accounts.models import User
from accounts.policies import BadInput, FieldError, require
from audit.log import record
from gallery.access import EDIT
from gallery.models import Notebook
from gallery.policies import create_blockers, edit_blockers
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
    entry = _clean_entry(title, description, tags)
    reading = read_upload(upload)
    notebook = _insert(
        {
            "department": department.strip()[:80],
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
    """Change title, description, tags and department; the code is untouched."""
    require(edit_blockers(by, notebook))
    entry = _clean_entry(title, description, tags)
    locked = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    changed = [name for name, value in entry.items() if getattr(locked, name) != value]
    for name, value in entry.items():
        setattr(locked, name, value)
    locked.department = department.strip()[:80]
    locked.save(update_fields=[*entry, "department"])
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


def _clean_entry(title: str, description: str, tags: list[str]) -> dict[str, Any]:
    errors = []
    title = " ".join(title.split())
    if not title:
        errors.append(FieldError("title", "required", "Give the notebook a title."))
    if len(title) > 120:
        errors.append(
            FieldError("title", "too_long", "Keep the title to 120 characters.")
        )
    if len(description) > 2000:
        errors.append(
            FieldError("description", "too_long", "Keep it to 2,000 characters.")
        )
    cleaned = sorted({tag.strip().lower() for tag in tags if tag.strip()})
    if len(cleaned) > _MAX_TAGS or any(len(tag) > 40 for tag in cleaned):
        errors.append(
            FieldError(
                "tags",
                "invalid_tags",
                f"Use at most {_MAX_TAGS} tags of at most 40 characters.",
            )
        )
    if "\x00" in title + description + "".join(cleaned):
        errors.append(
            FieldError("title", "nul", "Text must not contain NUL characters.")
        )
    if errors:
        raise InvalidNotebook(errors)
    return {"title": title, "description": description.strip(), "tags": cleaned}


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
