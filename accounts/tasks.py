"""The periodic task of this app."""

from celery import shared_task
from django.utils import timezone

from accounts.services import expire_sessions


@shared_task(name="accounts.sweep_sessions")
def sweep_sessions(**_: object) -> None:
    """Delete the sessions that are over; beat calls it every hour."""
    expire_sessions(now=timezone.now())
