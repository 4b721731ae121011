"""Install Countersign's schema in the database of a data source."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from runner.access.errors import InstallRefused
from runner.access.install import install
from runner.access.owners import owner_dsn, owner_variable
from runner.access.transport import UnsafeDsn


class Command(BaseCommand):
    """`manage.py install_data_source hospital [--notional]`."""

    help = (
        "Install or update the schema `countersign` in a data source's database, as a superuser: "
        "pass --dsn or set DATA_SOURCE_<NAME>_OWNER_DSN (DATA_SOURCE_<NAME>_NOTIONAL_OWNER_DSN)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The source's name, and which of its two databases."""
        parser.add_argument("name", help="the data source, as in DATA_SOURCES")
        parser.add_argument(
            "--notional",
            action="store_true",
            help="install in the twin that previews read",
        )
        parser.add_argument(
            "--dsn", help="libpq URI of a superuser; better by the variable"
        )

    def handle(self, *args: Any, name: str, notional: bool, **options: Any) -> None:
        """Install, and say what was set up."""
        source = settings.DATA_SOURCES.get(name)
        if source is None:
            raise CommandError(f"DATA_SOURCES does not name {name!r}.")
        variable = owner_variable(name, notional=notional)
        try:
            dsn = owner_dsn(variable, given=options["dsn"])
        except UnsafeDsn as unsafe:
            raise CommandError(f"The owner's DSN {unsafe.message}") from unsafe
        if not dsn:
            raise CommandError(f"Set {variable}, or pass --dsn.")
        kind = "preview" if notional else "run"
        try:
            done = install(dsn, kind=kind, dsns=source.for_kind(kind))
        except InstallRefused as refused:
            raise CommandError(refused.message) from refused
        except psycopg.OperationalError as error:
            raise CommandError(f"The data source does not answer: {error}") from error
        self.stdout.write(
            f"Installed in the database {done.database} (tickets of kind {done.kind}). "
            f"Its runs are members of {done.marker}."
        )
