"""Read `username,persona,department` from CSV: who holds what, as identity
management says.  Knows nothing of the database."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from accounts.personas import Persona

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = ["username", "persona", "department"]

Holdings = dict[str, dict[str, str]]
"""User name to persona to department."""


class BadPersonaFile(Exception):
    """The file cannot be used; `problems` say why, each with its line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_personas(lines: Iterable[str]) -> Holdings:
    """What each person named in the file holds.  Raises BadPersonaFile."""
    reader = csv.DictReader(lines, skipinitialspace=True)
    if reader.fieldnames is None or [n.strip() for n in reader.fieldnames] != COLUMNS:
        raise BadPersonaFile([f"Line 1: the columns must be {','.join(COLUMNS)}."])
    reader.fieldnames = COLUMNS
    held: Holdings = {}
    problems = []
    for row in reader:
        problem = _add(row, held)
        if problem:
            problems.append(f"Line {reader.line_num}: {problem}")
    if not held and not problems:
        problems = ["The file names nobody; that would take every persona away."]
    if problems:
        raise BadPersonaFile(problems)
    return held


def _add(row: dict[str, str | None], held: Holdings) -> str:
    """Take one row into `held`; returns what is wrong with it, or nothing."""
    if None in row or None in row.values():
        return "it must have three fields."
    username, persona, department = (str(row[name]).strip() for name in COLUMNS)
    if not username:
        return "the user name is missing."
    if persona not in Persona.values:
        return f"{persona!r} is no persona; known are {', '.join(Persona.values)}."
    if len(department) > 64:
        return "the department is longer than 64 characters."
    if persona in held.setdefault(username, {}):
        return f"{username} holds {persona} twice."
    held[username][persona] = department
    return ""
