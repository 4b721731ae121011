"""A few runs while parts die at random: each ends once, none runs twice, nothing is left.

`make soak` does the same with the whole product, its databases and its queue.
"""

import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from runner import sweep
from runner.kernelhost import cgroups, client
from runner.models import Run, RunOutput
from runner.services import sweeping
from runner.workflow import FINAL
from tests.runner.launching import approved, launch
from tests.support.data import DataCluster
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("committed_db"),
]

RUNS_OF_EACH = 6
READ = "import psycopg\npsycopg.connect().execute('SELECT 1')"
SLEEP = "import time\ntime.sleep(0.5)"
#: However busy the machine is; what is over is seen at once.
QUIET_WITHIN_S = 240


class Parts:
    """A kernel host and a worker, and what of them can be killed."""

    def __init__(self, host: Process, worker: Process) -> None:
        self.host, self.worker = host, worker
        self.hosts = {host.pid}

    def kernel(self) -> list[int]:
        """A process of a kernel."""
        found = [path / "cgroup.procs" for path in groups(self.hosts)]
        return [int(pid) for each in found for pid in read(each).split()]

    def below_the_host(self) -> list[int]:
        """A kernel, a template, or who waits for its end."""
        return below(self.host.pid)

    def child(self) -> list[int]:
        """Who supervises a run."""
        return below(self.worker.pid)

    def kill_one(self, of: Callable[[], list[int]], chance: random.Random) -> None:
        """Kill one of them, if there is any."""
        if found := of():
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(found)), signal.SIGKILL)

    def kill_the_host(self) -> None:
        """Kill the kernel host itself, and start another one."""
        self.host.popen.kill()
        self.host.popen.wait()
        self.host.start(answers)
        self.hosts.add(self.host.pid)

    def kill_the_worker(self) -> None:
        """Kill the worker's parent, and start another one."""
        self.worker.popen.kill()
        self.worker.popen.wait()
        already = self.worker.said().count(" ready.")
        self.worker.start(lambda: self.worker.said().count(" ready.") > already)


def below(pid: int) -> list[int]:
    """Whoever a process has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [each.pid for each in psutil.Process(pid).children(recursive=True)]
    return []


def read(file: Path) -> str:
    """What a file says; nothing when it is gone."""
    with contextlib.suppress(OSError):
        return file.read_text()
    return ""


def answers() -> bool:
    """Whether the kernel host takes work."""
    with contextlib.suppress(client.KernelHostUnavailable, client.ConnectionLost):
        return bool(client.status(settings.KERNEL_HOST_SOCKET)["ok"])
    return False


def groups(hosts: set[int]) -> list[Path]:
    """The control groups that these kernel hosts made for kernels."""
    if os.geteuid():
        return []
    return [
        path
        for tree in cgroups.find_trees()
        for path in cgroups.run_directories(tree)
        if path.name.removeprefix(cgroups.PREFIX).split("-")[0] in map(str, hosts)
    ]


def logins(cluster: DataCluster, runs: list[Run]) -> list[str]:
    """Logins of these runs that the data source still has."""
    names = [f"r_{run.pk.hex}" for run in runs]
    query = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)"
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        return [name for (name,) in owner.execute(query, [names]).fetchall()]


def ends_in_the_log() -> dict[str, list[str]]:
    """Each run, and every end that the event log has of it."""
    query = (
        "SELECT target_id, action FROM audit.event"
        " WHERE target_type = 'runner.run' AND action = ANY(%s)"
    )
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [[f"run.{status}" for status in FINAL]])
        for run_id, action in cursor.fetchall():
            found.setdefault(run_id, []).append(action)
    return found


def twice(pattern: str, text: str) -> list[str]:
    """What a log says of a run more than once."""
    return [run for run, n in Counter(re.findall(pattern, text)).items() if n > 1]


def until_quiet(is_quiet: Callable[[], bool]) -> None:
    """Sweep as beat would, until it is so."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    while not is_quiet() and time.monotonic() < deadline:
        sweep.sweep_runs(now=timezone.now())
        time.sleep(0.5)


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send messages again sooner than in earnest: one too many does no harm."""
    monkeypatch.setattr(sweeping, "QUEUE_PATIENCE", timedelta(seconds=6))


def test_each_run_ends_once_whatever_dies(
    impatience: None,
    kernel_host: Process,
    celery_worker: Process,
    data_cluster: DataCluster,
    adams: User,
    baker: User,
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201  shown when it fails
    chance = random.Random(seed)
    parts = Parts(kernel_host, celery_worker)
    kills: list[Callable[[], None]] = [
        lambda: parts.kill_one(parts.kernel, chance),
        lambda: parts.kill_one(parts.below_the_host, chance),
        lambda: parts.kill_one(parts.child, chance),
        parts.kill_the_host,
        parts.kill_the_worker,
    ]
    chance.shuffle(kills)
    version = approved(READ, SLEEP, READ)
    runs = [launch(version, by) for _ in range(RUNS_OF_EACH) for by in (adams, baker)]
    for kill in kills:
        time.sleep(chance.uniform(0, 1.5))
        kill()

    until_quiet(
        lambda: (
            not Run.objects.exclude(status__in=FINAL).exists()
            and not logins(data_cluster, runs)
            and not groups(parts.hosts)
        )
    )
    ended = {str(run.pk): [f"run.{run.status}"] for run in Run.objects.all()}
    assert set(ended) == {str(run.pk) for run in runs}
    assert ends_in_the_log() == ended
    assert twice(r"run\.claimed run_id=(\S+)", celery_worker.said()) == []
    assert twice(r"run\.has_kernel run_id=(\S+)", kernel_host.said()) == []
    assert logins(data_cluster, runs) == []
    assert groups(parts.hosts) == []
    assert not RunOutput.objects.exists()
