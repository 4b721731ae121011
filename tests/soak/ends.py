"""How the runs of a soak ended, and what is wrong with it: each has one true end and ran once."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.workflow import FINAL, Status
from tests.soak.notebooks import NOTEBOOKS, WITNESS
from tests.soak.product import Product

BEGINNING = "the soak begins"
_READ = re.compile(rf" r_([0-9a-f]{{32}}) LOG: .*SELECT '{WITNESS} (\d+)'")
_CLAIMED = re.compile(r"run\.claimed run_id=([0-9a-f-]{36})")
_KERNEL = re.compile(r"run\.has_kernel run_id=([0-9a-f]{32})")
_READS = {each.title: each.reads for each in NOTEBOOKS}
_ENDS = {f"run.{status}" for status in FINAL}
#: What happens to a run at most once, each recorded with it.
_ONCE = ("run.starting", "run.running", "lease.opened", "lease.closed")


@dataclass(frozen=True)
class SoakedRun:
    """What the product says of one run, and what others saw of it."""

    id: str
    title: str
    owner: str
    status: str
    code: str
    cells: tuple[int, int]
    has_result: bool
    events: Mapping[str, int]
    claims: int
    kernels: int
    reads: Mapping[int, int]

    def faults(self) -> Iterator[str]:
        """Each way in which its end is not one, or not true, or it ran twice."""
        if self.status not in FINAL:
            yield f"is still {self.status}"
        ends = {name: n for name, n in self.events.items() if name in _ENDS}
        if ends != {f"run.{self.status}": 1}:
            yield f"is {self.status}, but the log says {ends or 'nothing of an end'}"
        if self.events.get("run.requested") != 1:
            yield "was not requested once"
        for name in _ONCE:
            if self.events.get(name, 0) > 1:
                yield f"has {self.events[name]} events {name}"
        if max(self.claims, self.kernels, *self.reads.values(), 0) > 1:
            yield f"ran twice: {self.claims} claims, {self.kernels} kernels, {dict(self.reads)}"
        if self.status == Status.SUCCEEDED:
            yield from self._faults_of_a_success()
        elif self.has_result and self.status == Status.LOST:
            yield "was lost and has a result"

    def _faults_of_a_success(self) -> Iterator[str]:
        if self.cells[0] != self.cells[1]:
            yield "succeeded with {} of {} cells".format(*self.cells)
        if not self.has_result:
            yield "succeeded without a result"
        if len(self.reads) != _READS[self.title]:
            yield f"succeeded, but the data source saw {dict(self.reads)}"


def begin(product: Product) -> None:
    """Have the data source say in its log who reads what; its owners' right."""
    dsn = product.data_dsns[0]
    for setting, value in (
        ("log_statement", "all"),
        ("log_line_prefix", "%m [%p] %u "),
    ):
        product.rows(dsn, f"ALTER SYSTEM SET {setting} = '{value}' -- soak")
    product.rows(dsn, "SELECT pg_reload_conf()")
    product.rows(dsn, f"SELECT '{BEGINNING}', pg_sleep(1)")
    product.rows(dsn, f"SELECT '{BEGINNING}'")


def runs_of(product: Product, titles: Iterable[str]) -> list[SoakedRun]:
    """Every run of these notebooks, whoever asked for it and whatever was answered."""
    seen = _Seen(product)
    rows = product.rows(
        product.app_dsn,
        "SELECT r.id::text, n.title, u.username, r.status, coalesce(r.error->>'code', ''),"
        " r.cells_done, r.cells_total, EXISTS (SELECT FROM runner_runresult s WHERE s.run_id = r.id)"
        " FROM runner_run r JOIN gallery_notebook n ON n.id = r.notebook_id"
        " JOIN accounts_user u ON u.id = r.requested_by_id"
        " WHERE n.title = ANY(%s) AND r.kind = 'run'",
        list(titles),
    )
    return [
        SoakedRun(
            *row[:5],
            cells=(row[5], row[6]),
            has_result=row[7],
            events=seen.events[row[0]],
            claims=seen.claims[_hex(row[0])],
            kernels=seen.kernels[_hex(row[0])],
            reads=seen.reads[_hex(row[0])],
        )
        for row in rows
    ]


class _Seen:
    """What the event log, the worker, the kernel host and the data source saw of each run."""

    def __init__(self, product: Product) -> None:
        self.events: dict[str, dict[str, int]] = defaultdict(dict)
        for run_id, action, count in product.rows(
            product.app_dsn,
            "SELECT target_id, action, count(*) FROM audit.event"
            " WHERE target_type = 'runner.run' GROUP BY 1, 2",
        ):
            self.events[run_id][action] = count
        self.claims = _counted(_CLAIMED, product.log_lines("api-worker"))
        self.kernels = _counted(_KERNEL, product.log_lines("kernels"))
        self.reads: dict[str, Counter[int]] = defaultdict(Counter)
        log = product.log_lines("data-db")
        assert any(BEGINNING in line for line in log), "the log lost its beginning"
        for line in log:
            if found := _READ.search(line):
                self.reads[found[1]][int(found[2])] += 1


def _counted(pattern: re.Pattern[str], lines: list[str]) -> Counter[str]:
    found = (pattern.search(line) for line in lines)
    return Counter(_hex(each[1]) for each in found if each)


def _hex(run_id: Any) -> str:
    return str(run_id).replace("-", "")


def faults(runs: Iterable[SoakedRun], asked: Iterable[str]) -> list[str]:
    """Everything that is wrong with the ends of these runs; `asked` are those that were promised."""
    runs = list(runs)
    known = {run.id for run in runs}
    lost = [
        f"{each}: was taken, and is not there" for each in asked if each not in known
    ]
    return lost + [f"{run.id}: {fault}" for run in runs for fault in run.faults()]
