"""Addresses of this app below /api/v1/."""

from django.urls import path

from reviews.api import (
    access,
    comments,
    decisions,
    membership,
    notebooks,
    policy,
    queue,
    verifying,
)

_NOTEBOOK = "notebooks/<slug:slug>/"
_VERSION = f"{_NOTEBOOK}versions/<int:number>/"
urlpatterns = [
    path("reviews/", queue.QueueView.as_view(), name="queue"),
    path(
        "people/<str:username>/groups/",
        membership.PersonGroupsView.as_view(),
        name="person-groups",
    ),
    path(
        "audit/verify/", verifying.VerifyEverythingView.as_view(), name="audit-verify"
    ),
    path("notebooks/", notebooks.NotebooksView.as_view(), name="notebooks"),
    path(_NOTEBOOK, notebooks.NotebookView.as_view(), name="notebook"),
    path(f"{_NOTEBOOK}access/", access.AccessView.as_view(), name="access"),
    path(f"{_NOTEBOOK}policy/", policy.PolicyView.as_view(), name="policy"),
    path(f"{_NOTEBOOK}versions/", notebooks.VersionsView.as_view(), name="versions"),
    path(_VERSION, notebooks.VersionView.as_view(), name="version"),
    path(f"{_VERSION}submit/", decisions.SubmitView.as_view(), name="submit"),
    path(f"{_VERSION}withdraw/", decisions.WithdrawView.as_view(), name="withdraw"),
    path(f"{_VERSION}reviews/", decisions.ReviewsView.as_view(), name="reviews"),
    path(f"{_VERSION}sign-offs/", decisions.SignOffsView.as_view(), name="sign-offs"),
    path(f"{_VERSION}revoke/", decisions.RevokeView.as_view(), name="revoke"),
    path(
        f"{_VERSION}signatures/", decisions.SignaturesView.as_view(), name="signatures"
    ),
    path(f"{_VERSION}comments/", comments.CommentsView.as_view(), name="comments"),
    path(
        f"{_VERSION}comments/<int:comment_id>/resolve/",
        comments.ResolveCommentView.as_view(),
        name="resolve-comment",
    ),
]
