"""What of a version its signatures are about: what no reviewer was told of counts for nothing.

A layout and the tag `live-only` had no meaning once; versions approved then are shown and run as then.
"""

from collections.abc import Mapping
from typing import Any

from gallery.findings import layout, waiting
from gallery.interactive import was_found
from gallery.models import Version
from gallery.parameters.names import has_tag


def as_signed(version: Version, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook of the version as it is shown, without a layout or tag that was not among the findings."""
    signed = as_run(version, notebook)
    if was_found(version, layout.CODE):
        return signed
    metadata = dict(notebook.get("metadata") or {})
    metadata.pop("extensions", None)
    return {**signed, "metadata": metadata}


def as_run(version: Version, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook of the version as it is executed: only cells told of are left to live pages."""
    if was_found(version, waiting.LEFT_OUT_CODE):
        return dict(notebook)
    return {**notebook, "cells": [_for_every_run(cell) for cell in notebook["cells"]]}


def _for_every_run(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    if not has_tag(cell, waiting.LIVE_TAG):
        return cell
    tags = [
        tag for tag in cell["metadata"]["tags"] if str(tag).lower() != waiting.LIVE_TAG
    ]
    return {**cell, "metadata": {**cell["metadata"], "tags": tags}}
