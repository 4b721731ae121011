"""Operators keep accounts: every change is an event, nobody keeps their own."""

from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection

from accounts import services
from accounts.models import Session, User
from accounts.policies import BadInput, NotAllowed
from audit.models import Event
from audit.transitions import StaleState
from config.demo.people import PASSWORD
from tests.accounts.conftest import NOW


def recorded() -> list[tuple[str, str, dict]]:
    return [(e.action, e.target_label, e.data) for e in Event.objects.all()]


@pytest.fixture
def ward(db) -> Group:
    return Group.objects.create(name="Ward A")


def test_a_new_person_has_no_password_and_no_rights(otto):
    person = services.create_person(
        username="zoe", display_name="Zoe Z", by=otto, now=NOW
    )
    assert not person.has_usable_password()
    assert (person.roles, person.personas) == (set(), [])
    assert recorded() == [("person.created", "zoe", {"printed_name": "Zoe Z"})]


@pytest.mark.parametrize(
    "name", ["", "Zoe", "zoe z", "zöe", "-zoe", "x" * 64, "zoe\n", "../zoe", "ada"]
)
def test_a_user_name_is_plain_and_nobody_elses(otto, ada, name):
    with pytest.raises(ValidationError):
        services.create_person(username=name, by=otto, now=NOW)
    assert recorded() == []


def test_roles_come_and_go_each_with_its_event(otto, ada):
    services.set_roles(person=ada, roles={"peer_reviewer", "auditor"}, by=otto, now=NOW)
    assert User.objects.get(username="ada").roles == {"peer_reviewer", "auditor"}
    assert recorded() == [
        ("person.role_granted", "ada", {"role": "auditor"}),
        ("person.role_granted", "ada", {"role": "peer_reviewer"}),
        ("person.role_taken", "ada", {"role": "author"}),
    ]


def test_saving_the_same_roles_records_nothing(otto, ada):
    services.set_roles(person=ada, roles=["author"], by=otto, now=NOW)
    assert recorded() == []


def test_personas_come_go_and_move_department(otto, helen):
    services.set_personas(
        person=helen,
        personas={"doctor": "oncology", "lab": ""},
        by=otto,
        now=NOW,
    )
    assert dict(helen.persona_assignments.values_list("persona", "department")) == {
        "doctor": "oncology",
        "lab": "",
    }
    assert recorded() == [
        (
            "person.persona_moved",
            "helen",
            {"persona": "doctor", "department": "oncology", "was": "cardiology"},
        ),
        (
            "person.persona_granted",
            "helen",
            {"persona": "lab", "department": "", "was": None},
        ),
        ("person.persona_taken", "helen", {"persona": "department_head"}),
    ]


def test_groups_are_joined_and_left(otto, ada, ward):
    services.set_groups(person=ada, groups=[ward], by=otto, now=NOW)
    services.set_groups(person=ada, groups=[], by=otto, now=NOW)
    assert recorded() == [
        ("person.joined_group", "ada", {"group": "Ward A"}),
        ("person.left_group", "ada", {"group": "Ward A"}),
    ]


def test_groups_are_made_and_deleted(otto, ada):
    group = services.create_group(name="Ward B", by=otto, now=NOW)
    ada.groups.add(group)
    services.delete_group(group=group, by=otto, now=NOW)
    assert not Group.objects.exists()
    assert recorded() == [
        ("group.created", "Ward B", {}),
        ("group.deleted", "Ward B", {"members": 1}),
    ]


def test_a_group_name_is_used_once(otto, ward):
    with pytest.raises(ValidationError):
        services.create_group(name="Ward A", by=otto, now=NOW)


def test_a_person_is_renamed_for_later_signatures(otto, ada):
    was = ada.display_name
    services.rename_person(person=ada, display_name="Ada B", by=otto, now=NOW)
    assert User.objects.get(username="ada").printed_name == "Ada B"
    assert recorded() == [("person.renamed", "ada", {"to": "Ada B", "was": was})]
    services.rename_person(person=ada, display_name="Ada B", by=otto, now=NOW)
    assert len(recorded()) == 1


def test_closing_and_opening_an_account(otto, ada):
    services.deactivate_person(person=ada, reason="left", by=otto, now=NOW)
    assert not ada.is_active
    services.reactivate_person(person=ada, by=otto, now=NOW)
    assert ada.is_active
    assert ada.roles == {"author"}
    assert recorded() == [
        ("person.deactivated", "ada", {"reason": "left", "sessions_ended": 0}),
        ("person.reactivated", "ada", {}),
    ]


def test_closing_twice_or_opening_what_is_open_is_stale(otto, ada):
    with pytest.raises(StaleState):
        services.reactivate_person(person=ada, by=otto, now=NOW)
    services.deactivate_person(person=ada, reason="left", by=otto, now=NOW)
    with pytest.raises(StaleState):
        services.deactivate_person(person=ada, reason="left", by=otto, now=NOW)


