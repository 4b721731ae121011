"""docs/how-to/connect-your-own-postgresql.md, followed literally.

Its `sql` blocks are run in the databases that the block's first line names, its `sh` blocks by one
shell after the other, with what was exported before. Replaced are only the address of the example,
its demand for TLS (the embedded server has none), and its superuser's password.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from runner.access.check import check_data_source
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.sources import Dsns
from tests.runner.access.conftest import opened
from tests.support.environment import REPOSITORY

PAGE = REPOSITORY / "docs/how-to/connect-your-own-postgresql.md"
BLOCK = re.compile(r"^```(\w+) ?([\w ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PEOPLE = [
    PersonAssignment("adams", "doctor", "cardiology"),
    PersonAssignment("helen", "department_head", "cardiology"),
    PersonAssignment("bill", "billing"),
    PersonAssignment("lena", "lab"),
]


def blocks() -> list[tuple[str, str, str]]:
    """Language, databases and text of every block of the page."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


class Reader:
    """Somebody who follows the page."""

    def __init__(self, cluster) -> None:
        self.cluster = cluster
        self.environment = dict(os.environ)
        self.said = ""

    def follow(self, language: str, databases: str, text: str) -> None:
        if language == "sql":
            for database in databases.split():
                self.sql(database, text)
        elif language == "sh":
            self.shell(text)

    def sql(self, database: str, text: str) -> None:
        dsn = make_conninfo(self.cluster.dsn(), dbname=database)
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in text.split(";\n") if database == "postgres" else [text]:
                if statement.strip():
                    connection.execute(statement)

    def shell(self, text: str) -> None:
        here = text.replace("db.example.org:5432", f"127.0.0.1:{self.cluster.port}")
        here = here.replace("?sslmode=verify-full", "")
        here = here.replace("postgres:superuser@", f"postgres:{self.cluster.password}@")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", here],
            cwd=REPOSITORY,
            env={**self.environment, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.said += done.stdout
        for name, value in re.findall(
            r"^export (\w+)='?([^'\n]*)'?$", here, re.MULTILINE
        ):
            self.environment[name] = value

    def dsns(self, prefix: str) -> Dsns:
        """The logins that the page exported."""
        return Dsns(
            *(
                self.environment[f"{prefix}_{x}_DSN"]
                for x in ("TICKET", "BROKER", "IDENTITY")
            )
        )


@pytest.fixture(scope="module")
def reader(cluster):
    """Somebody who followed the page up to where things are taken out again."""
    reader = Reader(cluster)
    for block in blocks()[:-1]:
        reader.follow(*block)
    for prefix, name in (
        ("DATA_SOURCE_WARD", "Real"),
        ("DATA_SOURCE_WARD_NOTIONAL", "Invented"),
    ):
        sync_identities(reader.dsns(prefix), PEOPLE)
        with psycopg.connect(reader.environment[f"{prefix}_OWNER_DSN"]) as connection:
            connection.execute(
                "INSERT INTO clinic.patients VALUES (1, %(n)s, 'flu', 'x', 'cardiology', 'adams'),"
                " (2, %(n)s, 'flu', 'x', 'cardiology', 'castro'), (3, %(n)s, 'flu', 'x', 'oncology', 'baker')",
                {"n": name},
            )
            connection.execute(
                "INSERT INTO clinic.lab_results VALUES (1, 'crp', 5), (2, 'crp', 6), (3, 'crp', 7)"
            )
    yield reader
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        for database in ("ward", "ward_notional"):
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture
def as_persona(reader):
    return lambda *person: opened(reader.dsns("DATA_SOURCE_WARD"), *person)


def test_the_commands_say_that_it_is_well(reader):
    assert "members of cs_run_ward." in reader.said
    assert "members of cs_run_ward_notional." in reader.said
    assert reader.said.count("Nothing refuses launches") == 2


def test_nothing_is_wrong_with_either_database(reader):
    for variable in (
        "DATA_SOURCE_WARD_OWNER_DSN",
        "DATA_SOURCE_WARD_NOTIONAL_OWNER_DSN",
    ):
        assert check_data_source(reader.environment[variable]) == []


@pytest.mark.parametrize(
    ("person", "patients", "results"),
    [
        (("adams", "doctor"), [1], [5]),
        (("helen", "department_head"), [1, 2], None),
        (("bill", "billing"), [1, 2, 3], None),
        (("lena", "lab"), [1, 2, 3], [5, 6, 7]),
    ],
)
def test_each_persona_sees_what_the_page_says(as_persona, person, patients, results):
    with as_persona(*person) as run:
        assert run.rows("SELECT patient_id FROM clinic.patients ORDER BY 1") == [
            (patient,) for patient in patients
        ]
        if results is None:
            with pytest.raises(errors.InsufficientPrivilege):
                run.rows("SELECT value FROM clinic.lab_results")
        else:
            found = run.rows("SELECT value FROM clinic.lab_results ORDER BY 1")
            assert [int(row[0]) for row in found] == results


def test_a_declared_table_follows_the_patient_without_naming_it(reader):
    manifest = {"tables": {"clinic.lab_results": ["value"]}}
    with opened(
        reader.dsns("DATA_SOURCE_WARD"), "adams", "doctor", manifest=manifest
    ) as run:
        assert run.rows("SELECT value FROM clinic.lab_results") == [(5,)]
        with pytest.raises(errors.InsufficientPrivilege):
            run.rows("SELECT patient_id FROM clinic.patients")


def test_a_preview_reads_the_twin(reader):
    dsns = reader.dsns("DATA_SOURCE_WARD_NOTIONAL")
    with opened(dsns, "adams", "doctor", kind="preview") as run:
        assert run.rows("SELECT name FROM clinic.patients") == [("Invented",)]


def test_taking_it_out_shows_nobody_more(reader):
    reader.follow(*blocks()[-1])
    with psycopg.connect(
        reader.environment["DATA_SOURCE_WARD_OWNER_DSN"]
    ) as connection:
        connection.execute("SET ROLE p_doctor")
        assert connection.execute(
            "SELECT count(*) FROM clinic.patients"
        ).fetchone() == (0,)
