"""Automated checks of a notebook: what they see, told in words with cell and line.

They read code and never run it. They help a reviewer to look in the right places; they prove nothing, and
whoever wants to hide something from them can.
"""

from collections.abc import Iterator
from typing import Any

from gallery.findings.calls import check_calls
from gallery.findings.cells import CheckedNotebook, prepare
from gallery.findings.characters import check_characters
from gallery.findings.imports import check_imports
from gallery.findings.layout import check_layout
from gallery.findings.magics import check_magics
from gallery.findings.model import Finding, Severity, TableUse
from gallery.findings.secrets import check_secrets
from gallery.findings.sensitive import check_sensitive
from gallery.findings.shell import check_shell
from gallery.findings.sql import check_sql, read_sql_tables
from gallery.findings.structure import check_parameters, check_structure
from gallery.findings.waiting import check_waiting
from gallery.findings.widgets import check_widgets

__all__ = ["Finding", "Severity", "TableUse", "find", "read_tables"]


def find(
    notebook: dict[str, Any],
    *,
    environment_packages: set[str],
    manifest: dict[str, Any] | None = None,
) -> list[Finding]:
    """Return the findings of ``notebook`` in order of cell and line, each once.

    ``environment_packages`` are the names of the packages in its environment (empty: not known, not checked);
    ``manifest`` is what the author declares, or None.
    """
    checked = prepare(notebook)
    found = list(
        dict.fromkeys(
            [
                *check_layout(notebook),
                *check_parameters(notebook),
                *check_sensitive(notebook, checked),
                *_all(checked, environment_packages, manifest),
            ]
        )
    )
    return sorted(found, key=_place)


def read_tables(notebook: dict[str, Any]) -> list[TableUse]:
    """Return the tables and columns that the notebook's SQL names, in order of cell and table."""
    return read_sql_tables(prepare(notebook))


def _all(
    notebook: CheckedNotebook, packages: set[str], manifest: dict[str, Any] | None
) -> Iterator[Finding]:
    yield from check_structure(notebook)
    yield from check_characters(notebook)
    yield from check_secrets(notebook)
    yield from check_magics(notebook)
    yield from check_calls(notebook)
    yield from check_imports(notebook, packages)
    yield from check_shell(notebook)
    yield from check_sql(notebook, manifest)
    yield from check_widgets(notebook)
    yield from check_waiting(notebook)


def _place(finding: Finding) -> tuple[int, int]:
    return (-1 if finding.cell is None else finding.cell, finding.line or 0)
