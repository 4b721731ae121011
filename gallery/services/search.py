"""Keep the catalog's full-text index: one for everybody, one for who reads code."""

from typing import Any

from django.contrib.postgres.search import SearchVector
from django.db.models import Value

from gallery.models import Notebook

#: PostgreSQL refuses a tsvector above 1 MB; this much text stays far below it.
_INDEXED_CHARACTERS = 200_000


def index_notebook(notebook: Notebook, document: dict[str, Any]) -> None:
    """Index title, description, tags and markdown; code goes to the second index."""
    markdown = _text(document, "markdown")
    code = _text(document, "code")
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
