"""When and why somebody may not launch, preview, cancel or look at a run."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Permission, has_permission
from accounts.personas import Persona
from accounts.policies import Blocker, StateBlocker
from accounts.queries import is_signed_in
from audit.models import Event
from gallery.access import can_edit, can_launch, can_read_source
from gallery.environments import is_installed
from gallery.interactive import is_interactive, waits_for_reader
from gallery.models import Notebook, Version
from gallery.workflow import UNDER_REVIEW, Status
from reviews.policies import approval_blockers
from runner.models import DataSourceCheck, Run, RunKind
from runner.workflow import ACTIVE, Queue

_PREVIEWABLE = frozenset({Status.DRAFT, *UNDER_REVIEW})


def launch_blockers(
    user: User, notebook: Notebook, version: Version | None
) -> list[Blocker]:
    """Return why the person may not run this version on real data."""
    blockers = standing_blockers(user, notebook, version)
    return blockers + (approval_blockers(version) if version else [])


def standing_blockers(
    user: User, notebook: Notebook, version: Version | None
) -> list[Blocker]:
    """Return why the person may not run this version; its signatures are not looked at."""
    blockers = []
    if not user.personas:
        blockers.append(
            Blocker(
                "no_persona",
                "You hold no persona, so there is no data that you may see. "
                "Ask an operator for one.",
            )
        )
    elif version is not None and not can_launch(user, notebook):
        blockers.append(
            Blocker(
                "not_in_the_audience",
                "This notebook is open to named people only, and you are not one.",
            )
        )
    if version is None or version.status != Status.APPROVED:
        blockers.append(
            StateBlocker("not_approved", "Only an approved version runs on real data.")
        )
    else:
        blockers += _environment_blockers(version)
        blockers += _data_source_blockers(version, RunKind.RUN)
    return blockers


def quota_blockers(user: User) -> list[Blocker]:
    """Return why the person may not start one more run, of either kind."""
    active = Run.objects.filter(requested_by=user, status__in=ACTIVE).count()
    if active < settings.RUNS_PER_PERSON:
        return []
    return [
        StateBlocker(
            "too_many_runs",
            f"You have {active} runs that wait or are under way, and may have "
            f"{settings.RUNS_PER_PERSON}. Wait for one to end, or cancel one.",
        )
    ]


def live_quota_blockers(user: User) -> list[Blocker]:
    """Return why the person may not open one more live session."""
    active = Run.objects.filter(
        requested_by=user, status__in=ACTIVE, queue=Queue.INTERACTIVE
    ).count()
    if active < settings.LIVE_PER_PERSON:
        return []
    return [
        StateBlocker(
            "too_many_live_sessions",
            f"You have {active} live pages open, and may have "
            f"{settings.LIVE_PER_PERSON}. End one of them under your runs.",
        )
    ]


def live_version_blockers(version: Version) -> list[Blocker]:
    """Return why a version cannot be opened as a live page."""
    if is_interactive(version):
        return []
    return [StateBlocker("not_interactive", "This version has no widgets to be used.")]


def pageless_version_blockers(version: Version) -> list[Blocker]:
    """Return why a version cannot run without a live page: its cells would wait in vain."""
    if not waits_for_reader(version):
        return []
    return [
        StateBlocker(
            "needs_live_page",
            "This notebook waits for input: open its live page.",
        )
    ]


def expiry_blockers(version: Version, *, now: datetime) -> list[Blocker]:
    """Return why an approval no longer counts, whether or not a sweep has ended it."""
    ends_at = version.approval_expires_at
    if version.status != Status.APPROVED or ends_at is None or ends_at > now:
        return []
    return [StateBlocker("approval_expired", "The version's approval has expired.")]


def shown_version_blockers(
    approved: Version | None, number: int | None
) -> list[Blocker]:
    """Return why the version that somebody was shown is not the one that would run.

    A number stands for its bytes: a version never changes.
    """
    if approved is None or approved.number == number:
        return []
    shown = (
        f"Version {number} is not the approved one: version {approved.number} is."
        if number
        else f"It is not known which version you were shown; version "
        f"{approved.number} is approved."
    )
    advice = f"Nothing was started. Look at version {approved.number}, then run it."
    return [StateBlocker("version_replaced", f"{shown} {advice}")]


def persona_blockers(user: User, persona: str) -> list[Blocker]:
    """Return why the person may not act as this persona."""
    if user.is_active and persona in user.personas:
        return []
    label = dict(Persona.choices).get(persona, persona)
    return [Blocker("persona_not_held", f"You do not hold the persona {label}.")]


def preview_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not run this version on invented people."""
    blockers = []
    takes_part = (
        can_edit(user, version.notebook)
        or has_permission(user, Permission.VERSION_REVIEW)
        or has_permission(user, Permission.VERSION_SIGN_OFF)
    )
    if not takes_part:
        blockers.append(
            Blocker(
                "not_part_of_the_review",
                "Only authors, peer reviewers and compliance officers preview.",
            )
        )
    if version.status not in _PREVIEWABLE:
        blockers.append(
            StateBlocker(
                "not_under_review",
                "Only drafts and versions under review are previewed.",
            )
        )
    blockers += _environment_blockers(version)
    return blockers + _data_source_blockers(version, RunKind.PREVIEW)


