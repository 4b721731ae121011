"""SQL is found in code, its tables and columns are named, and what is doubtful about it is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.findings import find, read_tables
from tests.gallery.notebooks import code, markdown, notebook


def tables(*sources: str) -> dict[str, list[str]]:
    return {
        use.table: use.columns for use in read_tables(notebook(*map(code, sources)))
    }


def codes(*sources: str, manifest: dict[str, Any] | None = None) -> list[str]:
    found = find(
        notebook(*map(code, sources)), environment_packages=set(), manifest=manifest
    )
    return [finding.code for finding in found]


def sql(statement: str) -> str:
    return f"rows = connection.execute({statement!r}, values)"


READ = [
    ("SELECT mrn, name FROM clinic.patients", {"clinic.patients": ["mrn", "name"]}),
    ("select MRN from Clinic.Patients", {"clinic.patients": ["mrn"]}),
    ('SELECT "Mrn" FROM clinic."Patients"', {"clinic.Patients": ["Mrn"]}),
    (
        "SELECT p.mrn FROM clinic.patients p WHERE p.zip = %s AND p.sex = %(sex)s",
        {"clinic.patients": ["mrn", "sex", "zip"]},
    ),
    (
        "SELECT p.mrn, r.drug FROM clinic.patients AS p JOIN clinic.prescriptions AS r ON r.patient_id = p.patient_id",
        {
            "clinic.patients": ["mrn", "patient_id"],
            "clinic.prescriptions": ["drug", "patient_id"],
        },
    ),
    (
        "SELECT p.mrn FROM clinic.patients p JOIN clinic.notes n USING (patient_id)",
        {"clinic.patients": ["mrn", "patient_id"], "clinic.notes": ["patient_id"]},
    ),
    (
        "WITH recent AS (SELECT patient_id, body FROM clinic.notes) SELECT body FROM recent WHERE patient_id = 1",
        {"clinic.notes": ["body", "patient_id"]},
    ),
    (
        "SELECT x.n FROM (SELECT name AS n FROM clinic.patients) AS x",
        {"clinic.patients": ["name"]},
    ),
    (
        "SELECT mrn FROM clinic.patients p WHERE EXISTS (SELECT 1 FROM clinic.invoices i WHERE i.patient_id = p.patient_id)",
        {"clinic.patients": ["mrn", "patient_id"], "clinic.invoices": ["patient_id"]},
    ),
    ("SELECT * FROM clinic.patients", {"clinic.patients": ["*"]}),
    (
        "SELECT p.*, n.body FROM clinic.patients p, clinic.notes n",
        {"clinic.patients": ["*"], "clinic.notes": ["body"]},
    ),
    ("SELECT row_to_json(p) FROM clinic.patients p", {"clinic.patients": ["*"]}),
    ("SELECT upper(name) AS name FROM clinic.patients", {"clinic.patients": ["name"]}),
    (
        "SELECT 1 AS name FROM clinic.patients WHERE name = 'x' ORDER BY name",
        {"clinic.patients": ["name"]},
    ),
    ("SELECT count(*) FROM clinic.patients", {"clinic.patients": []}),
    (
        "SELECT mrn FROM clinic.patients UNION SELECT body FROM clinic.notes",
        {"clinic.patients": ["mrn"], "clinic.notes": ["body"]},
    ),
    (
        "SELECT month::date, sum(patients) AS n FROM anon.prescriptions_by_month GROUP BY 1 ORDER BY n",
        {"anon.prescriptions_by_month": ["month", "patients"]},
    ),
    ("-- a comment\nSELECT mrn FROM clinic.patients", {"clinic.patients": ["mrn"]}),
    ("SELECT g FROM generate_series(1, 3) AS g", {}),
    (
        "SELECT mrn FROM clinic.patients WHERE name ILIKE '%%son%%'",
        {"clinic.patients": ["mrn", "name"]},
    ),
    ("DELETE FROM clinic.notes WHERE note_id = 1", {"clinic.notes": []}),
    (
        "INSERT INTO clinic.notes (body) SELECT name FROM clinic.patients",
        {"clinic.notes": [], "clinic.patients": ["name"]},
    ),
]


@pytest.mark.parametrize(
    ("statement", "expected"), READ, ids=[case[0][:50] for case in READ]
)
def test_tables_and_columns_are_named(statement, expected):
    assert tables(sql(statement)) == expected


def test_a_column_that_may_be_of_two_tables_is_named_for_both():
    statement = "SELECT zip FROM clinic.patients p JOIN clinic.invoices i ON i.patient_id = p.patient_id"
    found = tables(sql(statement))
    assert "zip" in found["clinic.patients"]
    assert "zip" in found["clinic.invoices"]


SHAPES = [
    "q = 'SELECT mrn FROM clinic.patients'",
    "q = ('SELECT mrn '\n     'FROM clinic.patients')",
    "q = 'SELECT mrn ' + 'FROM clinic.patients'",
    "q = '''\n  SELECT mrn\n  FROM clinic.patients\n'''.strip()",
    "import textwrap\nq = textwrap.dedent('''\n  SELECT mrn FROM clinic.patients''')",
    "T = 'clinic.patients'\nq = f'SELECT mrn FROM {T}'",
    "COLUMN = 'mrn'\nq = 'SELECT ' + COLUMN + ' FROM clinic.patients'",
    "run(text('SELECT mrn FROM clinic.patients WHERE mrn = :mrn'))",
    "def f():\n    return read('SELECT mrn FROM clinic.patients')",
    "queries = {'a': 'SELECT mrn FROM clinic.patients'}",
    "%%sql\nSELECT mrn FROM clinic.patients",
    "%sql SELECT mrn FROM clinic.patients",
    "rows = %sql SELECT mrn FROM clinic.patients",
]


@pytest.mark.parametrize("source", SHAPES)
def test_sql_is_found_however_it_is_written_down(source):
    assert tables(source) == {"clinic.patients": ["mrn"]}
    assert "sql_built" not in codes(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = 'Select a drug'",
        "print('Select a drug from the list')",
        "# SELECT a FROM b",
        "'''SELECT a FROM b'''",
    ],
)
def test_what_only_looks_like_sql_is_passed_over(source):
    assert tables(source) == {}
    assert codes(source) == []


def test_markdown_and_bash_are_not_read():
    bash = {"kernelspec": {"name": "bash", "language": "bash"}}
    assert read_tables(notebook(markdown("SELECT a FROM b"))) == []
    assert read_tables(notebook(code("psql -c 'SELECT a FROM b'"), **bash)) == []


def test_uses_are_listed_by_cell():
    uses = read_tables(
        notebook(
            code("x = 1"),
            code(sql("SELECT a FROM s.t")),
            code(sql("SELECT b FROM s.t")),
        )
    )
    assert [use.as_dict() for use in uses] == [
        {"table": "s.t", "columns": ["a"], "cell": 1},
        {"table": "s.t", "columns": ["b"], "cell": 2},
    ]


BUILT = [
    "q = f\"SELECT mrn FROM clinic.patients WHERE name = '{name}'\"",
    'q = "SELECT mrn FROM clinic.patients WHERE name = \'" + name + "\'"',
    "q = \"SELECT mrn FROM clinic.patients WHERE name = '%s'\" % name",
    "q = \"SELECT mrn FROM clinic.patients WHERE name = '{}'\".format(name)",
    "q = f'SELECT mrn FROM {table}'",
    "T = 'a'\nT = 'b'\nq = f'SELECT mrn FROM {T}'",
    "q = f'''\n    SELECT mrn\n    FROM clinic.patients\n    WHERE {condition}\n'''",
]


@pytest.mark.parametrize("source", BUILT)
def test_sql_that_is_built_from_text_is_an_error(source):
    assert "sql_built" in codes(source)


def test_a_parameter_is_never_taken_for_a_constant():
    cells = [
        code("drug = 'warfarin'", tags=["parameters"]),
        code("q = f\"SELECT mrn FROM clinic.patients WHERE x = '{drug}'\""),
    ]
    found = [
        finding.code for finding in find(notebook(*cells), environment_packages=set())
    ]
    assert "sql_built" in found


def test_sql_composed_with_quoted_identifiers_is_no_error():
    source = "from psycopg import sql\nq = sql.SQL('SELECT mrn FROM {} WHERE a = %s').format(sql.Identifier('t'))"
    assert codes(source) == ["unknown_table"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO clinic.notes (body) VALUES ('x')",
        "UPDATE clinic.notes SET body = 'x'",
        "DELETE FROM clinic.notes",
        "DROP TABLE clinic.notes",
        "TRUNCATE clinic.notes",
        "GRANT SELECT ON clinic.notes TO PUBLIC",
        "SET ROLE clinic_owner",
        "COPY clinic.notes TO '/tmp/x'",
        "SELECT 1 FROM a.b; DELETE FROM clinic.notes",
    ],
)
def test_a_statement_that_changes_something_is_an_error(statement):
    assert "sql_writes" in codes(sql(statement))


def test_a_star_is_told_but_not_the_one_in_count():
    assert codes(sql("SELECT * FROM a.b")) == ["select_star"]
    assert codes(sql("SELECT count(*) FROM a.b")) == []


def test_counting_after_a_join_is_told():
    joined = "SELECT {} FROM a.b JOIN a.c ON b.x = c.x"
    assert "counts_joined_rows" in codes(sql(joined.format("count(*)")))
    assert "counts_joined_rows" in codes(sql(joined.format("sum(b.y)")))
    assert "counts_joined_rows" not in codes(sql(joined.format("count(DISTINCT b.y)")))
    assert "counts_joined_rows" not in codes(sql(joined.format("b.y")))


def test_small_groups_of_people_are_told_but_not_where_they_are_suppressed():
    assert codes(sql("SELECT zip, count(*) FROM clinic.patients GROUP BY zip")) == [
        "small_counts"
    ]
    assert (
        codes(
            sql(
                "SELECT zip, count(*) FROM clinic.patients GROUP BY zip HAVING count(*) >= 11"
            )
        )
        == []
    )
    assert (
        codes(
            sql("SELECT drug, count(*) FROM anon.prescriptions_by_month GROUP BY drug")
        )
        == []
    )


def test_sql_that_cannot_be_read_is_told():
    assert codes(sql("SELECT FROM WHERE FROM (")) == ["sql_unreadable"]


def test_more_sql_than_can_be_read_is_told():
    statement = f"SELECT {', '.join(f'a{number}' for number in range(2_000))} FROM a.b"
    assert "sql_unreadable" in codes(*[sql(statement)] * 25)


def test_sql_that_is_not_in_the_notebook_is_told():
    assert codes("connection.execute(queries['a'])") == ["sql_not_here"]
    assert codes("connection.execute(fetched)") == ["sql_not_here"]
    assert codes("q = 'SELECT a FROM b.c'\nconnection.execute(q)") == []


MANIFEST = {"tables": {"clinic.patients": ["mrn", "patient_id"]}}


def test_what_the_manifest_does_not_declare_is_an_error():
    assert codes(sql("SELECT mrn FROM clinic.patients"), manifest=MANIFEST) == []
    assert codes(sql("SELECT mrn, name FROM clinic.patients"), manifest=MANIFEST) == [
        "undeclared_columns"
    ]
    assert codes(sql("SELECT body FROM clinic.notes"), manifest=MANIFEST) == [
        "undeclared_table"
    ]


@given(
    st.text(max_size=60),
    st.sampled_from(
        ["SELECT a FROM b WHERE ", "WITH x AS (", "SELECT ", "INSERT INTO "]
    ),
)
def test_any_statement_is_read_without_an_error(text, start):
    find(notebook(code(f"q = {start + text!r}")), environment_packages=set())
    read_tables(notebook(code(f"q = {start + text!r}")))
