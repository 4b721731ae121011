"""Pages of runs: launch, watch, result, downloads."""

from runner.views.downloads import (
    download_html,
    download_ipynb,
    result_tables,
    table_csv,
)
from runner.views.events import events
from runner.views.launching import launch, preview, repeat
from runner.views.record import record, replay
from runner.views.runs import cancel, frame, progress, run, runs

__all__ = [
    "cancel",
    "download_html",
    "download_ipynb",
    "events",
    "frame",
    "launch",
    "preview",
    "progress",
    "record",
    "repeat",
    "replay",
    "result_tables",
    "run",
    "runs",
    "table_csv",
]
