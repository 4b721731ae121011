"""Signing pages check a password; here that costs nothing and upgrades nothing."""

import pytest


@pytest.fixture(autouse=True)
def _cheap_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.conftest.CheapHasher"]
