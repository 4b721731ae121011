"""The layout that a version's signatures are about: one that no reviewer was told of counts for nothing."""

from collections.abc import Mapping
from typing import Any

from gallery.findings import layout
from gallery.interactive import was_found
from gallery.models import Version


def as_signed(version: Version, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook of the version, without its layout if that was not among the findings."""
    if was_found(version, layout.CODE):
        return dict(notebook)
    metadata = dict(notebook.get("metadata") or {})
    metadata.pop("extensions", None)
    return {**notebook, "metadata": metadata}
