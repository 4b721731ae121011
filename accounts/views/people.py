"""Operators keep people: list, search, new accounts, and every change to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts import services
from accounts.forms import (
    NameForm,
    NewPersonForm,
    PeopleFilterForm,
    PersonasForm,
    ReasonForm,
    RolesForm,
)
from accounts.links import password_link
from accounts.models import User
from accounts.permissions import Permission
from accounts.policies import keep_person_blockers, permission_blockers, require
from accounts.queries import people_matching
from accounts.requests import SignedInRequest

PER_PAGE = 50


@dataclass(frozen=True)
class Change:
    """One thing that an operator may do to an account: form, service call, words."""

    form: type[forms.Form]
    act: Callable[[User, Any, User, datetime], object]
    done: str


def _deactivate(person: User, form: Any, by: User, now: datetime) -> None:
    services.deactivate_person(
        person=person, reason=form.cleaned_data["reason"], by=by, now=now
    )


CHANGES: dict[str, Change] = {
    "name": Change(
        NameForm,
        lambda person, form, by, now: services.rename_person(
            person=person, by=by, now=now, **form.cleaned_data
        ),
        "The printed name is changed.",
    ),
    "roles": Change(
        RolesForm,
        lambda person, form, by, now: services.set_roles(
            person=person, by=by, now=now, **form.cleaned_data
        ),
        "The roles are saved.",
    ),
    "personas": Change(
        PersonasForm,
        lambda person, form, by, now: services.set_personas(
            person=person, personas=form.personas(), by=by, now=now
        ),
        "The personas are saved.",
    ),
    "deactivate": Change(
        ReasonForm,
        _deactivate,
        "The account is closed. Its sessions have ended; its runs are being stopped.",
    ),
    "reactivate": Change(
        forms.Form,
        lambda person, form, by, now: services.reactivate_person(
            person=person, by=by, now=now
        ),
        "The account is open again.",
    ),
    "end-sessions": Change(
        forms.Form,
        lambda person, form, by, now: services.end_sessions(
            person=person, by=by, now=now
        ),
        "All sessions of this person have ended.",
    ),
}


@require_GET
def people_page(request: SignedInRequest) -> HttpResponse:
    """Everybody, by name, role and state."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    form = PeopleFilterForm(request.GET)
    form.is_valid()
    chosen = form.cleaned_data
    people = people_matching(
        text=chosen.get("q", ""),
        role=chosen.get("role", ""),
        state=chosen.get("state", ""),
    )
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/people.html", {"form": form, "page": page})


@require_http_methods(["GET", "POST"])
def new_person_page(request: SignedInRequest) -> HttpResponse:
    """Make an account, and show the link with which its owner chooses a password."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = services.create_person(
                by=request.user, now=timezone.now(), **form.cleaned_data
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            token = services.password_link_token(person)
            return _person_page(
                request, person, link=password_link(request, person, token)
            )
    return render(request, "accounts/new_person.html", {"form": form})


@require_GET
def person_page(request: SignedInRequest, username: str) -> HttpResponse:
    """One account and everything that an operator may do to it."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    return _person_page(request, get_object_or_404(User, username=username))


@require_POST
def change_person(request: SignedInRequest, username: str, change: str) -> HttpResponse:
    """Make one change to one account."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    person = get_object_or_404(User, username=username)
    now = timezone.now()
    if change == "reset-password":
        token = services.reset_password(person=person, by=request.user, now=now)
        return _person_page(request, person, link=password_link(request, person, token))
    if change not in CHANGES:
        raise Http404
    form = CHANGES[change].form(request.POST)
    if not form.is_valid():
        return _person_page(request, person, **{f"{change}_form": form})
    CHANGES[change].act(person, form, request.user, now)
    messages.success(request, CHANGES[change].done)
    return redirect("accounts:person", username=person.username)


def _person_page(request: SignedInRequest, person: User, **more: Any) -> HttpResponse:
    context = {
        "person": person,
        "blockers": keep_person_blockers(request.user, person),
        "name_form": NameForm(initial={"display_name": person.display_name}),
        "roles_form": RolesForm(initial={"roles": sorted(person.roles)}),
        "personas_form": PersonasForm(initial=PersonasForm.initial_of(person)),
        "groups": person.groups.order_by("name"),
        "deactivate_form": ReasonForm(),
        "open_sessions": person.sessions.filter(expire_date__gt=timezone.now()).count(),
    }
    return render(request, "accounts/person.html", {**context, **more})
