"""What waits for the person, and what else is under review."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.access import source_readable_by
from gallery.models import Notebook
from reviews.queries import drafts_of, under_review, waiting_for


def queue(request: HttpRequest) -> HttpResponse:
    """Show what the person could decide now, their own versions, and the rest."""
    waiting = list(waiting_for(request.user).defer("document"))
    readable = Notebook.objects.filter(source_readable_by(request.user)).values("pk")
    others = under_review().filter(notebook__in=readable).defer("document")
    context = {
        "waiting_versions": waiting,
        "drafts": drafts_of(request.user).defer("document")[:50],
        "others": others.exclude(pk__in=[version.pk for version in waiting]),
    }
    return render(request, "reviews/queue.html", context)
