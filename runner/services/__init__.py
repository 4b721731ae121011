"""Writes of the runner: request, claim, progress, finish, cancel, sweep."""

from runner.services.lifecycle import (
    beat,
    claim_run,
    finish_run,
    note_cells,
    note_data_read,
    start_run,
)
from runner.services.requests import (
    Launch,
    VersionReplaced,
    cancel_run,
    repeat_run,
    request_preview,
    request_run,
    require_shown,
)
from runner.services.sweeping import (
    end_lost_runs,
    reenqueue_waiting_runs,
)

__all__ = [
    "Launch",
    "VersionReplaced",
    "beat",
    "cancel_run",
    "claim_run",
    "end_lost_runs",
    "finish_run",
    "note_cells",
    "note_data_read",
    "reenqueue_waiting_runs",
    "repeat_run",
    "request_preview",
    "request_run",
    "require_shown",
    "start_run",
]