def test_of_two_operators_closing_at_once_one_is_told(committed_db, ada, otto):
    together = Barrier(2)
    outcomes = []

    def close():
        mine = User.objects.get(username="ada")
        together.wait(5)
        try:
            services.deactivate_person(person=mine, reason="left", by=otto, now=NOW)
            outcomes.append("closed")
        except StaleState:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [Thread(target=close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed", "stale"]
    assert Event.objects.count() == 1


def test_voiding_a_password_ends_sessions_and_gives_a_link(otto, ada, sign_in, client):
    sign_in(ada)
    token = services.reset_password(person=ada, by=otto, now=NOW)
    assert not Session.objects.filter(person=ada).exists()
    ada.refresh_from_db()
    assert not ada.has_usable_password()
    address = f"/choose-password/ada/{token}/"
    assert client.get(address).status_code == 200
    new = "a sentence of my own"
    answer = client.post(address, {"new": new, "again": new})
    assert answer.url == "/sign-in/"
    ada.refresh_from_db()
    assert ada.check_password(new)
    assert Event.objects.latest("seq").action == "person.password_chosen"
    assert new not in Event.objects.latest("seq").payload


@pytest.mark.security
def test_a_link_works_once(otto, ada, client):
    address = (
        f"/choose-password/ada/{services.reset_password(person=ada, by=otto, now=NOW)}/"
    )
    new = "a sentence of my own"
    client.post(address, {"new": new, "again": new})
    answer = client.post(
        address, {"new": "another sentence", "again": "another sentence"}
    )
    assert answer.status_code == 403
    assert b"Ask an operator for a new one" in answer.content
    ada.refresh_from_db()
    assert ada.check_password(new)


@pytest.mark.security
def test_a_newer_link_voids_the_older(otto, ada):
    older = services.reset_password(person=ada, by=otto, now=NOW)
    newer = services.reset_password(person=ada, by=otto, now=NOW)
    with pytest.raises(NotAllowed):
        services.choose_password(person=ada, token=older, new="x y z 1 2 3 4", now=NOW)
    services.choose_password(person=ada, token=newer, new="x y z 1 2 3 4", now=NOW)


@pytest.mark.security
def test_a_link_of_somebody_else_or_of_a_closed_account_is_refused(otto, ada, petra):
    token = services.reset_password(person=ada, by=otto, now=NOW)
    with pytest.raises(NotAllowed):
        services.choose_password(
            person=petra, token=token, new="x y z 1 2 3 4", now=NOW
        )
    services.deactivate_person(person=ada, reason="left", by=otto, now=NOW)
    with pytest.raises(NotAllowed):
        services.choose_password(person=ada, token=token, new="x y z 1 2 3 4", now=NOW)


@pytest.mark.parametrize("new", ["short", "password1234", "ada", ""])
def test_a_weak_password_is_refused_with_a_reason(otto, ada, client, new):
    token = services.reset_password(person=ada, by=otto, now=NOW)
    answer = client.post(f"/choose-password/ada/{token}/", {"new": new, "again": new})
    assert answer.status_code == 200
    ada.refresh_from_db()
    assert not ada.has_usable_password()
    with pytest.raises(BadInput):
        services.choose_password(person=ada, token=token, new=new, now=NOW)


def test_two_different_entries_are_refused(otto, ada, client):
    token = services.reset_password(person=ada, by=otto, now=NOW)
    answer = client.post(
        f"/choose-password/ada/{token}/", {"new": "a long enough one", "again": "other"}
    )
    assert b"The two passwords differ" in answer.content


def test_changing_ones_password_ends_the_other_sessions_only(sign_in, ada):
    here, there = sign_in(ada), sign_in(ada)
    new = "a sentence of my own"
    answer = here.post(
        "/profile/password/", {"old": PASSWORD, "new": new, "again": new}
    )
    assert answer.url == "/profile/"
    assert here.get("/profile/").status_code == 200
    assert there.get("/profile/").status_code == 302
    assert Session.objects.filter(person=ada).count() == 1
    assert "person.password_changed" in [action for action, *_ in recorded()]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("wrong", "a sentence of my own", b"The present password is not right"),
        (PASSWORD, "short", b"too short"),
    ],
)
def test_a_refused_change_of_password_changes_nothing(sign_in, ada, old, new, says):
    client = sign_in(ada)
    answer = client.post("/profile/password/", {"old": old, "new": new, "again": new})
    assert says in answer.content
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


CHANGES = {
    "create_person": {"username": "zoe"},
    "create_group": {"name": "Ward B"},
    "rename_person": {"display_name": "x"},
    "set_roles": {"roles": ["operator"]},
    "set_personas": {"personas": {"doctor": ""}},
    "set_groups": {"groups": []},
    "deactivate_person": {"reason": "x"},
    "reactivate_person": {},
    "end_sessions": {},
    "reset_password": {},
}
WITHOUT_A_PERSON = {"create_person", "create_group"}


@pytest.mark.security
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", ["ada", "ravi", "carol", "adams", "iris", "nora"])
def test_only_operators_change_accounts(request, petra, who, change):
    by = request.getfixturevalue(who)
    given = dict(CHANGES[change])
    if change not in WITHOUT_A_PERSON:
        given["person"] = petra
    with pytest.raises(NotAllowed):
        getattr(services, change)(by=by, now=NOW, **given)
    assert recorded() == []


@pytest.mark.security
@pytest.mark.parametrize("change", sorted(CHANGES.keys() - WITHOUT_A_PERSON))
def test_an_operator_never_changes_their_own_account(otto, change):
    with pytest.raises(NotAllowed) as refusal:
        getattr(services, change)(person=otto, by=otto, now=NOW, **CHANGES[change])
    assert [blocker.code for blocker in refusal.value.blockers] == ["own_account"]
    assert recorded() == []


@pytest.mark.security
def test_only_operators_delete_groups(ada, ward):
    with pytest.raises(NotAllowed):
        services.delete_group(group=ward, by=ada, now=NOW)
    assert Group.objects.exists()


@pytest.mark.security
def test_a_closed_operator_keeps_nobody(otto, ada):
    otto.is_active = False
    with pytest.raises(NotAllowed):
        services.set_roles(person=ada, roles=[], by=otto, now=NOW)
