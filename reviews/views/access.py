"""Who may launch, read, review and edit a notebook."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.policies import BadInput, FieldError
from gallery.fetching import notebook_or_404
from gallery.models import Notebook
from gallery.queries import approved_version
from reviews.forms import AccessForm
from reviews.membership import audience_signature, came_in_since
from reviews.policies import access_blockers
from reviews.services import change_access
from reviews.services.access import present_audiences
from reviews.signing import NotConfirmed, confirm


def access(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who may do what, and change it."""
    notebook = notebook_or_404(request.user, slug)
    present = present_audiences(notebook)
    maker = notebook.created_by
    form = AccessForm(
        request.POST or None, maker=maker, initial=AccessForm.initial_of(present)
    )
    if form.is_valid() and form.carry_out(lambda: _change(request, notebook, form)):
        messages.success(request, "Saved. It holds from the next launch on.")
        return redirect("reviews:access", slug)
    approved = approved_version(notebook)
    signature = audience_signature(approved) if approved else None
    context = {
        "form": form,
        "notebook": notebook,
        "present": present,
        "maker": maker,
        "approved": approved,
        "signature": signature,
        "came_in": came_in_since(signature, notebook) if signature else [],
        "blockers": access_blockers(request.user, notebook, widens_approved=False),
    }
    return render(request, "reviews/access.html", context, status=form.status)


def _change(request: HttpRequest, notebook: Notebook, form: AccessForm) -> Notebook:
    now = timezone.now()
    password = form.cleaned_data["password"]
    confirmation = None
    if password:
        confirmation = confirm(
            person=request.user, password=password, now=now, request=request
        )
    try:
        return change_access(
            notebook=notebook,
            audiences=form.audiences(),
            by=request.user,
            confirmation=confirmation,
            now=now,
        )
    except NotConfirmed as missing:
        words = (
            "This opens an approved notebook to more people: sign with your password."
        )
        raise BadInput([FieldError("password", "required", words)]) from missing
