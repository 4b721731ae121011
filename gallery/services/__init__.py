"""Writes of the gallery: notebooks, versions, audience."""

from gallery.services.access import apply_audiences
from gallery.services.notebooks import create_notebook, edit_notebook
from gallery.services.versions import Upload, add_version

__all__ = [
    "Upload",
    "add_version",
    "apply_audiences",
    "create_notebook",
    "edit_notebook",
]
