"""Addresses of this app below /api/v1/."""

from django.urls import path

from accounts.api import groups, own, people, session

_PERSON = "people/<str:username>/"
urlpatterns = [
    path("session/", session.SessionView.as_view(), name="session"),
    path("personas/", session.PersonasView.as_view(), name="personas"),
    path("password/", own.PasswordView.as_view(), name="password"),
    path("password/choose/", own.ChoosePasswordView.as_view(), name="choose-password"),
    path("sessions/", own.SessionsView.as_view(), name="sessions"),
    path(
        "sessions/<str:fingerprint>/", own.OpenSessionView.as_view(), name="end-session"
    ),
    path("roles/", own.RolesView.as_view(), name="roles"),
    path("people/", people.PeopleView.as_view(), name="people"),
    path(_PERSON, people.PersonView.as_view(), name="person"),
    path(f"{_PERSON}roles/", people.PersonRolesView.as_view(), name="person-roles"),
    path(
        f"{_PERSON}personas/",
        people.PersonPersonasView.as_view(),
        name="person-personas",
    ),
    path(f"{_PERSON}deactivate/", people.DeactivateView.as_view(), name="deactivate"),
    path(f"{_PERSON}reactivate/", people.ReactivateView.as_view(), name="reactivate"),
    path(
        f"{_PERSON}end-sessions/", people.EndSessionsView.as_view(), name="end-sessions"
    ),
    path(
        f"{_PERSON}reset-password/",
        people.ResetPasswordView.as_view(),
        name="reset-password",
    ),
    path("groups/", groups.GroupsView.as_view(), name="groups"),
    path("groups/<int:group_id>/", groups.GroupView.as_view(), name="group"),
]
