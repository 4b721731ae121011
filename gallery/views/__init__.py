"""Pages of the gallery, by noun."""

from gallery.views.catalog import catalog
from gallery.views.notebooks import edit, notebook, upload, upload_version
from gallery.views.versions import diff, version, version_ipynb

__all__ = [
    "catalog",
    "diff",
    "edit",
    "notebook",
    "upload",
    "upload_version",
    "version",
    "version_ipynb",
]