def cancel_blockers(user: User, run: Run) -> list[Blocker]:
    """Return why the person may not stop this run."""
    blockers = []
    if run.requested_by_id != user.pk:
        blockers.append(Blocker("not_your_run", "Only the person who ran it stops it."))
    if run.status not in ACTIVE:
        blockers.append(StateBlocker("already_finished", "The run has already ended."))
    return blockers


def result_blockers(user: User, run: Run) -> list[Blocker]:
    """Return why the person may not look at this run's result."""
    if run.requested_by_id != user.pk or not user.is_active:
        return [Blocker("not_your_run", "A result belongs to the person who ran it.")]
    if not run.is_final:
        return [StateBlocker("not_finished", "The run has not ended yet.")]
    if run.stored_result is None:
        return [StateBlocker("no_result", "This run ended before it had a result.")]
    if run.stored_result.expired_at is not None:
        return [StateBlocker("result_expired", "The result has expired; run it again.")]
    return []


def live_blockers(user: User, run: Run) -> list[Blocker]:
    """Return why the person may not watch what this run shows while it runs."""
    if run.requested_by_id != user.pk or not user.is_active:
        return [Blocker("not_your_run", "A result belongs to the person who ran it.")]
    if run.is_final:
        return [StateBlocker("already_finished", "The run has already ended.")]
    return []


def session_blockers(user: User, run: Run) -> list[Blocker]:
    """Return why the person may not open, or stay on, the page of this live session."""
    if run.requested_by_id != user.pk or not user.is_active:
        return [
            Blocker("not_your_run", "A session belongs to the person who started it.")
        ]
    if not run.is_live:
        return [Blocker("not_a_live_session", "This run has no live page.")]
    if run.is_final:
        return [StateBlocker("already_finished", "The session has already ended.")]
    return []


def record_blockers(user: User, run: Run, *, now: datetime) -> list[Blocker]:
    """Return why the person may not read when which controls of a live session were used."""
    is_own = user.is_active and run.requested_by_id == user.pk
    if not is_own and not has_permission(user, Permission.AUDIT_READ):
        return [
            Blocker("not_your_run", "A record is for its person, and for auditors.")
        ]
    if not run.is_live:
        return [Blocker("not_a_live_session", "This run had no controls to be used.")]
    if not run.is_final:
        return [StateBlocker("not_finished", "The session has not ended yet.")]
    if _is_record_erased(run, now=now):
        return [
            StateBlocker(
                "record_expired", "The record has expired, as results do, and is gone."
            )
        ]
    return []


