"""Remarks on a version, and their settling."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from gallery.fetching import readable_version
from gallery.models import Version
from gallery.posting import post_from
from gallery.queries import document
from reviews.forms import CommentForm
from reviews.services import add_comment
from reviews.services import resolve_comment as resolve
from reviews.services.comments import Place


@post_from("reviews:review")
def comment(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Add a remark; one that is refused is shown again with its reason."""
    version = readable_version(request.user, slug, number)
    form = CommentForm(request.POST)
    if form.is_valid():
        place = Place(form.cleaned_data["cell_id"], form.cleaned_data["line"])
        made = form.carry_out(
            lambda: add_comment(
                version=version,
                body=form.cleaned_data["body"],
                place=place,
                by=request.user,
                now=timezone.now(),
            )
        )
        if made is not None:
            return _back(version, made.cell_id)
    context = {"form": form, "version": version, "notebook": version.notebook}
    return render(request, "reviews/comment.html", context, status=form.status)


@post_from("reviews:review", "slug", "number")
def resolve_comment(
    request: HttpRequest, slug: str, number: int, comment_id: int
) -> HttpResponse:
    """Settle a remark."""
    version = readable_version(request.user, slug, number)
    remark = get_object_or_404(version.comments, pk=comment_id)
    resolve(comment=remark, by=request.user, now=timezone.now())
    return _back(version, remark.cell_id)


def _back(version: Version, cell_id: str) -> HttpResponse:
    """Return to the cell that was spoken of."""
    address = reverse("reviews:review", args=[version.notebook.slug, version.number])
    ids = [cell["id"] for cell in document(version)["cells"]]
    place = f"#cell-{ids.index(cell_id)}" if cell_id in ids else "#comments"
    return redirect(f"{address}{place}")
