"""Every page and action about people, for everybody; and an operator's work there."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver

from accounts.models import User
from accounts.roles import ROLES
from accounts.urls import urlpatterns
from audit.models import Event

CAST = ["ada", "ravi", "carol", "otto", "iris", "adams", "nora"]
SIGNED_IN = set(CAST)
OPERATOR = {"otto"}

# Address → (method, who may; the anonymous are led to sign in, the others get 403).
PAGES: dict[str, tuple[str, str, set[str]]] = {
    "profile": ("get", "/profile/", SIGNED_IN),
    "change-password": ("get", "/profile/password/", SIGNED_IN),
    "stay-signed-in": ("post", "/session/stay/", SIGNED_IN),
    "set-persona": ("post", "/persona/", SIGNED_IN),
    "roles": ("get", "/roles/", SIGNED_IN),
    "people": ("get", "/people/", OPERATOR),
    "new-person": ("get", "/new-person/", OPERATOR),
    "person": ("get", "/people/petra/", OPERATOR),
    "change-person": ("post", "/people/petra/end-sessions/", OPERATOR),
    "groups": ("get", "/groups/", OPERATOR),
    "delete-group": ("post", "/groups/{group}/delete/", OPERATOR),
}
ELSEWHERE = {"sign-in", "sign-out", "choose-password", "end-session", "session-left"}
"""Tested with sessions and sign-in: open to all, or about one's own session only."""


def call(client: Client, name: str, group: Group):
    method, address, _ = PAGES[name]
    return getattr(client, method)(address.format(group=group.pk))


@pytest.fixture
def group(db) -> Group:
    return Group.objects.create(name="Ward A")


def test_every_address_of_this_app_is_in_the_table():
    assert {p.name for p in urlpatterns} == PAGES.keys() | ELSEWHERE
    assert get_resolver("accounts.urls")


@pytest.mark.security
@pytest.mark.parametrize("name", PAGES)
def test_the_anonymous_are_led_to_sign_in(client, group, petra, name):
    answer = call(client, name, group)
    assert answer.status_code == 302
    assert answer.url.startswith("/sign-in/")
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", CAST)
def test_each_page_opens_for_its_people_only(request, sign_in, group, petra, who, name):
    client = sign_in(request.getfixturevalue(who))
    answer = call(client, name, group)
    if who in PAGES[name][2]:
        assert answer.status_code in {200, 302}
        assert not answer.headers.get("Location", "").startswith("/sign-in/")
    else:
        assert answer.status_code == 403
        assert b"Only operators keep people, roles and personas." in answer.content
        assert not Event.objects.exists()


@pytest.mark.parametrize("address", ["/sign-in/", "/choose-password/petra/x/"])
def test_pages_without_a_session_open_for_all(client, petra, address):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/people/nobody/", 404),
        ("post", "/people/nobody/roles/", 404),
        ("post", "/people/petra/promote/", 404),
        ("get", "/people/petra/roles/", 405),
        ("post", "/people/", 405),
        ("get", "/persona/", 405),
        ("get", "/groups/1/delete/", 405),
        ("post", "/groups/999/delete/", 404),
        ("get", "/choose-password/nobody/x/", 404),
    ],
)
def test_what_is_not_there_is_404_and_the_wrong_method_405(
    sign_in, otto, petra, method, address, status
):
    assert getattr(sign_in(otto), method)(address).status_code == status


@pytest.mark.security
@pytest.mark.parametrize(
    "address",
    ["/people/petra/roles/", "/persona/", "/sign-out/", "/new-person/", "/groups/"],
)
def test_every_change_wants_the_csrf_token(otto, petra, address):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(otto)
    assert careful.post(address).status_code == 403


