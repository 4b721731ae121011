"""Addresses of the review."""

from django.urls import path

from reviews import views

app_name = "reviews"
_VERSION = "notebooks/<slug:slug>/versions/<int:number>/"
urlpatterns = [
    path("reviews/", views.queue, name="queue"),
    path("groups/people/<str:username>/", views.membership, name="membership"),
    path("notebooks/<slug:slug>/policy/", views.policy, name="policy"),
    path("notebooks/<slug:slug>/access/", views.access, name="access"),
    path(f"{_VERSION}review/", views.review, name="review"),
    path(f"{_VERSION}sign-off/", views.sign_off, name="sign-off"),
    path(f"{_VERSION}submit/", views.submit, name="submit"),
    path(f"{_VERSION}withdraw/", views.withdraw, name="withdraw"),
    path(f"{_VERSION}revoke/", views.revoke, name="revoke"),
    path(f"{_VERSION}comments/", views.comment, name="comment"),
    path(
        f"{_VERSION}comments/<int:comment_id>/resolve/",
        views.resolve_comment,
        name="resolve-comment",
    ),
]
