"""Operators keep groups: sets of people that a notebook may be shared with."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import GroupForm
from accounts.permissions import Permission
from accounts.policies import permission_blockers, require
from accounts.queries import groups_with_members
from accounts.requests import SignedInRequest
from accounts.services import create_group, delete_group


@require_http_methods(["GET", "POST"])
def groups_page(request: SignedInRequest) -> HttpResponse:
    """All groups with their size, and a form for a new one."""
    require(permission_blockers(request.user, Permission.PEOPLE_MANAGE))
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            create_group(by=request.user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error("name", refusal.messages)
        else:
            messages.success(request, "The group is made. Add people on their pages.")
            return redirect("accounts:groups")
    context = {"form": form, "groups": groups_with_members()}
    return render(request, "accounts/groups.html", context)


@require_POST
def delete_group_action(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a group; its members lose what they had through it alone."""
    group = get_object_or_404(Group, pk=pk)
    delete_group(group=group, by=request.user, now=timezone.now())
    messages.success(request, f"The group {group.name} is deleted.")
    return redirect("accounts:groups")
