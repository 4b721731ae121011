"""Operators keep people and groups by script: the same rules as on the pages."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import api_urls
from accounts.models import User
from audit.models import Event
from tests.api import V1, codes, fields, is_problem

JSON = "application/json"
NOT_OPERATORS = ["ada", "ravi", "carol", "iris", "adams", "nora"]
#: Calls of operators: route → method, address, body.
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "people": ("post", "people/", {"username": "zoe"}),
    "person": ("patch", "people/petra/", {"display_name": "P"}),
    "person-roles": ("put", "people/petra/roles/", {"roles": ["operator"]}),
    "person-personas": (
        "put",
        "people/petra/personas/",
        {"personas": [{"persona": "doctor", "department": "oncology"}]},
    ),
    "person-groups": ("put", "people/petra/groups/", {"groups": ["Ward A"]}),
    "deactivate": ("post", "people/petra/deactivate/", {"reason": "left"}),
    "reactivate": ("post", "people/petra/reactivate/", {}),
    "end-sessions": ("post", "people/petra/end-sessions/", {}),
    "reset-password": ("post", "people/petra/reset-password/", {}),
    "groups": ("post", "groups/", {"name": "Ward B"}),
    "group": ("delete", "groups/{group}/", {}),
}
EVERYBODYS = {
    "session",
    "personas",
    "password",
    "choose-password",
    "sessions",
    "end-session",
    "roles",
}
"""For whoever is signed in or wants to be: tested in test_api and test_api_own."""
READS = ["people/", "people/petra/", "groups/"]


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="Ward A")


@pytest.fixture
def operator(sign_in: Any, otto: User) -> Client:
    return sign_in(otto)


def send(client: Client, method: str, address: str, body: Any = None) -> Any:
    call = getattr(client, method)
    if body is None:
        return call(f"{V1}/{address}")
    return call(f"{V1}/{address}", body, content_type=JSON)


def call(client: Client, name: str, group: Group) -> Any:
    method, address, body = CALLS[name]
    return send(client, method, address.format(group=group.pk), body)


def test_every_address_of_this_app_is_in_a_table() -> None:
    here = {p.name for p in api_urls.urlpatterns}
    assert here == (CALLS.keys() - {"person-groups"}) | EVERYBODYS


@pytest.mark.security
@pytest.mark.parametrize("name", CALLS)
def test_the_anonymous_change_nothing(
    client: Client, group: Group, petra: User, name: str
) -> None:
    assert is_problem(call(client, name, group), 401)
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("who", NOT_OPERATORS)
def test_nobody_but_an_operator_keeps_people(
    request: Any, sign_in: Any, group: Group, petra: User, who: str, name: str
) -> None:
    answer = call(sign_in(request.getfixturevalue(who)), name, group)
    assert is_problem(answer, 403)
    assert codes(answer) == ["missing_permission"]
    assert not Event.objects.exists()


@pytest.mark.security
@pytest.mark.parametrize("address", [*READS, "people/nobody/", "groups/9/"])
def test_nobody_but_an_operator_reads_who_is_here(
    sign_in: Any, petra: User, iris: User, address: str
) -> None:
    method = "delete" if address == "groups/9/" else "get"
    assert is_problem(send(sign_in(iris), method, address), 403)


@pytest.mark.security
@pytest.mark.parametrize("name", CALLS)
def test_every_call_wants_the_csrf_token(
    otto: User, group: Group, petra: User, name: str
) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(otto)
    assert is_problem(call(careful, name, group), 403)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "people/nobody/"),
        ("put", "people/nobody/roles/"),
        ("post", "people/nobody/reset-password/"),
        ("delete", "groups/999/"),
    ],
)
def test_what_is_not_there_is_404(operator: Client, method: str, address: str) -> None:
    assert is_problem(send(operator, method, address, {}), 404)


@pytest.mark.security
@pytest.mark.parametrize(
    "name",
    [name for name, (_, address, _) in CALLS.items() if "petra" in address],
)
def test_nobody_keeps_their_own_account(
    operator: Client, otto: User, group: Group, name: str
) -> None:
    method, address, body = CALLS[name]
    answer = send(operator, method, address.replace("petra", "otto"), body)
    assert is_problem(answer, 403)
    assert codes(answer) == ["own_account"]
    assert not Event.objects.exists()
    otto.refresh_from_db()
    assert otto.roles == {"operator"}
    assert otto.has_usable_password()


def test_people_are_listed_and_narrowed(
    operator: Client, helen: User, ravi: User
) -> None:
    User.objects.filter(username="ravi").update(is_active=False)
    listed = send(operator, "get", "people/?page_size=2").json()
    assert listed["count"] == 3
    assert len(listed["results"]) == 2
    assert listed["next"]
    first = listed["results"][0]
    assert first["username"] == "helen"
    assert {row["label"] for row in first["personas"]} == {
        "Head of cardiology",
        "Doctor, cardiology",
    }
    closed = send(operator, "get", "people/?state=closed").json()["results"]
    assert [each["username"] for each in closed] == ["ravi"]
    peers = send(operator, "get", "people/?role=peer_reviewer&q=rav").json()["results"]
    assert [each["roles"] for each in peers] == [["peer_reviewer"]]
    assert is_problem(send(operator, "get", "people/?role=emperor"), 400)


def test_an_account_shows_why_it_may_not_be_changed(
    operator: Client, petra: User, otto: User
) -> None:
    assert send(operator, "get", "people/petra/").json()["blockers"] == []
    own = send(operator, "get", "people/otto/").json()
    assert [blocker["code"] for blocker in own["blockers"]] == ["own_account"]
    assert own["open_sessions"] == 1
    assert "password" not in own


def test_a_new_person_chooses_a_password_with_the_link(
    operator: Client, client: Client
) -> None:
    body = {"username": "zoe", "display_name": "Zoe Z"}
    made = send(operator, "post", "people/", body)
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    told = made.json()
    assert (told["username"], told["printed_name"], told["roles"]) == (
        "zoe",
        "Zoe Z",
        [],
    )
    found = re.fullmatch(
        r"http://testserver/choose-password/zoe/([^/]+)/", told["password_link"]
    )
    assert found
    assert "password_link" not in send(operator, "get", "people/zoe/").json()
    chosen = {
        "username": "zoe",
        "token": found[1],
        "new": "a sentence that only I know",
    }
    assert send(client, "post", "password/choose/", chosen).status_code == 204
    assert User.objects.get(username="zoe").check_password(chosen["new"])
    assert [event.action for event in Event.objects.order_by("seq")] == [
        "person.created",
        "person.password_chosen",
    ]
    kept = "".join(event.payload for event in Event.objects.all())
    assert found[1] not in kept
    assert chosen["new"] not in kept


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "petra"}, "username"),
        ({"username": "Not Good"}, "username"),
        ({"username": "zoe", "display_name": "x" * 151}, "display_name"),
        ({"username": "zoe", "roles": ["operator"]}, "roles"),
    ],
)
def test_a_person_who_cannot_be_made_is_400(
    operator: Client, petra: User, body: dict[str, Any], field: str
) -> None:
    answer = send(operator, "post", "people/", body)
    assert is_problem(answer, 400)
    assert fields(answer) == [field]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("person", "person.renamed"),
        ("person-roles", "person.role_taken"),
        ("person-personas", "person.persona_granted"),
        ("person-groups", "person.joined_group"),
        ("deactivate", "person.deactivated"),
        ("end-sessions", "person.sessions_ended"),
        ("reset-password", "person.password_reset"),
    ],
)
def test_each_change_is_answered_and_recorded(
    operator: Client, petra: User, group: Group, name: str, action: str
) -> None:
    answer = call(operator, name, group)
    assert answer.status_code == 200
    assert answer.json()["username"] == "petra"
    assert action in [event.action for event in Event.objects.all()]


def test_an_account_is_answered_as_the_change_left_it(
    operator: Client, petra: User, group: Group
) -> None:
    for name in ("person", "person-roles", "person-personas", "person-groups"):
        told = call(operator, name, group).json()
    assert told["display_name"] == "P"
    assert told["roles"] == ["operator"]
    assert told["groups"] == ["Ward A"]
    assert [row["label"] for row in told["personas"]] == ["Doctor, oncology"]
    assert call(operator, "deactivate", group).json()["is_active"] is False
    assert is_problem(call(operator, "deactivate", group), 409)
    assert call(operator, "reactivate", group).json()["is_active"] is True
    assert is_problem(call(operator, "reactivate", group), 409)


@pytest.mark.security
def test_a_voided_password_and_its_sessions_are_gone_at_once(
    operator: Client, sign_in: Any, petra: User
) -> None:
    theirs = sign_in(petra)
    told = send(operator, "post", "people/petra/reset-password/", {}).json()
    assert told["open_sessions"] == 0
    assert theirs.get(f"{V1}/session/").json()["authenticated"] is False
    token = told["password_link"].split("/")[-2]
    assert token not in "".join(event.payload for event in Event.objects.all())


@pytest.mark.parametrize(
    ("address", "body", "field"),
    [
        ("roles/", {"roles": ["emperor"]}, "roles.0"),
        ("roles/", {}, "roles"),
        ("roles/", {"roles": "author"}, "roles"),
        ("personas/", {"personas": [{"persona": "emperor"}]}, "personas.0.persona"),
        ("personas/", {"personas": [{"persona": "lab"}] * 2}, "personas"),
        ("groups/", {"groups": ["Nowhere"]}, "groups"),
    ],
)
def test_what_does_not_exist_is_not_given(
    operator: Client, petra: User, address: str, body: dict[str, Any], field: str
) -> None:
    answer = send(operator, "put", f"people/petra/{address}", body)
    assert is_problem(answer, 400)
    assert fields(answer)[0].startswith(field)
    assert not Event.objects.exists()
    assert petra.roles == {"peer_reviewer"}


def test_closing_an_account_takes_a_reason(operator: Client, petra: User) -> None:
    answer = send(operator, "post", "people/petra/deactivate/", {"reason": " "})
    assert is_problem(answer, 400)
    assert fields(answer) == ["reason"]
    petra.refresh_from_db()
    assert petra.is_active


def test_groups_are_made_listed_and_deleted(operator: Client, petra: User) -> None:
    made = send(operator, "post", "groups/", {"name": "Ward B"})
    assert made.status_code == 201
    assert is_problem(send(operator, "post", "groups/", {"name": "Ward B"}), 400)
    send(operator, "put", "people/petra/groups/", {"groups": ["Ward B"]})
    listed = send(operator, "get", "groups/").json()
    assert listed["results"] == [
        {"id": made.json()["id"], "name": "Ward B", "members": 1}
    ]
    deleted = send(operator, "delete", f"groups/{made.json()['id']}/")
    assert deleted.status_code == 204
    assert not Group.objects.exists()
    assert Event.objects.latest("seq").action == "group.deleted"
