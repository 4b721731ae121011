"""Executes cells in a process that is warm, with a plain login, and prints how many seconds they took.

Nothing around them: no request, no kernel, no messages, no page. What their outputs would show is made,
as Jupyter would make it, and dropped. Run by the notebooks' own environment:
`python warm_cells.py FILE`, where the file holds the cells' sources as JSON.
"""

import ast
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt


def execute(source: str, names: dict[str, Any]) -> None:
    """Execute a cell, then show its last expression and its figures to nobody."""
    cell = ast.parse(source)
    last = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        for name in ("_repr_html_", "__repr__"):
            show = getattr(value, name, None)
            if show is not None:
                show()
    for number in plt.get_fignums():
        plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")


def seconds(sources: list[str]) -> float:
    """How long all cells take, one after the other."""
    names: dict[str, Any] = {"__name__": "__main__"}
    began = time.perf_counter()
    for source in sources:
        execute(source, names)
    return time.perf_counter() - began


if __name__ == "__main__":
    cells = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    seconds(cells)  # whatever is imported or made once
    sys.stdout.write(f"{seconds(cells)}\n")
