"""Persona × table × column × row owner, generated, against the oracle of the seed."""

from collections import Counter
from contextlib import ExitStack

import pytest
from psycopg import errors

from tests.runner.access import oracle
from tests.runner.access.conftest import opened
from tests.runner.access.oracle import COLUMNS, VIEWERS, Viewer

pytestmark = pytest.mark.security

CELLS = [
    (viewer, table, column)
    for viewer in VIEWERS
    for table, columns in COLUMNS.items()
    for column in columns
]
TABLES = [(viewer, table) for viewer in VIEWERS for table in COLUMNS]
PATIENT_TABLES = [
    table
    for table, columns in COLUMNS.items()
    if "patient_id" in columns and table[0] == "c"
]
ROW_OWNERS = ("adams", "baker", "helen", "castro", "okoye", "weiss")
"""Doctors of patients: three of the cast, others of the same and of other departments."""


def named(value) -> str:
    return (
        f"{value.username} as {value.persona}"
        if isinstance(value, Viewer)
        else str(value)
    )


@pytest.fixture(scope="module")
def runs(hospital):
    """One open run per viewer, opened when first asked for."""
    with ExitStack() as stack:
        known = {}

        def run(viewer):
            if viewer not in known:
                known[viewer] = stack.enter_context(
                    opened(hospital, viewer.username, viewer.persona, lifetime_s=3600)
                )
            return known[viewer]

        yield run


@pytest.mark.parametrize(("viewer", "table", "column"), CELLS, ids=named)
def test_a_column_shows_the_viewers_rows_or_is_refused(runs, viewer, table, column):
    question = f"SELECT {column}, count(*) FROM {table} GROUP BY 1"
    if not oracle.may_read(viewer, table, column):
        with pytest.raises(errors.InsufficientPrivilege):
            runs(viewer).rows(question)
        return
    position = COLUMNS[table].index(column)
    expected = Counter(row[position] for row in oracle.rows(viewer, table))
    assert dict(runs(viewer).rows(question)) == dict(expected)


@pytest.mark.parametrize(("viewer", "table"), TABLES, ids=named)
def test_all_allowed_columns_together_are_the_oracles_rows(runs, viewer, table):
    allowed = [c for c in COLUMNS[table] if oracle.may_read(viewer, table, c)]
    if len(allowed) < len(COLUMNS[table]):
        with pytest.raises(errors.InsufficientPrivilege):
            runs(viewer).rows(f"SELECT * FROM {table}")
    if not allowed:
        return
    positions = [COLUMNS[table].index(column) for column in allowed]
    expected = Counter(
        tuple(row[p] for p in positions) for row in oracle.rows(viewer, table)
    )
    found = Counter(runs(viewer).rows(f"SELECT {', '.join(allowed)} FROM {table}"))
    assert found == expected


@pytest.mark.parametrize("row_owner", ROW_OWNERS)
@pytest.mark.parametrize("table", PATIENT_TABLES)
@pytest.mark.parametrize("viewer", VIEWERS, ids=named)
def test_rows_of_one_doctors_patients(runs, viewer, table, row_owner):
    """Asked for by patient number, as a guess of somebody who knows the number would."""
    theirs = [
        p.patient_id for p in oracle.hospital().patients if p.attending == row_owner
    ]
    question = f"SELECT count(patient_id) FROM {table} WHERE patient_id = ANY (%s)"
    if not oracle.may_read(viewer, table, "patient_id"):
        with pytest.raises(errors.InsufficientPrivilege):
            runs(viewer).value(question, theirs)
        return
    position, wanted = COLUMNS[table].index("patient_id"), set(theirs)
    expected = sum(row[position] in wanted for row in oracle.rows(viewer, table))
    assert runs(viewer).value(question, theirs) == expected


@pytest.mark.parametrize("viewer", VIEWERS[:4], ids=named)
def test_a_psychiatric_note_shows_its_row_and_hides_its_body(runs, viewer):
    found = runs(viewer).rows(
        "SELECT author, body IS NULL FROM clinic.notes WHERE kind = 'psychiatric'"
    )
    assert {hidden for author, hidden in found if author == viewer.username} <= {False}
    assert {hidden for author, hidden in found if author != viewer.username} == {True}


def test_some_doctor_reads_psychiatric_notes_of_her_own(runs):
    assert runs(VIEWERS[0]).value(
        "SELECT count(body) FROM clinic.notes WHERE kind = 'psychiatric'"
    )


def test_a_hidden_body_cannot_be_searched(runs):
    """Nor does an error in the reader's own condition tell of it."""
    assert runs(VIEWERS[0]).rows(
        "SELECT count(*) FROM clinic.notes WHERE kind = 'psychiatric'"
        " AND author <> 'adams' AND body LIKE '%confidence%'"
    ) == [(0,)]
    runs(VIEWERS[0]).rows(
        "SELECT count(*) FROM clinic.notes WHERE 1 / (position('In confidence' in body) - 1) = 7"
        " AND author <> 'adams' AND kind = 'psychiatric'"
    )


def test_head_and_doctor_are_two_truths_of_one_person(runs):
    as_doctor = runs(VIEWERS[2]).value("SELECT count(*) FROM clinic.patients")
    as_head = runs(VIEWERS[3]).value("SELECT count(*) FROM clinic.patients")
    assert 0 < as_doctor < as_head < 5000
