"""The demo's notebooks: clean, understood by every check, and true for each persona that may run them."""

import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gallery.findings import find, read_tables
from gallery.intake import read_notebook
from gallery.layouts import Kind, read_layout
from gallery.parameters.infer import infer_parameters
from gallery.parameters.validate import clean_parameters
from runner.access.leases import close_lease, open_lease, put_ticket
from runner.parameters.inject import inject, injected_source

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "config" / "demo" / "notebooks"
CATALOG = json.loads((FOLDER / "catalog.json").read_text())["notebooks"]
LOCK = (ROOT / "environments" / "python-analytics.txt").read_text()
PACKAGES = set(re.findall(r"^([A-Za-z0-9._-]+)==", LOCK, re.MULTILINE))
PYTHON = ROOT / ".environments" / "python-analytics" / "bin" / "python"
RUNNER = Path(__file__).parent / "notebook_runner.py"
PEOPLE = {
    "doctor": "adams",
    "department_head": "helen",
    "billing": "bill",
    "lab": "lena",
    "data_scientist": "ada",
}
PYTHON_ROWS = [row for row in CATALOG if row["file"] != "ward-checklist.ipynb"]
READS = [(row, persona) for row in PYTHON_ROWS for persona in row["personas"]]
ENTRY_IDS = [row["file"] for row in CATALOG]


def taken(row: dict[str, Any]) -> dict[str, Any]:
    return read_notebook((FOLDER / row["file"]).read_bytes()).notebook


def test_there_are_at_least_six_good_ones_in_different_states():
    assert sum(not row["file"].startswith("flawed") for row in CATALOG) >= 6
    assert {row["state"] for row in CATALOG} == {
        "draft",
        "in_review",
        "peer_approved",
        "approved",
    }


def test_every_file_is_in_the_catalog():
    assert sorted(row["file"] for row in CATALOG) == sorted(
        path.name for path in FOLDER.glob("*.ipynb")
    )


@pytest.mark.parametrize("row", CATALOG, ids=ENTRY_IDS)
def test_a_notebook_is_stored_as_it_would_be_taken_in(row):
    data = (FOLDER / row["file"]).read_bytes()
    intake = read_notebook(data)
    assert intake.removed == []
    assert intake.document == data


@pytest.mark.parametrize("row", CATALOG, ids=ENTRY_IDS)
def test_its_parameters_are_understood_and_its_defaults_fit(row):
    inferred = infer_parameters(taken(row))
    assert inferred.notes == []
    assert inferred.schema["properties"]
    assert set(clean_parameters(inferred.schema, row["parameters"])) == set(
        row["parameters"]
    )
    clean_parameters(
        inferred.schema,
        {name: prop["default"] for name, prop in inferred.schema["properties"].items()},
    )


@pytest.mark.parametrize(
    "row",
    [row for row in CATALOG if not row["file"].startswith("flawed")],
    ids=lambda row: row["file"],
)
def test_a_good_notebook_has_no_findings(row):
    found = find(taken(row), environment_packages=PACKAGES)
    assert {each.code for each in found} <= {"uses_widgets", "layout", "not_shown"}


def test_the_live_one_is_arranged_so_that_only_cells_without_a_picture_are_hidden(ran):
    row = entry("length-of-stay-live.ipynb")
    layout = read_layout(with_parameters(row, row["parameters"]))
    assert (layout.kind, layout.faults) == (Kind.GRID, ())
    cells = ran[row["file"], "doctor"]
    code = [
        index
        for index, cell in enumerate(with_parameters(row, row["parameters"])["cells"])
        if cell["cell_type"] == "code"
    ]
    shown = dict(zip(code, cells, strict=True))
    hidden = [shown[index] for index in layout.hidden]
    assert len(hidden) == 4
    assert {(cell["text"], cell["pictures"]) for cell in hidden} == {("\nNone", 0)}


def test_the_flaw_is_what_a_reviewer_is_pointed_to():
    (row,) = [row for row in CATALOG if row["file"].startswith("flawed")]
    codes = {
        finding.code for finding in find(taken(row), environment_packages=PACKAGES)
    }
    assert codes == {
        "sql_built",
        "counts_joined_rows",
        "select_star",
        "unused_parameter",
    }


@pytest.mark.parametrize("row", PYTHON_ROWS, ids=lambda row: row["file"])
def test_its_tables_are_found(row):
    tables = {use.table for use in read_tables(taken(row))}
    schema = "anon" if row["personas"] == ["data_scientist"] else "clinic"
    assert tables
    assert {table.partition(".")[0] for table in tables} == {schema}


