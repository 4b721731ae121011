"""Keep what the last check of a data source found."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from audit.log import record
from runner.access.check import Problem
from runner.models import DataSourceCheck, RunKind


@transaction.atomic
def note_check(
    *, source: str, kind: RunKind, problems: Iterable[Problem], now: datetime
) -> DataSourceCheck:
    """Replace the source's check; a change of its verdict is an event.

    Only errors count: a warning is for the owner who runs check_data_source.
    """
    rows = [
        {"code": each.code, "message": each.message, "remedy": each.remedy}
        for each in problems
        if each.severity == "error"
    ]
    before = (
        DataSourceCheck.objects.select_for_update(no_key=True)
        .filter(source=source, kind=kind)
        .first()
    )
    check, _ = DataSourceCheck.objects.update_or_create(
        source=source, kind=kind, defaults={"checked_at": now, "problems": rows}
    )
    codes = sorted({row["code"] for row in rows})
    if before is None or codes != sorted({row["code"] for row in before.problems}):
        action = "data_source.failed" if codes else "data_source.passed"
        record(action, by=None, at=now, target=check, codes=codes)
    return check
