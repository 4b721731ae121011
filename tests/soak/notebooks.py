"""The notebooks of the soak: what they print is known, and each of their reads says which it is."""

from dataclasses import dataclass
from typing import Any

from tests.benchmarks import measured_notebooks

#: What a result holds, and no file may hold in plain: put together by the kernel alone.
PLAINTEXT = "plaintext-of-a-result-that-must-stay-sealed"
_PRINT = f'print(bytes.fromhex("{PLAINTEXT.encode().hex()}").decode())'
_CONNECT = "import psycopg\ndb = psycopg.connect(autocommit=True)"
#: How the data source's own log names a read; the run is who executes it.
WITNESS = "witness of read"


def _read(number: int, rows: int = 1) -> str:
    counted = f"count(*) FROM generate_series(1, {rows})"
    return f"db.execute(\"SELECT '{WITNESS} {number}', {counted}\").fetchall()"


@dataclass(frozen=True)
class SoakNotebook:
    """Cells, and how many reads of a whole run the data source has seen."""

    title: str
    cells: tuple[str, ...]
    reads: int

    def document(self) -> dict[str, Any]:
        """The notebook as it is uploaded."""
        return measured_notebooks.notebook(list(self.cells))


NOTEBOOKS = (
    SoakNotebook("Soak: counts", ("answer = 42", _PRINT, "answer + 1"), 0),
    SoakNotebook(
        "Soak: reads",
        (f"{_CONNECT}\n{_read(1)}", _PRINT, _read(2, rows=300_000), _read(3)),
        3,
    ),
    SoakNotebook(
        "Soak: sleeps",
        (
            f"{_CONNECT}\n{_read(1)}",
            f"{_PRINT}\nimport time\ntime.sleep(1.5)",
            f"{_read(2)}\ntime.sleep(0.5)",
        ),
        2,
    ),
)
