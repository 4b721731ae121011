"""How long a live session may last."""

from django.conf import settings

from runner.models import Run

#: A session is ended in order before the kernel host would end it (seconds).
_ORDERLY_S = 60


def session_limits(run: Run) -> dict[str, int]:
    """Return the limits of a live session that differ from those of its version's runs."""
    if not run.is_live:
        return {}
    return {"wall_clock_s": settings.LIVE_SESSION_S + _ORDERLY_S}
