"""Take over from identity management who holds which persona."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.persona_file import BadPersonaFile, Holdings, read_personas
from accounts.queries import PersonaChange, UnknownPeople, persona_changes
from accounts.services import sync_personas


class Command(BaseCommand):
    """Shows what differs; each change is an event.  All of it or nothing."""

    help = (
        "Read username,persona,department from a CSV file and make everybody hold "
        "exactly that; who is not in the file holds no persona."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="show the changes, make none"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        holdings = _read(options["file"])
        try:
            if options["dry_run"]:
                changes = persona_changes(holdings)
            else:
                changes = sync_personas(holdings=holdings, by=None, now=timezone.now())
        except UnknownPeople as refusal:
            message = f"Nobody has these user names: {refusal}. Nothing was changed."
            raise CommandError(message) from refusal
        for change in changes:
            self.stdout.write(words(change))
        count = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
        self.stdout.write(
            f"{count}, none made (dry run)." if options["dry_run"] else f"{count} made."
        )


def words(change: PersonaChange) -> str:
    """One line of the difference: `+` comes, `-` goes, `~` other department."""
    if change.to is None:
        return f"- {change.username} {change.persona} {change.was}".rstrip()
    if change.was is None:
        return f"+ {change.username} {change.persona} {change.to}".rstrip()
    return (
        f"~ {change.username} {change.persona} "
        f"{change.was or '(no department)'} to {change.to or '(no department)'}"
    )


def _read(path: Path) -> Holdings:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_personas(lines)
    except BadPersonaFile as refusal:
        message = f"Nothing was changed.\n{refusal}"
        raise CommandError(message) from refusal
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise CommandError(message) from error
