"""How many peers must approve a notebook: compliance chooses among the policies."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.policies import require
from gallery.fetching import notebook_or_404
from reviews.forms import PolicyForm
from reviews.models import NotebookPolicy
from reviews.policies import peers_required, policy_blockers
from reviews.services import assign_policy


def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the notebook's review policy and change it."""
    notebook = notebook_or_404(request.user, slug)
    blockers = policy_blockers(request.user, notebook)
    if request.method == "POST":
        require(blockers)
    chosen = NotebookPolicy.objects.filter(notebook=notebook).first()
    initial = {"policy": chosen.policy_id} if chosen else {}
    form = PolicyForm(request.POST or None, initial=initial)
    if form.is_valid() and form.carry_out(
        lambda: assign_policy(
            notebook=notebook,
            policy=form.cleaned_data["policy"],
            by=request.user,
            now=timezone.now(),
        )
    ):
        messages.success(request, "Saved. It holds for the next review.")
        return redirect(notebook)
    context = {
        "form": form,
        "notebook": notebook,
        "approvals_required": peers_required(notebook),
        "blockers": blockers,
    }
    return render(request, "reviews/policy.html", context, status=form.status)
