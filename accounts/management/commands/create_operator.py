"""Make the first operator, who then makes everybody else."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from accounts.services import create_person, password_link_token, set_roles


class Command(BaseCommand):
    """Prints a link: nobody but the operator ever knows the password."""

    help = "Make an account with the role operator, and print its sign-in link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="the printed name")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            with transaction.atomic():
                person = create_person(
                    username=options["username"],
                    display_name=options["name"],
                    by=None,
                    now=now,
                )
                set_roles(person=person, roles=[Role.OPERATOR], by=None, now=now)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        path = reverse(
            "accounts:choose-password",
            args=[person.username, password_link_token(person)],
        )
        self.stdout.write(
            f"{person.username} is an operator. Open this link once to choose a "
            f"password:\n{settings.APPLICATION_ORIGIN}{path}"
        )
