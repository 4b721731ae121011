"""One's own account: personas, roles in words, sessions, password."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.forms import ChangePasswordForm
from accounts.permissions import Permission
from accounts.personas import DEFAULT_PURPOSE, Persona, PersonaNotHeld
from accounts.policies import BadInput
from accounts.queries import open_sessions
from accounts.requests import SignedInRequest
from accounts.returning import NEXT, safe_path
from accounts.roles import ROLES, Role
from accounts.services import (
    WrongPassword,
    act_as,
    change_password,
    end_session,
)


@require_GET
def profile_page(request: SignedInRequest) -> HttpResponse:
    """Who I am here, what I may do, and where I am signed in."""
    person = request.user
    context = {
        "roles": [ROLES[Role(role)] for role in sorted(person.roles)],
        "purposes": {
            persona: DEFAULT_PURPOSE[Persona(persona)] for persona in person.personas
        },
        "sessions": open_sessions(person, now=timezone.now()),
        "this_session_key": request.session.session_key,
        "idle_minutes": settings.SESSION_IDLE_S // 60,
    }
    return render(request, "accounts/profile.html", context)


@require_POST
def set_persona(request: SignedInRequest) -> HttpResponse:
    """Act as another persona in this session, and go back to the page."""
    try:
        act_as(request, persona=request.POST.get("persona", ""), now=timezone.now())
    except PersonaNotHeld:
        messages.error(request, "You do not hold this persona; nothing was changed.")
    back_to = safe_path(request, request.POST.get(NEXT, ""))
    return redirect(back_to or resolve_url(settings.LOGIN_REDIRECT_URL))


@sensitive_post_parameters("old", "new", "again")
@require_http_methods(["GET", "POST"])
def change_password_page(request: SignedInRequest) -> HttpResponse:
    """Change my password, which ends my other sessions."""
    form = ChangePasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            change_password(
                person=request.user,
                old=form.cleaned_data["old"],
                new=form.cleaned_data["new"],
                request=request,
                now=timezone.now(),
            )
        except WrongPassword:
            form.add_error("old", "The present password is not right.")
        except BadInput as refusal:
            form.add_error("new", [error.message for error in refusal.errors])
        else:
            messages.success(
                request, "Your password is changed. Your other sessions have ended."
            )
            return redirect("accounts:profile")
    return render(request, "accounts/change_password.html", {"form": form})


@require_POST
def end_session_action(request: SignedInRequest, fingerprint: str) -> HttpResponse:
    """End one of my other sessions."""
    now = timezone.now()
    for session in open_sessions(request.user, now=now):
        if session.fingerprint == fingerprint:
            end_session(session=session, by=request.user, now=now)
            messages.success(request, "That session has ended.")
            return redirect("accounts:profile")
    raise Http404


@require_GET
def roles_page(request: SignedInRequest) -> HttpResponse:
    """Who may do what: the roles and permissions, as the code knows them."""
    table = [
        (permission, [permission in role.permissions for role in ROLES.values()])
        for permission in Permission
    ]
    return render(
        request, "accounts/roles.html", {"roles": ROLES.values(), "table": table}
    )
