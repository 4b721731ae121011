"""Submit, withdraw, revoke."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from gallery.access import visible_to
from gallery.fetching import readable_version, version_or_404
from gallery.posting import post_from
from reviews import services
from reviews.forms import RevokeForm
from reviews.policies import revoke_blockers
from reviews.signing import confirm


@post_from("gallery:version")
def submit(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Hand a draft to the peers."""
    version = readable_version(request.user, slug, number)
    services.submit(version=version, by=request.user, now=timezone.now())
    messages.success(request, "Submitted. The peer reviewers see it in their queue.")
    return redirect("gallery:version", slug, number)


@post_from("gallery:version")
def withdraw(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take a version back from review."""
    version = readable_version(request.user, slug, number)
    services.withdraw(version=version, by=request.user, now=timezone.now())
    messages.success(request, "Withdrawn. Upload a new version when you are ready.")
    return redirect("gallery:version", slug, number)


def revoke(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take an approval away, with a signed reason; the code need not be open to them."""
    version = version_or_404(request.user, slug, number)
    form = RevokeForm(request.POST or None)
    now = timezone.now()
    if form.is_valid() and form.carry_out(
        lambda: services.revoke(
            version=version,
            reason=form.cleaned_data["reason"],
            by=request.user,
            confirmation=confirm(
                person=request.user,
                password=form.cleaned_data["password"],
                now=now,
                request=request,
            ),
            now=now,
        )
    ):
        messages.success(request, "Revoked. Runs of it are being stopped.")
        still_there = visible_to(request.user).filter(pk=version.notebook_id).exists()
        return redirect(version.notebook if still_there else "gallery:catalog")
    context = {
        "form": form,
        "version": version,
        "notebook": version.notebook,
        "blockers": revoke_blockers(request.user, version),
    }
    return render(request, "reviews/revoke.html", context, status=form.status)
