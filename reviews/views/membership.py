"""Which groups a person is in, and what joining one opens to them."""

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Permission
from accounts.policies import keep_person_blockers, permission_blockers, require
from reviews.forms import MembershipForm
from reviews.membership import opened_by
from reviews.services import change_groups


def membership(request: HttpRequest, username: str) -> HttpResponse:
    """Show the groups with the approved notebooks that each opens, and save them."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    person = get_object_or_404(User, username=username)
    held = set(person.groups.values_list("pk", flat=True))
    form = MembershipForm(request.POST or None, initial={"groups": sorted(held)})
    if form.is_valid() and form.carry_out(lambda: _save(request, person, form)):
        messages.success(request, "The groups are saved.")
        return redirect("accounts:person", username)
    groups = list(Group.objects.order_by("name"))
    opened = opened_by(groups)
    chosen = {str(each) for each in form["groups"].value() or []}
    context = {
        "person": person,
        "form": form,
        "blockers": keep_person_blockers(request.user, person),
        "rows": [
            (group, str(group.pk) in chosen, opened.get(group.name, []))
            for group in groups
        ],
    }
    return render(request, "reviews/membership.html", context, status=form.status)


def _save(request: HttpRequest, person: User, form: MembershipForm) -> bool:
    change_groups(
        person=person, by=request.user, now=timezone.now(), **form.cleaned_data
    )
    return True