@contextmanager
def login(dsns: Any, persona: str) -> Iterator[dict[str, str]]:
    """The environment of a kernel whose libpq connects as a run of its own."""
    run_id = uuid.uuid4()
    put_ticket(
        dsns,
        run_id=run_id,
        username=PEOPLE[persona],
        persona=persona,
        version_digest="0" * 64,
        purpose="treatment",
        kind="run",
        manifest=None,
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
    )
    lease = open_lease(dsns, run_id=run_id)
    try:
        yield {
            "PGHOST": lease.host,
            "PGPORT": str(lease.port),
            "PGDATABASE": lease.database,
            "PGUSER": lease.role,
            "PGPASSWORD": lease.password.reveal(),
        }
    finally:
        close_lease(dsns, run_id=run_id)


def run(
    libpq: dict[str, str], folder: Path, *notebooks: dict[str, Any]
) -> list[list[dict[str, Any]]]:
    """Run the code cells of each notebook and return what became of each."""
    sources = [
        [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for notebook in notebooks
    ]
    home = {
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder),
        "IPYTHONDIR": str(folder),
        "PATH": os.defpath,
    }
    plots = {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [PYTHON, "-I", RUNNER],
        input=json.dumps(sources),
        env=home | plots | libpq,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_parameters(row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    notebook = taken(row)
    schema = infer_parameters(notebook).schema
    return inject(notebook, injected_source(schema, values, language="python"))


def entry(file: str) -> dict[str, Any]:
    return next(row for row in CATALOG if row["file"] == file)


def text_of(cells: list[dict[str, Any]]) -> str:
    return "".join(cell["text"] for cell in cells)


def errors_of(cells: list[dict[str, Any]]) -> list[str]:
    return [cell["error"] for cell in cells if cell["error"]]


@pytest.fixture(scope="module")
def hospital(data_cluster) -> Any:
    if not PYTHON.exists():
        pytest.fail("The notebook environments are not built: run `make environments`.")
    return data_cluster.dsns["hospital"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One home for all, because matplotlib takes seconds to list the fonts for a new one."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ran(hospital, folder) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Every notebook as each persona that may run it: (file, persona) to its cells."""
    found = {}
    for persona in PEOPLE:
        rows = [row for row in PYTHON_ROWS if persona in row["personas"]]
        with login(hospital, persona) as libpq:
            reports = run(
                libpq,
                folder,
                *(with_parameters(row, row["parameters"]) for row in rows),
            )
        found |= {
            (row["file"], persona): cells
            for row, cells in zip(rows, reports, strict=True)
        }
    return found


@pytest.mark.parametrize(
    ("row", "persona"),
    READS,
    ids=lambda value: value if isinstance(value, str) else value["file"],
)
def test_it_runs_for_each_persona_of_its_catalog_entry(row, persona, ran):
    cells = ran[row["file"], persona]
    assert errors_of(cells) == []
    assert sum(cell["pictures"] for cell in cells) >= 1


def test_each_persona_has_its_own_truth(ran):
    for file in (
        "prescription-trends.ipynb",
        "my-patients-at-a-glance.ipynb",
        "lab-turnaround.ipynb",
    ):
        told = [text_of(cells) for (name, _), cells in ran.items() if name == file]
        assert len(set(told)) == len(told) >= 2


def test_psychiatric_notes_are_listed_without_their_text(ran):
    told = text_of(ran["my-patients-at-a-glance.ipynb", "department_head"])
    assert re.search(r"[1-9]\d* psychiatric notes are listed without their text", told)


NOTHING = {
    "prescription-trends.ipynb": {"from_date": "1990-01-01", "to_date": "1990-01-31"},
    "lab-turnaround.ipynb": {"since": "2030-01-01"},
    "department-occupancy.ipynb": {"from_date": "1990-01-01", "to_date": "1990-03-31"},
    "my-patients-at-a-glance.ipynb": {"search": "no such person %' OR ''='"},
    "winter-load.ipynb": {"code_prefix": "nothing"},
}


def test_an_empty_answer_is_said_in_words(hospital, folder):
    notebooks = [
        with_parameters(entry(file), values) for file, values in NOTHING.items()
    ]
    with login(hospital, "doctor") as libpq:
        reports = run(libpq, folder, *notebooks)
    with login(hospital, "billing") as libpq:
        reports += run(
            libpq,
            folder,
            with_parameters(entry("billing-ageing.ipynb"), {"insurers": []}),
        )
    for cells in reports:
        assert errors_of(cells) == []
        assert re.search(r"No \w+ .*that you may see", text_of(cells))
        assert sum(cell["pictures"] for cell in cells) == 0


def test_two_doctors_see_two_truths_and_billing_is_refused_to_both(
    hospital, folder, monkeypatch
):
    notebooks = [
        taken(entry(file))
        for file in ("my-patients-at-a-glance.ipynb", "billing-ageing.ipynb")
    ]
    told = []
    for person in ("adams", "baker"):
        monkeypatch.setitem(PEOPLE, "doctor", person)
        with login(hospital, "doctor") as libpq:
            patients, billing = run(libpq, folder, *notebooks)
        told.append(text_of(patients))
        assert errors_of(billing)[0].startswith("InsufficientPrivilege")
    assert told[0] != told[1]
