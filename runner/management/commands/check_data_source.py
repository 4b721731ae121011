"""Check what the owners of a data source did to protect it."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from runner.access.check import Problem, check_data_source
from runner.access.errors import AccessError
from runner.access.owners import owner_dsn, owner_variable
from runner.access.transport import UnsafeDsn


class Command(BaseCommand):
    """`manage.py check_data_source hospital [--notional]`; exit code 1 on errors."""

    help = (
        "List what is wrong with a data source, each with its remedy. Uses --dsn, "
        "DATA_SOURCE_<NAME>_OWNER_DSN (sees statistics too), or the broker's login."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The source's name, and which of its two databases."""
        parser.add_argument("name", help="the data source, as in DATA_SOURCES")
        parser.add_argument(
            "--notional", action="store_true", help="check the twin that previews read"
        )
        parser.add_argument("--dsn", help="libpq URI of an owner")

    def handle(self, *args: Any, name: str, notional: bool, **options: Any) -> None:
        """Check, list the problems, and fail when one of them refuses launches."""
        source = settings.DATA_SOURCES.get(name)
        if source is None:
            raise CommandError(f"DATA_SOURCES does not name {name!r}.")
        broker = source.for_kind("preview" if notional else "run").broker
        variable = owner_variable(name, notional=notional)
        try:
            dsn = owner_dsn(variable, given=options["dsn"]) or broker
        except UnsafeDsn as unsafe:
            raise CommandError(f"The owner's DSN {unsafe.message}") from unsafe
        if not dsn:
            raise CommandError(f"Set {variable}, or pass --dsn.")
        try:
            problems = check_data_source(dsn)
        except AccessError as error:
            raise CommandError(error.message) from error
        self._report(problems)

    def _report(self, problems: list[Problem]) -> None:
        for problem in problems:
            self.stdout.write(f"{problem.severity}: {problem.message} [{problem.code}]")
            self.stdout.write(f"    {problem.remedy}")
        errors = sum(problem.severity == "error" for problem in problems)
        if errors:
            raise CommandError(
                f"{errors} error(s): launches on this source are refused."
            )
        self.stdout.write(
            self.style.SUCCESS("Nothing refuses launches on this source.")
        )
