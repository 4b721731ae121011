"""Keep the catalog's full-text index: one for everybody, one for who reads code."""

from typing import Any

from django.contrib.postgres.search import SearchVector
from django.db.models import Value

from gallery.models import Notebook, Version
from gallery.queries import approved_version, document
from gallery.workflow import Status

#: PostgreSQL refuses a tsvector above 1 MB; this much text stays far below it.
_INDEXED_CHARACTERS = 200_000


def index_notebook(
    notebook: Notebook,
    *,
    submitted: Version | None = None,
    approved: Version | None = None,
) -> None:
    """Index the entry and the words of what its readers may see; never a draft's.

    Markdown is that of the approved version, which everybody who launches sees; code
    is that of the newest submitted one. A draft is indexed only while nothing else is
    there: then the notebook exists for its authors alone. `submitted` and `approved`
    are versions that become so in the caller's transaction.
    """
    newest_first = notebook.versions.order_by("-number")
    submitted = (
        submitted
        or approved
        or newest_first.exclude(status=Status.DRAFT).first()
        or newest_first.first()
    )
    approved = approved or approved_version(notebook) or submitted
    if submitted is None or approved is None:
        return
    markdown = _text(document(approved), "markdown")
    code = _text(document(submitted), "code")
    Notebook.objects.filter(pk=notebook.pk).update(
        search=SearchVector(Value(notebook.title), weight="A", config="english")
        + SearchVector(Value(" ".join(notebook.tags)), weight="B", config="english")
        + SearchVector(Value(notebook.description), weight="B", config="english")
        + SearchVector(Value(markdown), weight="C", config="english"),
        code_search=SearchVector(Value(code), weight="D", config="simple")
        + SearchVector(Value(code), weight="D", config="english"),
    )


def _text(document: dict[str, Any], cell_type: str) -> str:
    sources = (
        cell["source"] for cell in document["cells"] if cell["cell_type"] == cell_type
    )
    return "\n".join(sources)[:_INDEXED_CHARACTERS]
