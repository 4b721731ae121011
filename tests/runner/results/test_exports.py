"""Tables leave as data: no spreadsheet finds a formula in them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.results.csv_export import csv_bytes, is_number, neutral
from runner.results.tables import Table, tables
from tests.runner.results.notebooks import code, html, notebook

PANDAS = """<table border="1" class="dataframe">
<thead><tr style="text-align: right;"><th></th><th>drug</th><th>change</th></tr></thead>
<tbody><tr><th>0</th><td>Metformin</td><td>-2.5</td></tr>
<tr><th>1</th><td>=HYPERLINK("//evil")</td><td>1e-3</td></tr></tbody></table>
<p>2 rows × 2 columns</p>"""

GROUPED = """<table class="dataframe"><thead>
<tr><th></th><th colspan="2">amount</th></tr>
<tr><th></th><th>sum</th><th>mean</th></tr>
<tr><th>ward</th><th></th><th></th></tr></thead>
<tbody><tr><th rowspan="2">A</th><td>1</td><td>2</td></tr>
<tr><td>3</td><td>4</td></tr></tbody></table>"""


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_data_frame_becomes_header_and_rows():
    (table,) = tables(notebook(code(html(PANDAS))))
    assert table.header == ["", "drug", "change"]
    assert table.rows[0] == ["0", "Metformin", "-2.5"]
    assert not table.shortened


def test_grouped_headers_are_joined_and_spans_are_filled():
    (table,) = tables(notebook(code(html(GROUPED))))
    assert table.header == ["ward", "amount / sum", "amount / mean"]
    assert table.rows == [["A", "1", "2"], ["A", "3", "4"]]


def test_a_table_that_the_notebook_shortened_says_so():
    short = "<table><tr><th>a</th></tr><tr><td>1</td></tr><tr><td>...</td></tr></table>"
    assert tables(notebook(code(html(short))))[0].shortened


def test_each_table_is_counted_and_a_caption_names_it():
    source = "<table><caption>Wards</caption><tr><td>1</td></tr></table>"
    found = tables(
        notebook(code(html(source)), code(html("<table><tr><td>2</td></table>")))
    )
    assert [table.caption for table in found] == ["Wards", "Table 2"]
    assert found[0].rows == [["1"]]


def test_scripts_and_tags_are_no_part_of_a_cell():
    source = "<table><tr><td><b>a</b><br>b</td></tr></table>"
    assert tables(notebook(code(html(source))))[0].rows == [["a b"]]


def test_huge_spans_do_not_fill_the_memory():
    source = "<table>" + '<tr><td colspan="999999">x</td></tr>' * 2000 + "</table>"
    (table,) = tables(notebook(code(html(source))))
    assert sum(map(len, table.rows)) <= 501_000


def test_a_formula_is_neutralised_and_a_number_is_not():
    (table,) = tables(notebook(code(html(PANDAS))))
    rows = read(csv_bytes(table))
    assert rows[2] == ["1", '\'=HYPERLINK("//evil")', "1e-3"]
    assert rows[1][2] == "-2.5"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd",
        "-cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        "-1+1",
        "+1-800",
        "-",
        "--1",
        "-e5",
        "=",
        "- 1",
    ],
)
def test_what_a_spreadsheet_would_evaluate_gets_a_quote(text: str):
    assert neutral(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["-1", "+3", "-1.5e-7", "-1,234.50", "-.5", "12 %", "-3%"]
)
def test_numbers_stay_numbers(text: str):
    assert neutral(text) == text


@given(st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=4), max_size=5))
def test_every_cell_survives_and_none_is_a_formula(rows: list[list[str]]):
    written = read(csv_bytes(Table("t", [], rows)))
    assert len(written) == len(rows)
    for row, cells in zip(rows, written, strict=True):
        assert len(row) == len(cells)
        for cell in cells:
            assert is_number(cell) or not cell.lstrip(" \u00a0").startswith(
                ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
            )


@given(st.decimals(allow_nan=False, allow_infinity=False).map(str))
def test_every_decimal_is_a_number(text: str):
    assert neutral(text.replace("E", "e")) == text.replace("E", "e")