def _is_record_erased(run: Run, *, now: datetime) -> bool:
    """Tell whether the time of a session's record is over, from its first entry on.

    Once it is erased, only the log knows that there was one.
    """
    until = [
        batch.expires_at
        for kept in (run.widget_event_batches, run.page_change_batches)
        if (batch := kept.only("expires_at").order_by("first").first()) is not None
    ]
    if until:
        return min(until) <= now
    return Event.objects.filter(
        action="result.expired",
        target_type=run._meta.label_lower,
        target_id=str(run.pk),
    ).exists()


def replay_blockers(user: User, run: Run, *, now: datetime) -> list[Blocker]:
    """Return why the person may not see the page of a live session again, step by step."""
    blockers = record_blockers(user, run, now=now)
    if blockers:
        return blockers
    if not sees_what_it_showed(user, run):
        message = (
            "What a live page showed is for the person alone whose rights it shows."
        )
        return [Blocker("not_yours_to_see", message)]
    if not run.page_change_batches.exists():
        return [StateBlocker("nothing_to_show", "What the page showed was not kept.")]
    return []


def sees_what_it_showed(user: User, run: Run) -> bool:
    """Tell whether the person may see what was set and shown in a live session.

    What real people's data show is its person's alone.  Those of a preview are invented: an
    auditor sees them who may read the code that showed them.
    """
    if not user.is_active:
        return False
    return run.requested_by_id == user.pk or (
        run.is_preview
        and has_permission(user, Permission.AUDIT_READ)
        and can_read_source(user, run.version)
    )


def stop_reason(run: Run) -> Blocker | None:
    """Return why a run that is under way must stop now, or None.

    Asked by the run's supervisor with every heartbeat, so that a cancellation, a
    revocation, a lost persona, a narrowed audience or a deactivated account ends the
    run at once.
    """
    if run.cancel_requested_at is not None:
        return Blocker("cancelled", "It was cancelled.")
    if not run.requested_by.is_active:
        return Blocker("person_deactivated", "The account was deactivated.")
    if run.is_live and not is_signed_in(run.requested_by, now=timezone.now()):
        return Blocker("signed_out", "Whoever looked at it has signed out.")
    if not run.is_preview:
        if run.version.status not in {Status.APPROVED, Status.SUPERSEDED}:
            return Blocker("approval_ended", "The version's approval has ended.")
        if run.persona not in run.requested_by.personas:
            return Blocker("persona_lost", "The persona was taken away.")
        if not can_launch(run.requested_by, run.notebook):
            return Blocker("audience_narrowed", "The notebook was closed to you.")
    elif run.version.status not in _PREVIEWABLE:
        return Blocker("review_ended", "The version's review has ended.")
    return None


def claim_blockers(run: Run) -> list[Blocker]:
    """Return why a queued run must not start: asked again right before it does."""
    reason = stop_reason(run)
    blockers = [reason] if reason else []
    if not run.is_preview and run.version.status != Status.APPROVED:
        blockers.append(Blocker("not_approved", "The version is no longer approved."))
    elif not run.is_preview:
        blockers += approval_blockers(run.version)
    if run.digest != run.version.digest:
        blockers.append(Blocker("digest_differs", "The version is not what was asked."))
    return blockers


def _environment_blockers(version: Version) -> list[Blocker]:
    """Return why the packages that the version was signed with are not to be had.

    The kernel host asks its own environment once more: this is to say it early.
    """
    if is_installed(
        name=version.environment,
        lock_sha256=version.environment_lock_sha256,
        locks_dir=settings.ENVIRONMENT_LOCKS_DIR,
    ):
        return []
    return [
        StateBlocker(
            "environment_differs",
            f"The packages of {version.environment} have changed since this version was "
            "uploaded. Its author has to upload it again, to be reviewed with the new ones.",
        )
    ]


def _data_source_blockers(version: Version, kind: RunKind) -> list[Blocker]:
    """Return the data sources that their last check found unsafe."""
    checks = DataSourceCheck.objects.filter(source__in=version.data_sources, kind=kind)
    return [
        Blocker(
            "data_source_unsafe",
            f"The data source {check.source} did not pass its safety check. "
            "An operator has to look at it before anything runs.",
        )
        for check in checks.exclude(problems=[])
    ]
