"""The identity of a version: one SHA-256 over everything that people approve.

The input is the tag line ``countersign-digest/1`` followed by canonical JSON of the approved things. What
an execution adds (outputs, numbers, times) is not in it; whatever can change what runs, what is asked
of the person who launches, or what a reviewer reads, is.
"""

import hashlib
from typing import Any

from gallery.intake.canonical import compact
from gallery.intake.metadata import cell_metadata, notebook_metadata
from gallery.intake.notes import Notes

TAG = "countersign-digest/1"


def version_digest(
    *,
    notebook: dict[str, Any],
    parameters: dict[str, Any],
    binding_mode: str,
    environment: str,
    environment_lock_sha256: str,
    manifest: dict[str, Any] | None,
    data_sources: list[str],
    limits: dict[str, int],
) -> str:
    """Return the digest, 64 hexadecimal digits. A null ``manifest`` means undeclared and is part of the input.

    Limits are in it only where a version asks for its own.
    """
    approved: dict[str, Any] = {
        "notebook": approved_content(notebook),
        "parameters": parameters,
        "binding_mode": binding_mode,
        "environment": {"name": environment, "lock_sha256": environment_lock_sha256},
        "manifest": _manifest(manifest),
        "data_sources": sorted(data_sources),
    }
    if limits:
        approved["limits"] = limits
    return hashlib.sha256(f"{TAG}\n{compact(approved)}".encode()).hexdigest()


def approved_content(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the part of ``notebook`` that is approved: kernel, cells in order, sources, meaningful metadata."""
    metadata = notebook.get("metadata", {})
    spec = metadata.get("kernelspec", {})
    return {
        "format": [notebook.get("nbformat"), notebook.get("nbformat_minor")],
        "kernel": {"name": spec.get("name"), "language": spec.get("language")},
        "metadata": notebook_metadata(metadata, Notes()),
        "cells": [_cell(cell) for cell in notebook["cells"]],
    }


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": cell["id"],
        "cell_type": cell["cell_type"],
        "source": cell["source"],
        "metadata": cell_metadata(cell.get("metadata", {}), Notes()),
        "attachments": cell.get("attachments", {}),
    }


def _manifest(manifest: dict[str, Any] | None) -> dict[str, Any] | None:
    """Columns are a set: the order in which an author typed them says nothing."""
    if manifest is None:
        return None
    tables = {
        table: sorted(columns) for table, columns in manifest.get("tables", {}).items()
    }
    return {**manifest, "tables": tables}
