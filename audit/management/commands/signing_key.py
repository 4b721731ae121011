"""Print the public half of the signing key."""

from __future__ import annotations

import base64
from typing import Any

from django.core.management.base import BaseCommand

from audit.signing import key_id, public_key


class Command(BaseCommand):
    """With it, signatures and checkpoints are checked on any other computer."""

    help = "Print the public key of this installation's signatures, and its short name."

    def handle(self, *args: Any, **options: Any) -> None:
        public = public_key()
        self.stdout.write(base64.urlsafe_b64encode(public).decode())
        self.stderr.write(f"Key {key_id(public)}")
