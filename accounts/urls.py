"""Pages about people: signing in, one's own profile, and keeping accounts."""

from django.urls import path

from accounts.views import groups, people, profile, session, sign_in

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sign_in.sign_in_page, name="sign-in"),
    path("session/left/", session.session_left, name="session-left"),
    path("session/stay/", session.stay_signed_in, name="stay-signed-in"),
    path("sign-out/", sign_in.sign_out_action, name="sign-out"),
    path(
        "choose-password/<str:username>/<str:token>/",
        sign_in.choose_password_page,
        name="choose-password",
    ),
    path("persona/", profile.set_persona, name="set-persona"),
    path("profile/", profile.profile_page, name="profile"),
    path("profile/password/", profile.change_password_page, name="change-password"),
    path(
        "profile/sessions/<str:fingerprint>/end/",
        profile.end_session_action,
        name="end-session",
    ),
    path("roles/", profile.roles_page, name="roles"),
    path("people/", people.people_page, name="people"),
    path("new-person/", people.new_person_page, name="new-person"),
    path("people/<str:username>/", people.person_page, name="person"),
    path(
        "people/<str:username>/<slug:change>/",
        people.change_person,
        name="change-person",
    ),
    path("groups/", groups.groups_page, name="groups"),
    path("groups/<int:pk>/delete/", groups.delete_group_action, name="delete-group"),
]