class TestAnOperator:
    """Works through the pages."""

    @pytest.fixture
    def browser(self, sign_in, otto) -> Client:
        return sign_in(otto)

    def test_sees_everybody_with_roles_and_personas(self, browser, helen, ravi):
        content = browser.get("/people/").content.decode()
        assert "Head of cardiology" in content
        assert "Peer reviewer" in content

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=hel", ["helen"]),
            ("role=operator", ["otto"]),
            ("state=closed", ["ravi"]),
            ("state=active&q=hel", ["helen"]),
            ("role=emperor", ["helen", "otto", "ravi"]),
            ("q=nobody-at-all", []),
        ],
    )
    def test_narrows_the_list(self, browser, helen, ravi, query, found):
        User.objects.filter(username="ravi").update(is_active=False)
        content = browser.get(f"/people/?{query}").content.decode()
        listed = re.findall(r'href="/people/(\w+)/"', content)
        assert listed == found
        assert ("Nobody matches" in content) is (not found)

    def test_makes_a_person_and_gets_a_link_once(self, browser, client):
        answer = browser.post(
            "/new-person/", {"username": "zoe", "display_name": "Zoe Z"}
        )
        link = re.search(
            r"http://testserver(/choose-password/zoe/[^\"]+)", answer.content.decode()
        )
        assert client.get(link.group(1)).status_code == 200
        assert b"choose-password" not in browser.get("/people/zoe/").content

    def test_is_told_when_a_name_is_taken(self, browser, petra):
        answer = browser.post("/new-person/", {"username": "petra"})
        assert b"Somebody already has this user name." in answer.content
        answer = browser.post("/new-person/", {"username": "Not Good"})
        assert b"Use lower-case letters" in answer.content
        assert b'value="Not Good"' in answer.content

    @pytest.mark.parametrize(
        ("change", "form", "action"),
        [
            ("name", {"display_name": "Petra P"}, "person.renamed"),
            ("roles", {"roles": ["author"]}, "person.role_taken"),
            (
                "personas",
                {"doctor": "on", "doctor_department": " oncology "},
                "person.persona_granted",
            ),
            ("deactivate", {"reason": "left"}, "person.deactivated"),
            ("end-sessions", {}, "person.sessions_ended"),
        ],
    )
    def test_changes_an_account(self, browser, petra, change, form, action):
        answer = browser.post(f"/people/petra/{change}/", form, follow=True)
        assert answer.redirect_chain == [("/people/petra/", 302)]
        assert b"notice-good" in answer.content
        actions = [event.action for event in Event.objects.all()]
        assert action in actions
        if change == "personas":
            assert petra.persona_assignments.get().department == "oncology"

    def test_opens_an_account_again(self, browser, petra):
        browser.post("/people/petra/deactivate/", {"reason": "left"})
        browser.post("/people/petra/reactivate/")
        assert User.objects.get(username="petra").is_active

    def test_must_give_a_reason_to_close_an_account(self, browser, petra):
        answer = browser.post("/people/petra/deactivate/", {"reason": ""})
        assert answer.status_code == 200
        assert b"This field is required" in answer.content
        assert User.objects.get(username="petra").is_active

    def test_is_told_when_the_account_was_closed_meanwhile(self, browser, petra):
        User.objects.filter(username="petra").update(is_active=False)
        answer = browser.post("/people/petra/deactivate/", {"reason": "left"})
        assert answer.status_code == 409

    @pytest.mark.parametrize(
        "form", [{"roles": ["emperor"]}, {"roles": ["author", "x"]}]
    )
    def test_cannot_give_a_role_that_does_not_exist(self, browser, petra, form):
        answer = browser.post("/people/petra/roles/", form)
        assert answer.status_code == 200
        assert petra.roles == {"peer_reviewer"}

    def test_voids_a_password_and_gets_a_link(self, browser, petra):
        answer = browser.post("/people/petra/reset-password/")
        assert b"/choose-password/petra/" in answer.content

    @pytest.mark.security
    def test_sees_why_their_own_account_is_not_theirs_to_keep(self, browser, otto):
        content = browser.get("/people/otto/").content
        assert b"Nobody keeps their own account" in content
        assert b"<fieldset disabled>" in content
        answer = browser.post("/people/otto/roles/", {"roles": ["compliance_officer"]})
        assert answer.status_code == 403
        assert b"Nobody keeps their own account" in answer.content
        assert otto.roles == {"operator"}

    def test_keeps_groups(self, browser, group):
        answer = browser.post("/groups/", {"name": "Ward B"}, follow=True)
        assert b"Ward B" in answer.content
        assert b"already exists" in browser.post("/groups/", {"name": "Ward B"}).content
        browser.post(f"/groups/{group.pk}/delete/")
        assert [g.name for g in Group.objects.all()] == ["Ward B"]


def test_the_table_of_roles_is_that_of_the_code(sign_in, nora):
    content = unescape(sign_in(nora).get("/roles/").content.decode())
    for role in ROLES.values():
        assert role.name in content
        for permission in role.permissions:
            assert permission.words in content
    ticks = sum(len(role.permissions) for role in ROLES.values())
    assert content.count('aria-label="Yes"') == ticks


def test_a_profile_says_roles_and_personas_in_words(sign_in, helen, nora, ravi):
    content = sign_in(helen).get("/profile/").content.decode()
    assert "Head of cardiology" in content
    assert "Reads data for operations" in content
    assert "Act as Doctor, cardiology" in content
    content = sign_in(nora).get("/profile/").content.decode()
    assert "You hold no persona" in content
    assert "You hold no role" in content
    content = unescape(sign_in(ravi).get("/profile/").content.decode())
    assert ROLES["peer_reviewer"].description in content


@pytest.mark.security
def test_names_are_escaped_everywhere(sign_in, otto):
    evil = '<script>alert("x")</script>'
    User.objects.create(username="zoe", display_name=evil)
    client = sign_in(otto)
    for address in ("/people/", "/people/zoe/"):
        assert evil not in client.get(address).content.decode()
