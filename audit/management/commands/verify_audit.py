"""Is the audit log whole?"""

from __future__ import annotations

import base64
import binascii
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.chain import Verdict, Witness
from audit.checkpoints import BadCheckpoint, read_note
from audit.verify import UnreadableFile, verify_lines, verify_log


class Command(BaseCommand):
    """Exits 1 and names the first broken event when it is not."""

    help = "Check the audit log: every hash, every link, the head, every checkpoint."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--file",
            type=Path,
            help="check exported JSON lines instead of the database",
        )
        parser.add_argument(
            "--partial", action="store_true", help="the file is a filtered export"
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            help="also hold the log against this checkpoint (may be repeated)",
        )
        parser.add_argument(
            "--public-key",
            help="urlsafe base64; check the checkpoints with this key, not our own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        witnesses = [
            _witness(path, _public_key(options["public_key"]))
            for path in options["checkpoint"]
        ]
        verdict = _verdict(options["file"], options["partial"], witnesses)
        if verdict.broken:
            self.stderr.write(f"BROKEN at event {verdict.broken.seq}.")
            self.stderr.write(verdict.broken.message)
            sys.exit(1)
        self.stdout.write(
            f"Unbroken: {verdict.checked} events, the newest {verdict.last.seq} with "
            f"hash {verdict.last.hash}."
        )


def _verdict(path: Path | None, partial: bool, witnesses: list[Witness]) -> Verdict:
    if path is None:
        return verify_log(witnesses)
    try:
        with path.open(encoding="utf-8") as lines:
            return verify_lines(lines, partial=partial, witnesses=witnesses)
    except UnreadableFile as error:
        message = f"{path}: line {error.line_number} is not an exported event."
        raise CommandError(message) from error
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise CommandError(message) from error


def _witness(path: Path, public: bytes | None) -> Witness:
    try:
        return read_note(path.read_text(encoding="utf-8"), public=public)
    except BadCheckpoint as error:
        message = f"{path} is not a checkpoint that this key signed."
        raise CommandError(message) from error
    except OSError as error:
        message = f"{path} cannot be read: {error}"
        raise CommandError(message) from error


def _public_key(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        key = base64.urlsafe_b64decode(text)
    except binascii.Error as error:
        message = "--public-key must be urlsafe base64."
        raise CommandError(message) from error
    if len(key) != 32:
        message = "--public-key must be 32 bytes."
        raise CommandError(message)
    return key
