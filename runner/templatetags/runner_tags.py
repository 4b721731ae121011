"""Parts of runs that other apps' pages show."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone

from accounts.models import fingerprint
from accounts.personas import Persona
from audit.models import Event
from gallery.access import can_edit
from gallery.models import Notebook, Version
from gallery.presenters import layout_in_words
from runner import queries
from runner.forms import RunForms
from runner.line import Place, places_of
from runner.models import Run, RunKind
from runner.policies import launch_blockers
from runner.presenters import compliance_signature
from runner.results.links import (
    make_link,
    make_live_link,
    make_replay_link,
    make_session_link,
)
from runner.workflow import Queue

register = template.Library()
_SHOWN = 5
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@register.simple_tag(takes_context=True)
def run_facts(
    context: template.Context, notebooks: Iterable[Notebook]
) -> dict[int, queries.RunFacts]:
    """Return, by notebook, the person's last run and this month's number of runs."""
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return queries.run_facts(context["user"], notebooks, since=month)


@register.inclusion_tag("runner/_launch_panel.html", takes_context=True)
def launch_panel(
    context: template.Context, notebook: Notebook, version: Version | None
) -> dict[str, Any]:
    """Offer to run the approved version, or say why that is not possible."""
    request = context["request"]
    blockers = launch_blockers(context["user"], notebook, version)
    forms, signature = None, None
    if version is not None and not blockers:
        forms = RunForms(request, version, kind=RunKind.RUN)
        signature = compliance_signature(version)
    return {
        "request": request,
        "user": context["user"],
        "csrf_token": context.get("csrf_token"),
        "notebook": notebook,
        "version": version,
        "blockers": blockers,
        "forms": forms,
        "signature": signature,
        "personas": context.get("personas", []),
        "active_persona": context.get("active_persona", ""),
    }


@register.inclusion_tag("runner/_runs_of_notebook.html", takes_context=True)
def my_runs_of(context: template.Context, notebook: Notebook) -> dict[str, Any]:
    """List the person's last runs; for authors also where runs failed."""
    user = context["user"]
    failures = queries.failures_of(notebook) if can_edit(user, notebook) else []
    runs = list(queries.runs_of_notebook(user, notebook)[:_SHOWN])
    return {
        "runs": runs,
        "places": places_of(runs),
        "failures": failures[:20],
        "holds_persona": bool(user.personas),
    }


@register.inclusion_tag("runner/_previews.html", takes_context=True)
def previews_of(
    context: template.Context,
    version: Version,
    *,
    plain: bool = False,
    in_place: bool = False,
) -> dict[str, Any]:
    """List who previewed a version as whom, and how that ended.

    `plain` leaves the box around it out; `in_place` opens own results below it.
    """
    previews = list(queries.previews_of(version)[:50])
    tried = {preview.persona for preview in previews}
    return {
        "version": version,
        "user": context["user"],
        "previews": previews,
        "plain": plain,
        "in_place": in_place,
        "untried": [label for value, label in Persona.choices if value not in tried],
    }


@register.inclusion_tag("runner/_state.html")
def run_state(run: Run) -> dict[str, Run]:
    """Draw a run's state as an icon and a word."""
    return {"run": run}


@register.inclusion_tag("runner/_layout_note.html")
def layout_note(run: Run) -> dict[str, Any]:
    """Say to whoever previews a version how its readers see the cells, if not in their order."""
    said = layout_in_words(run.version) if run.is_preview else ""
    return {"version": run.version, "said": said}


@register.inclusion_tag("runner/_place.html")
def place_in_line(run: Run, places: Mapping[UUID, Place]) -> dict[str, Any]:
    """Say which place a waiting run has, in a list whose places were looked up at once."""
    return {"place": places.get(run.pk)}


@register.simple_tag
def live_sessions_among(events: Iterable[Event]) -> set[str]:
    """Return which of the runs that events are about were live sessions, by their ids."""
    asked = {
        each.target_id for each in events if each.target_type == Run._meta.label_lower
    }
    live = Run.objects.filter(pk__in=asked, queue=Queue.INTERACTIVE)
    return {str(pk) for pk in live.values_list("pk", flat=True)}


@register.filter
def ordinal(number: int) -> str:
    """Write 1 as 1st, 2 as 2nd, 11 as 11th."""
    is_teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if is_teen else _ENDINGS.get(number % 10, 'th')}"


@register.inclusion_tag("runner/_result_frame.html", takes_context=True)
def result_frame(context: template.Context, run: Run) -> dict[str, Any]:
    """Frame the result with a new link: good for one look within a minute."""
    now = timezone.now()
    return {"run": run, "address": make_link(run, by=context["user"], now=now)}


@register.inclusion_tag("runner/_replay_frame.html", takes_context=True)
def replay_frame(context: template.Context, run: Run, step: int) -> dict[str, Any]:
    """Frame the page of a live session as it was after a step, with a new link."""
    now = timezone.now()
    address = make_replay_link(run, step, by=context["user"], now=now)
    return {"run": run, "step": step, "address": address}


@register.inclusion_tag("runner/_session_frame.html", takes_context=True)
def session_frame(context: template.Context, run: Run) -> dict[str, Any]:
    """Frame the page of a live session, with a new link that knows this sign-in."""
    request = context["request"]
    address = make_session_link(
        run,
        by=request.user,
        sign_in=fingerprint(request.session.session_key),
        now=timezone.now(),
    )
    return {"run": run, "address": address}


@register.inclusion_tag("runner/_live_frame.html", takes_context=True)
def live_frame(context: template.Context, run: Run) -> dict[str, Any]:
    """Frame what the run shows while it runs, with a new link, likewise."""
    now = timezone.now()
    return {"run": run, "address": make_live_link(run, by=context["user"], now=now)}
