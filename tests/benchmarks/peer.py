"""The peer: papermill, then nbconvert, each a process in a clean environment of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from psycopg.conninfo import conninfo_to_dict

from tests.support.environment import REPOSITORY

#: Built by `make bench`.
PROGRAMS = REPOSITORY / ".benchmarks" / "papermill" / "bin"
WARM_CELLS = Path(__file__).with_name("warm_cells.py")


class PeerFailed(Exception):
    """Papermill or nbconvert ended with an error, which it has printed."""


class Papermill:
    """Executes notebooks and makes HTML of them, reading with a plain login."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        login = conninfo_to_dict(dsn)
        self.environment = {
            **os.environ,
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "PGHOST": str(login["host"]),
            "PGPORT": str(login["port"]),
            "PGUSER": str(login["user"]),
            "PGPASSWORD": str(login["password"]),
            "PGDATABASE": str(login["dbname"]),
        }

    def start(self, notebook: dict[str, Any], name: str) -> subprocess.Popen[bytes]:
        """Start both programs, one after the other, and return at once."""
        source = self.folder / f"{name}.ipynb"
        executed = self.folder / f"{name}-executed.ipynb"
        nbformat.write(nbformat.from_dict(notebook), source)
        steps = (
            ["papermill", "--no-progress-bar", "-k", "python3", source, executed],
            ["jupyter", "nbconvert", "--to", "html", executed],
        )
        both = " && ".join(" ".join(map(str, step)) for step in steps)
        return subprocess.Popen(
            ["/bin/sh", "-c", both],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=sys.stderr,
        )

    def run_s(self, notebook: dict[str, Any], name: str) -> float:
        """Do both, and return how long it took.

        Raises:
            PeerFailed: one of them ended with an error.
        """
        began = time.perf_counter()
        if self.start(notebook, name).wait() != 0:
            raise PeerFailed(name)
        assert (self.folder / f"{name}-executed.html").stat().st_size > 0
        return time.perf_counter() - began

    def cells_alone_s(self, sources: list[str]) -> float:
        """How long the cells take by themselves, in a warm process with the same login and packages."""
        file = self.folder / "sources.json"
        file.write_text(json.dumps(sources), encoding="utf-8")
        done = subprocess.run(
            [PROGRAMS / "python", WARM_CELLS, file],
            env={**self.environment, "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            check=True,
        )
        return float(done.stdout)
