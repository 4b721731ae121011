"""The document that grows while its run is under way: outputs as they come.

It is one page of the content origin whose end is held back.  The browser shows what
has arrived; nothing in it needs a script.
"""

import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.queries import is_signed_in
from runner.models import Run, RunOutput
from runner.policies import live_blockers
from runner.results.document import around
from runner.results.parts import LivePart, unseal_part
from runner.results.vault import VaultError
from runner.watching import watch

logger = logging.getLogger(__name__)

#: How long one document may grow (seconds); longer than most runs.
LIFETIME_S = 1800.0
#: A signal can be lost, so the database is asked this often anyway (seconds).
LOOK_EVERY_S = 5.0

_WAITING = b'<p class="cs-note cs-waiting">What the notebook shows appears here as it comes.</p>'
ENDED = "The run has ended. Load its page again to see the whole result."
BROKEN = (
    "What follows could not be shown here. The result comes when the run has ended."
)
TOO_LONG = "This has been open for long. Load the run's page again to go on watching."


@dataclass
class Watcher:
    """Somebody who watches a run, and what they have been shown of it."""

    run_id: UUID
    person_id: int
    title: str
    theme: str = ""
    seen: int = 0
    cell: int | None = None

    def look(self) -> list[LivePart] | None:
        """Return what is new, or None when there is nothing more to wait for.

        Asked again each time: whose run it is, whether the account is open and
        somebody is signed in with it, and whether the run is still under way.
        """
        run = Run.objects.filter(pk=self.run_id).first()
        person = User.objects.filter(pk=self.person_id).first()
        if run is None or person is None or live_blockers(person, run):
            return None
        if not is_signed_in(person, now=timezone.now()):
            return None
        rows = list(RunOutput.objects.filter(run=run, sequence__gt=self.seen))
        parts = [LivePart(row.cell, _opened(row), row.replaces) for row in rows]
        self.seen = rows[-1].sequence if rows else self.seen
        return parts

    def html(self, parts: list[LivePart]) -> bytes:
        """Return the parts in their places: one section per cell, left open."""
        return b"".join(self._placed(parts))

    def _placed(self, parts: list[LivePart]) -> Iterator[bytes]:
        for part in parts:
            if part.cell != self.cell:
                yield b"</section>" if self.cell is not None else b""
                yield b'<section class="cs-cell">'
                self.cell = part.cell
            kind = b"cs-part cs-again" if part.replaces else b"cs-part"
            yield b'<div class="%b">%b</div>\n' % (kind, part.html)


async def growing_document(watcher: Watcher) -> AsyncIterator[bytes]:
    """Yield the page's head, each new part as it comes, and its end."""
    head, tail = around(title=watcher.title, theme=watcher.theme)
    yield head + b'<div role="log" aria-label="Outputs">' + _WAITING
    end = TOO_LONG
    try:
        async with contextlib.aclosing(_looks(watcher)) as looks:
            async for parts in looks:
                if parts is None:
                    end = ENDED
                    break
                if parts:
                    yield watcher.html(parts)
    except VaultError as error:
        name = type(error).__name__
        logger.error("run.live_outputs_not_opened run_id=%s %s", watcher.run_id, name)
        end = BROKEN
    section = b"</section>" if watcher.cell is not None else b""
    yield section + b'</div><p class="cs-note">' + end.encode() + b"</p>" + tail


def _looks(watcher: Watcher) -> AsyncGenerator[list[LivePart] | None, None]:
    return watch(
        watcher.run_id, watcher.look, lifetime_s=LIFETIME_S, every_s=LOOK_EVERY_S
    )


def _opened(row: RunOutput) -> bytes:
    return unseal_part(
        bytes(row.html),
        run_id=row.run_id,
        sequence=row.sequence,
        keys=settings.RESULT_KEYS,
    )
