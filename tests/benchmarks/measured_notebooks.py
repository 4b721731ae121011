"""The notebooks that both sides execute: a few cells, a query with a plot, many cells, much output."""

from typing import Any

from nbformat.v4 import new_code_cell, new_notebook

#: The notebook of 200 cells, and the one that prints 20 MB in lines of 100 bytes.
CELLS = 200
PRINTING_CELLS = 5
LINES_PER_CELL = 40_000
LINE_CHARS = 99

PARAMETERS = 'since = "2000-01-01"'
QUERY = """
import matplotlib.pyplot as plt
import pandas as pd
import psycopg

with psycopg.connect() as db:
    read = db.execute(
        "SELECT patient_id, collected_at, test, value, abnormal FROM clinic.lab_results"
        " WHERE collected_at >= %s", [since]
    )
    results = pd.DataFrame(read.fetchall(), columns=[each.name for each in read.description])
len(results)
"""
TABLE = """
results["month"] = pd.to_datetime(results["collected_at"], utc=True).dt.strftime("%Y-%m")
results["value"] = results["value"].astype(float)
by_month = results.groupby(["month", "test"])["value"].agg(["count", "mean"]).reset_index()
by_month.tail(20)
"""
PLOT = """
counts = by_month.pivot(index="month", columns="test", values="count")
counts.plot(figsize=(8, 4), title="Results by month")
plt.tight_layout()
"""


def trivial() -> list[str]:
    """(a) Three cells that cost nothing themselves."""
    return ["answer = 42", "print(answer)", "answer + 1"]


def query_and_plot() -> list[str]:
    """(b) A parameterised query for 100,000 lab results, a table and a plot."""
    return [PARAMETERS, QUERY.strip(), TABLE.strip(), PLOT.strip()]


def many_cells() -> list[str]:
    """(c) 200 cells, each with one printed line."""
    return [f"print({number})" for number in range(CELLS)]


def much_output() -> list[str]:
    """(d) 20 MB of printed lines."""
    line = f'for _ in range({LINES_PER_CELL}):\n    print("x" * {LINE_CHARS})'
    return [line] * PRINTING_CELLS


def notebook(sources: list[str]) -> dict[str, Any]:
    """A notebook of code cells; a first cell that is :data:`PARAMETERS` gets its tag."""
    cells = [
        new_code_cell(
            source,
            metadata={"tags": ["parameters"]} if source == PARAMETERS else {},
        )
        for source in sources
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made: dict[str, Any] = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return made
