"""The catalog: search, facets, rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from gallery.access import contributed_by, source_readable_by
from gallery.models import Notebook, Version
from gallery.queries import CatalogFilter, facets
from gallery.queries import catalog as find
from gallery.workflow import Status

_PER_PAGE = 20
ORDERINGS: tuple[tuple[str, str], ...] = (
    ("title", "Title"),
    ("-created_at", "Newest"),
    ("created_at", "Oldest"),
)


@dataclass(frozen=True)
class CatalogRow:
    """A notebook with the version whose seal stands beside it."""

    notebook: Notebook
    version: Version | None


def catalog(request: HttpRequest) -> HttpResponse:
    """Show the notebooks that the person may see and asked for."""
    wanted = _wanted(request)
    page = Paginator(find(request.user, wanted), _PER_PAGE).get_page(
        request.GET.get("page")
    )
    orderings = ORDERINGS
    if wanted.q:
        orderings = (("relevance", "Best match"), *ORDERINGS)
    context = {
        "page": page,
        "rows": _rows(request.user, list(page)),
        "facets": facets(request.user),
        "wanted": wanted,
        "query": wanted.q,
        "orderings": orderings,
        "ordering": wanted.ordering or orderings[0][0],
        "narrowed": wanted != CatalogFilter(ordering=wanted.ordering),
    }
    return render(request, "gallery/catalog.html", context)


def _wanted(request: HttpRequest) -> CatalogFilter:
    asked = request.GET
    return CatalogFilter(
        q=asked.get("q", "").replace("\x00", "").strip()[:200],
        tag=asked.get("tag", "").replace("\x00", ""),
        language=asked.get("language", "").replace("\x00", ""),
        department=asked.get("department", "").replace("\x00", ""),
        state=asked.get("state", "").replace("\x00", ""),
        mine=asked.get("mine") == "1",
        ordering=asked.get("ordering", "").replace("\x00", ""),
    )


def _rows(user: User, notebooks: Sequence[Notebook]) -> list[CatalogRow]:
    """Pair each notebook with its approved version, else the newest one visible.

    The approved one is preferred because it is what a launch would run.
    """
    shown = Notebook.objects.filter(pk__in=[each.pk for each in notebooks])
    mine = set(shown.filter(contributed_by(user)).values_list("pk", flat=True))
    readable = set(shown.filter(source_readable_by(user)).values_list("pk", flat=True))
    chosen: dict[int, Version] = {}
    versions = Version.objects.filter(notebook__in=shown).defer("document")
    for version in versions.order_by("number"):
        pk = version.notebook_id
        visible = pk in mine or (pk in readable and version.status != Status.DRAFT)
        if version.status == Status.APPROVED or (
            visible and not _is_approved(chosen.get(pk))
        ):
            chosen[pk] = version
    return [CatalogRow(each, chosen.get(each.pk)) for each in notebooks]


def _is_approved(version: Version | None) -> bool:
    return version is not None and version.status == Status.APPROVED
