"""Reads of the catalog: search, facets, and the versions of a notebook."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.search import (
    SearchQuery,
    SearchRank,
    TrigramWordSimilarity,
)
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest

from accounts.models import User
from gallery.access import contributed_by, source_readable_by, visible_to
from gallery.models import Notebook, Version
from gallery.workflow import Status

#: What `ordering` accepts, and the columns that it means.
ORDERINGS = {
    "title": ("title", "pk"),
    "-title": ("-title", "pk"),
    "created_at": ("created_at", "pk"),
    "-created_at": ("-created_at", "pk"),
    "relevance": ("-rank", "title", "pk"),
}
#: Word similarity above which a title counts as a hit in spite of a typing slip.
_TYPO_SIMILARITY = 0.45


@dataclass(frozen=True)
class CatalogFilter:
    """What a person asked of the catalog; empty strings ask for nothing."""

    q: str = ""
    tag: str = ""
    language: str = ""
    department: str = ""
    state: str = ""
    mine: bool = False
    ordering: str = ""


@dataclass(frozen=True)
class Facets:
    """The values to choose from, each with the number of visible notebooks."""

    tags: list[tuple[str, int]] = field(default_factory=list)
    languages: list[tuple[str, int]] = field(default_factory=list)
    departments: list[tuple[str, int]] = field(default_factory=list)
    states: list[tuple[str, int]] = field(default_factory=list)


def catalog(user: User, wanted: CatalogFilter) -> QuerySet[Notebook]:
    """Return the notebooks that the person may see and asked for, in order."""
    found = visible_to(user)
    if wanted.tag:
        found = found.filter(tags__contains=[wanted.tag])
    if wanted.language:
        found = found.filter(language=wanted.language)
    if wanted.department:
        found = found.filter(department=wanted.department)
    if wanted.state:
        found = found.filter(Exists(_visible_versions(user, wanted.state)))
    if wanted.mine:
        found = found.filter(contributed_by(user))
    if wanted.q.strip():
        found = _search(user, found, wanted.q.strip())
    default = "relevance" if wanted.q.strip() else "title"
    ordering = wanted.ordering if wanted.ordering in ORDERINGS else default
    if ordering == "relevance" and not wanted.q.strip():
        ordering = "title"
    return found.select_related("created_by").order_by(*ORDERINGS[ordering])


def _visible_versions(user: User, state: str) -> QuerySet[Version]:
    versions = Version.objects.filter(notebook=OuterRef("pk"), status=state)
    if state == Status.APPROVED:
        return versions
    readable = Notebook.objects.filter(
        contributed_by(user) if state == Status.DRAFT else source_readable_by(user)
    )
    return versions.filter(notebook__in=readable.values("pk"))


def _search(user: User, notebooks: QuerySet[Notebook], text: str) -> QuerySet[Notebook]:
    query = SearchQuery(text, search_type="websearch", config="english")
    with_code = Notebook.objects.filter(source_readable_by(user)).values("pk")
    nothing = Value(0.0)
    return notebooks.annotate(
        similarity=TrigramWordSimilarity(text, "title"),
        rank=Greatest(
            Coalesce(SearchRank(F("search"), query), nothing), F("similarity")
        ),
    ).filter(
        Q(search=query)
        | Q(similarity__gt=_TYPO_SIMILARITY)
        | Q(code_search=query, pk__in=with_code)
    )


def facets(user: User) -> Facets:
    """Count tags, languages, departments and states over what the person may see."""
    tags: dict[str, int] = {}
    languages: dict[str, int] = {}
    departments: dict[str, int] = {}
    visible = visible_to(user)
    for notebook in visible.only("tags", "language", "department"):
        for tag in notebook.tags:
            tags[tag] = tags.get(tag, 0) + 1
        languages[notebook.language] = languages.get(notebook.language, 0) + 1
        if notebook.department:
            departments[notebook.department] = (
                departments.get(notebook.department, 0) + 1
            )
    states = [
        (state.value, count)
        for state in Status
        if (count := visible.filter(Exists(_visible_versions(user, state))).count())
    ]
    return Facets(
        tags=sorted(tags.items(), key=lambda item: (-item[1], item[0])),
        languages=sorted(languages.items()),
        departments=sorted(departments.items()),
        states=states,
    )


def versions_seen_by(user: User) -> QuerySet[Version]:
    """Return the versions, of notebooks visible to this person, that they may see.

    Contributors see all; who may read the code sees what was submitted; a reader
    without the code sees the approved version alone.  The bytes are fetched when
    they are read.
    """
    mine = Notebook.objects.filter(contributed_by(user)).values("pk")
    readable = Notebook.objects.filter(source_readable_by(user)).values("pk")
    return (
        Version.objects.filter(
            Q(notebook__in=mine)
            | (Q(notebook__in=readable) & ~Q(status=Status.DRAFT))
            | Q(status=Status.APPROVED)
        )
        .select_related("created_by", "notebook")
        .defer("document")
        .order_by("number")
    )


def visible_versions(user: User, notebook: Notebook) -> QuerySet[Version]:
    """Return the versions of a visible notebook that exist for this person."""
    return versions_seen_by(user).filter(notebook=notebook)


def code_readable(user: User, notebooks: Iterable[Notebook]) -> set[int]:
    """Return the ids of those notebooks whose (submitted) code the person may read."""
    found = Notebook.objects.filter(
        source_readable_by(user), pk__in=[notebook.pk for notebook in notebooks]
    )
    return set(found.values_list("pk", flat=True))


def approved_version(notebook: Notebook) -> Version | None:
    """Return the version that a launch would run, if there is one."""
    return notebook.versions.filter(status=Status.APPROVED).first()


def last_approved_before(version: Version) -> Version | None:
    """Return the newest older version that ever was approved, to compare with."""
    return (
        version.notebook.versions.filter(
            number__lt=version.number, approved_at__isnull=False
        )
        .order_by("-number")
        .first()
    )


def document(version: Version) -> dict[str, Any]:
    """Return the notebook as data (nbformat 4.5)."""
    loaded: dict[str, Any] = json.loads(bytes(version.document))
    return loaded
