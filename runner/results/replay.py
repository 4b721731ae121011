"""Show a live session's page again as it was after any of its steps.

It is made from the record alone, through the layers of every result: nothing is executed and no
data source is asked.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from html import escape

from django.db import transaction

from accounts.models import User
from accounts.policies import NotNow, StateBlocker, require
from audit.log import record
from gallery.arranged import as_signed
from gallery.queries import document
from runner.live.frames import Json
from runner.live.record import CUT
from runner.live.replay import Replay
from runner.models import Run
from runner.parameters.inject import inject
from runner.policies import replay_blockers
from runner.record_presenters import Done, Sight, done
from runner.results.batches import opened
from runner.results.record import RecordedEvents
from runner.results.rendering import render

REPLAYED = "record.replayed"
#: What a page may show to be shown again while somebody waits for it.
MAX_STEP_BYTES = 4_000_000

NO_SUCH_STEP = StateBlocker("no_such_step", "There are fewer steps in this record.")
NOT_KEPT = StateBlocker(
    "changes_not_kept",
    "From here on the page showed more than a record keeps. What was done is kept: read it "
    "in the list, and see in the result how it ended.",
)
NONE_KEPT = StateBlocker(
    "changes_not_kept",
    "No step can be shown: before the first of them the page already showed more than a record "
    "keeps. What was done is kept: read it in the list, and see in the result how it ended.",
)
TOO_LARGE = StateBlocker(
    "step_too_large",
    "At this step the page showed too much to be shown again here. The result shows how it ended.",
)


def steps_of_session(run: Run) -> int:
    """Return how many steps a session has; step 0 is the page before the first.

    Raises vault.VaultError.
    """
    return len(RecordedEvents(run))


def first_missing_step(run: Run) -> int | None:
    """Return from which step on the page was not kept, 0 for all of them; None where all of it was.

    Raises vault.VaultError.
    """
    last = run.page_change_batches.order_by("first").last()
    entry = opened(last)[-1] if last is not None else {}
    return int(entry["step"]) if CUT in entry else None


@transaction.atomic
def view_step(*, run: Run, step: int, by: User, now: datetime) -> bytes:
    """Return the page after `step` uses of its controls, as harmless HTML.

    Raises NotAllowed, vault.VaultError.
    """
    require(replay_blockers(by, run, now=now))
    html = _step_html(run, step)
    # A record is erased as a whole: while it is there, all of it was there when it was read.
    require(replay_blockers(by, run, now=now))
    record(REPLAYED, by=by, at=now, target=run, step=step)
    return html


def _step_html(run: Run, step: int) -> bytes:
    steps = steps_of_session(run)
    if not 0 <= step <= steps:
        raise NotNow([NO_SUCH_STEP])
    events = RecordedEvents(run)[:step]
    replay = _replayed(run, events, step)
    notebook = document(run.version)
    if run.injected_source:
        notebook = inject(notebook, run.injected_source)
    shown = replay.shown_in(notebook)
    if len(json.dumps(shown)) > MAX_STEP_BYTES:
        raise NotNow([TOO_LARGE])
    last = events[-1] if events else None
    return (
        _caption(last, step, steps).encode()
        + render(as_signed(run.version, shown), is_live=True).html
    )


def _replayed(run: Run, events: list[Json], step: int) -> Replay:
    """Follow both parts of the record, each change after the events that it came after."""
    replay, followed = Replay(), 0
    for change in _changes(run, until_step=step):
        if CUT in change:
            raise NotNow([NOT_KEPT])
        for event in events[followed : change["step"]]:
            replay.follow(event)
        followed = max(followed, change["step"])
        replay.take(change)
    for event in events[followed:]:
        replay.follow(event)
    return replay


def _changes(run: Run, *, until_step: int) -> Iterator[Json]:
    for batch in run.page_change_batches.order_by("first").iterator(chunk_size=10):
        for change in opened(batch):
            if change["step"] > until_step:
                return
            yield change


def _caption(entry: Json | None, step: int, steps: int) -> str:
    if entry is None:
        words = "Before any control was used."
    else:
        words = _in_one_line(done(entry, sight=Sight(sees_values=True)))
    return f'<p class="cs-note">Step {step} of {steps}. {escape(words)}</p>'


def _in_one_line(each: Done) -> str:
    name = f"{each.label} ({each.kind})" if each.label else each.kind
    deeds = "; ".join(
        f"{change.deed} {change.words}".strip() for change in each.changes
    )
    return f"{each.at:%H:%M:%S} UTC, {name}: {deeds}"
