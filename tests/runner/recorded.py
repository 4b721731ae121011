"""Live sessions that have ended and left a record, without a kernel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from runner.live.comms import WIDGET_TARGET
from runner.live.frames import Frame
from runner.live.inbound import WidgetEvent
from runner.live.mirror import Mirror
from runner.live.record import cell_entry, event_entry, widget_entry
from runner.live.traits import CONTROLS
from runner.live.withheld import Withheld
from runner.models import Run
from runner.services.sealed_batches import keep_record
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
    for comm_id in CONTROLS_OF_THE_PAGE:
        made.heard(opened(comm_id), size_bytes=1)
    return made


def opened(comm_id: str) -> Frame:
    """The kernel's word that it has made a control of the page."""
    module, model, state = CONTROLS_OF_THE_PAGE[comm_id]
    data = {"state": {"_model_module": module, "_model_name": model, **state}}
    content = {"comm_id": comm_id, "target_name": WIDGET_TARGET, "data": data}
    return told("comm_open", content)


def changed(comm_id: str, *buffers: bytes, paths: Any = (), **state: Any) -> Frame:
    """The kernel's word that a control has changed."""
    data = {"method": "update", "state": state, "buffer_paths": list(paths)}
    return told("comm_msg", {"comm_id": comm_id, "data": data}, buffers=buffers)


def kept(step: int, frame: Frame, withheld: Withheld | None = None) -> dict[str, Any]:
    """What the record keeps of such a word, after so many steps."""
    state = mirror().state_of(str(frame.content["comm_id"]))
    made = widget_entry(frame, state, withheld or Withheld())
    assert made is not None
    return {**made, "step": step}


def shown(step: int, change: str, cell: int = 0, **fields: Any) -> dict[str, Any]:
    """What the record keeps of a change of a cell, after so many steps."""
    return {**cell_entry({"cell": cell, "change": change, **fields}), "step": step}


def says(text: str) -> dict[str, Any]:
    """What a cell prints."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def event(comm_id: str, method: str = "update", **values: Any) -> WidgetEvent:
    """Something that a reader did with a control of the page."""
    module, model, _ = CONTROLS_OF_THE_PAGE[comm_id]
    return WidgetEvent(comm_id, module, model, method, values)


def entry(
    comm_id: str,
    at_s: float = FIRST_AT_S,
    withheld: Withheld | None = None,
    **values: Any,
) -> dict[str, Any]:
    """What the record keeps of it."""
    method = "custom" if "event" in values else "update"
    return event_entry(
        event(comm_id, method, **values),
        mirror().state_of(comm_id),
        withheld or Withheld(),
        at_s=at_s,
    )


def recorded_run(
    version: Version,
    by: User,
    *entries: dict[str, Any],
    status: str = Status.SUCCEEDED,
    kept_at: datetime | None = None,
    per_batch: int = 2,
    changes: Sequence[dict[str, Any]] = (),
    **fields: Any,
) -> Run:
    """A live session of `by` in which these things were done, and pages were told these."""
    run = make_run(version, by, status, queue=Queue.INTERACTIVE, **fields)
    for first in range(0, max(len(entries), len(changes)), per_batch):
        part = slice(first, first + per_batch)
        keep_record(
            run=run,
            events=(first, entries[part]),
            changes=(first, changes[part]),
            now=kept_at or timezone.now(),
        )
    return run
