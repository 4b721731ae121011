"""Live sessions that have ended and left a record, without a kernel."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from runner.live.inbound import WidgetEvent
from runner.live.mirror import Mirror
from runner.live.record import event_entry
from runner.live.traits import CONTROLS
from runner.models import Run
from runner.services.sealed_batches import keep_widget_events
from runner.workflow import Queue, Status
from tests.factories.runs import make_run
from tests.runner.live.messages import told

#: When the first event happened (seconds since 1970): 2 March 2026, 10:00:05 UTC.
FIRST_AT_S = 1_772_445_605.0
DAYS, WARD, PASSWORD, MAP, GO, NOTE = "days", "ward", "password", "map", "go", "note"
CONTROLS_OF_THE_PAGE: dict[str, tuple[str, str, dict[str, Any]]] = {
    DAYS: (CONTROLS, "IntSliderModel", {"description": "Days", "value": 3}),
    WARD: (
        CONTROLS,
        "DropdownModel",
        {"description": "Ward of Ruth", "_options_labels": ["A1", "B2"], "index": 0},
    ),
    PASSWORD: (CONTROLS, "PasswordModel", {"description": "Code", "value": ""}),
    MAP: ("jupyter-leaflet", "LeafletMapModel", {"zoom": 3}),
    GO: (CONTROLS, "ButtonModel", {"description": "Go"}),
    NOTE: (CONTROLS, "TextareaModel", {"description": "Note", "value": ""}),
}


def mirror() -> Mirror:
    """What the page's widgets are."""
    made = Mirror()
    for comm_id, (module, model, state) in CONTROLS_OF_THE_PAGE.items():
        data = {"state": {"_model_module": module, "_model_name": model, **state}}
        content = {"comm_id": comm_id, "target_name": "jupyter.widget", "data": data}
        made.heard(told("comm_open", content), size_bytes=1)
    return made


def event(comm_id: str, method: str = "update", **values: Any) -> WidgetEvent:
    """Something that a reader did with a control of the page."""
    module, model, _ = CONTROLS_OF_THE_PAGE[comm_id]
    return WidgetEvent(comm_id, module, model, method, values)


def entry(comm_id: str, at_s: float = FIRST_AT_S, **values: Any) -> dict[str, Any]:
    """What the record keeps of it."""
    method = "custom" if "event" in values else "update"
    return event_entry(event(comm_id, method, **values), mirror(), at_s=at_s)


def recorded_run(
    version: Version,
    by: User,
    *entries: dict[str, Any],
    status: str = Status.SUCCEEDED,
    kept_at: datetime | None = None,
    per_batch: int = 2,
    **fields: Any,
) -> Run:
    """A live session of `by` in which these things were done."""
    run = make_run(version, by, status, queue=Queue.INTERACTIVE, **fields)
    for first in range(0, len(entries), per_batch):
        keep_widget_events(
            run=run,
            first=first,
            events=entries[first : first + per_batch],
            now=kept_at or timezone.now(),
        )
    return run
