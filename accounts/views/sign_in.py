"""Sign in, sign out, choose a first password: the only pages without a session."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ChoosePasswordForm, SignInForm
from accounts.models import User
from accounts.policies import BadInput
from accounts.returning import NEXT, safe_path
from accounts.services import (
    TooManyAttempts,
    WrongPassword,
    choose_password,
    sign_in,
    sign_out,
)

ENDED = {
    "idle": "You were signed out because nothing happened for a while. Sign in to go "
    "on where you were.",
    "absolute": "Your session had lasted as long as a session may. Sign in to go on "
    "where you were.",
}


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@csrf_protect
@require_http_methods(["GET", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; then lead back to where the person was."""
    back_to = safe_path(request, request.POST.get(NEXT, request.GET.get(NEXT, "")))
    if request.user.is_authenticated:
        return redirect(back_to or settings.LOGIN_REDIRECT_URL)
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        status = _try(request, form)
        if status == 302:
            return redirect(back_to or resolve_url(settings.LOGIN_REDIRECT_URL))
    context = {
        "form": form,
        "next": back_to,
        "ended": ENDED.get(request.GET.get("ended", "")),
    }
    return render(request, "accounts/sign_in.html", context, status=status)


def _try(request: HttpRequest, form: SignInForm) -> int:
    """Sign in with what the form holds; returns the status to answer with."""
    try:
        sign_in(request, now=timezone.now(), **form.cleaned_data)
    except WrongPassword:
        form.add_error(None, "The user name or the password is not right.")
        return 200
    except TooManyAttempts:
        form.add_error(
            None, "Too many wrong passwords. Wait 15 minutes, then try again."
        )
        return 429
    return 302


@login_not_required
@require_POST
def sign_out_action(request: HttpRequest) -> HttpResponse:
    """End the session."""
    sign_out(request, now=timezone.now())
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_not_required
@never_cache
@sensitive_post_parameters("new", "again")
@csrf_protect
@require_http_methods(["GET", "POST"])
def choose_password_page(
    request: HttpRequest, username: str, token: str
) -> HttpResponse:
    """Choose a password with the link that an operator handed over."""
    person = get_object_or_404(User, username=username)
    form = ChoosePasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            choose_password(
                person=person,
                token=token,
                new=form.cleaned_data["new"],
                now=timezone.now(),
            )
        except BadInput as refusal:
            form.add_error("new", [error.message for error in refusal.errors])
        else:
            return redirect("accounts:sign-in")
    return render(
        request, "accounts/choose_password.html", {"form": form, "person": person}
    )
