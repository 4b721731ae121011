"""Signed-in browsers and a clock."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.models import User

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def sign_in(_rows) -> Callable[[User], Client]:
    """A browser in which a person is signed in, as `accounts.services.sign_in` leaves it."""

    def browser(person: User, **extra) -> Client:
        client = Client(**extra)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        session = client.session
        session[sessions.SIGNED_IN_AT] = timezone.now().timestamp()
        session[sessions.LAST_ACTIVE_AT] = timezone.now().timestamp()
        session[sessions.DEVICE] = extra.get("HTTP_USER_AGENT", "")
        session.save()
        return client

    return browser
