"""Write the audit log as JSON lines."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from audit.forms import EventFilterForm
from audit.log import record
from audit.queries import events_matching
from audit.verify import export_line

FILTERS = ("person", "notebook", "run", "kind", "since", "until")


class Command(BaseCommand):
    """Oldest first, to the standard output; the export itself is an event."""

    help = "Write the audit log as JSON lines, for verify_audit --file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in FILTERS:
            parser.add_argument(f"--{name}", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        form = EventFilterForm({name: options[name] for name in FILTERS})
        if not form.is_valid():
            raise CommandError(form.errors.as_text())
        chosen = form.chosen()
        with transaction.atomic():
            last = record(
                "audit.exported", by=None, at=timezone.now(), filters=chosen.words()
            )
        events = events_matching(chosen).order_by("seq").filter(seq__lt=last.seq)
        for event in events.iterator():
            self.stdout.write(export_line(event))
