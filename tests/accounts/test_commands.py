"""create_operator and sync_personas, as an operator of the machine runs them."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import PersonaAssignment, User
from accounts.persona_file import BadPersonaFile, read_personas
from audit.models import Event


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def held() -> set[tuple[str, str, str]]:
    return set(
        PersonaAssignment.objects.values_list(
            "person__username", "persona", "department"
        )
    )


@pytest.fixture
def file(tmp_path):
    def write(text: str, encoding: str = "utf-8") -> str:
        path = tmp_path / "personas.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


GOOD = """username,persona,department
helen,doctor,oncology
bill,billing,
bill,lab,
"""


def test_the_first_operator_gets_a_link_that_works(db, client):
    said = run("create_operator", "olga", "--name=Olga O")
    person = User.objects.get(username="olga")
    assert person.roles == {"operator"}
    assert not person.has_usable_password()
    link = re.search(r"http://localhost:8000(/\S+)", said).group(1)
    new = "a sentence of my own"
    assert client.post(link, {"new": new, "again": new}).status_code == 302
    assert client.post("/sign-in/", {"username": "olga", "password": new}).url == "/"
    assert [event.action for event in Event.objects.all()][:2] == [
        "person.created",
        "person.role_granted",
    ]


@pytest.mark.parametrize("name", ["otto", "Not Good"])
def test_an_operator_whose_name_will_not_do_is_refused(otto, name):
    with pytest.raises(CommandError):
        run("create_operator", name)
    assert User.objects.count() == 1


def test_a_sync_makes_everybody_hold_what_the_file_says(helen, bill, adams, file):
    said = run("sync_personas", file(GOOD))
    assert held() == {
        ("helen", "doctor", "oncology"),
        ("bill", "billing", ""),
        ("bill", "lab", ""),
    }
    assert said.splitlines() == [
        "- adams doctor cardiology",
        "+ bill lab",
        "- helen department_head cardiology",
        "~ helen doctor cardiology to oncology",
        "4 changes made.",
    ]
    assert sorted(event.action for event in Event.objects.all()) == [
        "person.persona_granted",
        "person.persona_moved",
        "person.persona_taken",
        "person.persona_taken",
    ]
    assert {event.actor for event in Event.objects.all()} == {""}


def test_a_second_sync_changes_nothing(helen, bill, file):
    run("sync_personas", file(GOOD))
    events = Event.objects.count()
    assert run("sync_personas", file(GOOD)) == "0 changes made.\n"
    assert Event.objects.count() == events


def test_a_dry_run_shows_and_changes_nothing(helen, bill, file):
    before = held()
    said = run("sync_personas", file(GOOD), "--dry-run")
    assert "+ bill lab" in said
    assert said.endswith("none made (dry run).\n")
    assert held() == before
    assert not Event.objects.exists()


def test_a_moved_department_is_named_when_there_was_none(bill, file):
    run("sync_personas", file("username,persona,department\nbill,billing,north\n"))
    said = run("sync_personas", file("username,persona,department\nbill,billing,\n"))
    assert "~ bill billing north to (no department)" in said


def test_a_file_with_somebody_unknown_changes_nothing(helen, bill, file):
    before = held()
    with pytest.raises(CommandError, match="zoe"):
        run("sync_personas", file(GOOD + "zoe,doctor,\n"))
    assert held() == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_file_from_a_spreadsheet_is_read(helen, bill, file, encoding):
    text = GOOD.replace("\n", "\r\n")
    run("sync_personas", file(text, encoding))
    assert ("bill", "lab", "") in held()


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_refused(helen, bill, file, encoding):
    with pytest.raises(CommandError):
        run("sync_personas", file(GOOD + "adäms,doctor,\n", encoding))


def test_a_file_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="nowhere"):
        run("sync_personas", "/nowhere.csv")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "Line 1: the columns must be"),
        (["name,persona\n"], "Line 1: the columns must be"),
        ([], "columns"),
        (["username,persona,department\n"], "names nobody"),
        (["username,persona,department\n", "a,doctor\n"], "Line 2: it must have three"),
        (
            ["username,persona,department\n", "a,doctor,x,y\n"],
            "Line 2: it must have three",
        ),
        (["username,persona,department\n", ",doctor,\n"], "Line 2: the user name"),
        (["username,persona,department\n", "a,emperor,\n"], "Line 2: 'emperor' is no"),
        (
            ["username,persona,department\n", "a,doctor,x\n", "a,doctor,y\n"],
            "Line 3: a holds doctor twice",
        ),
        (["username,persona,department\n", f"a,doctor,{'x' * 65}\n"], "longer than 64"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(lines, problem):
    with pytest.raises(BadPersonaFile, match=problem):
        read_personas(lines)


def test_every_bad_line_is_named_at_once():
    lines = ["username,persona,department\n", "a,x,\n", "b,y,\n", "c,lab,\n"]
    with pytest.raises(BadPersonaFile) as refusal:
        read_personas(lines)
    assert len(refusal.value.problems) == 2
