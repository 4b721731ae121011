"""The product, attacked: approved notebooks that wish it ill, and what is left afterwards.

A Celery worker, a kernel host and the data cluster, as they are in production. The runs of
the default launcher go through the queue, two at a time; those of bubblewrap through the
function that the worker calls.
"""

import dataclasses
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.test import override_settings

from gallery.models import Version
from runner import execution
from runner.models import Run
from runner.results.vault import unseal
from tests.runner.access.test_attacks import HIDDEN_FROM_BILLING, REFUSED_STATEMENTS
from tests.runner.access.test_logins import REFUSED_TO_RUNS
from tests.runner.attacks_on_data import (
    connections,
    data_socket,
    forged_messages,
    hidden_columns,
    input_from_nobody,
    oracles,
    places_of_the_machine,
    refused_statements,
    somebody_else,
)
from tests.runner.attacks_on_logins import (
    end_of_its_login,
    find_stash,
    left_for_the_next,
    only_counts,
    prepared_transaction,
    rights,
    words_to_others,
)
from tests.runner.ending_logins import CHANNEL, Witness, witness
from tests.runner.kernelhost import attacks, attacks_on_limits
from tests.runner.kernelhost import attacks_on_the_host as on_the_host
from tests.runner.kernelhost.catalogue import BATCH
from tests.runner.kernelhost.harness import (
    MIB,
    HostWithWaitingKernels,
    KernelHost,
    Outcome,
    command_lines,
    until,
)
from tests.runner.launching import approved, launch, wait_for_end
from tests.support import cast, environment, processes
from tests.support.data import DataCluster

ON_DATA = (
    *(connections, data_socket, refused_statements, somebody_else, oracles),
    *(rights, words_to_others, prepared_transaction),
    *(places_of_the_machine, input_from_nobody, forged_messages),
    # The last one: afterwards there is no login.
    end_of_its_login,
)
#: What the run of a data scientist tries.
AS_A_SCIENTIST = (only_counts, left_for_the_next)
#: What a run that comes later looks for.
FOR_TRACES = (attacks_on_limits.find_traces, find_stash, rights)
EVERY_REFUSED = {**REFUSED_STATEMENTS, **REFUSED_TO_RUNS}
STASH, PASSWORD = "left_for_the_next", "left-for-the-next"
ABSTRACT = f"countersign-product-listener-{os.getpid()}"
DAEMON_S = 161803
#: What a kernel prints and nothing but the sealed result may hold; no source has it whole.
CANARY = "CANARY-OF-4711-HOSPITAL"
SPEAKS = "print('CANARY-OF', 4711, 'HOSPITAL', sep='-')"
#: Cells that must end a run, or be endured by it: source, its limits, how the run ends.
DESTRUCTIVE: dict[str, tuple[str, dict[str, int], str]] = {
    "fork bomb": (on_the_host.FORK_BOMB, {"processes": 40}, "succeeded"),
    "memory hog": (
        on_the_host.SHARED_MEMORY,
        {"memory_bytes": 300 * MIB},
        "out_of_memory",
    ),
    "daemon": (
        on_the_host.DAEMON.format(marker=DAEMON_S, seconds=0.3),
        {},
        "succeeded",
    ),
    "kills its parent": (on_the_host.KILLS_ITS_PARENT, {}, "succeeded"),
    "flood": (
        on_the_host.FLOOD,
        {"output_bytes_per_cell": 100_000, "output_bytes": 1_000_000},
        "output_limit",
    ),
    "many files": (
        on_the_host.MANY_FILES,
        {"memory_bytes": 150 * MIB},
        "out_of_memory",
    ),
    "ignores signals": (on_the_host.IGNORES_SIGNALS, {"wall_clock_s": 3}, "timed_out"),
}


@dataclass
class Ended:
    """A run that is over: its row, and the notebook that it left."""

    run: Run
    outcome: Outcome

    def printed(self, attack: Any, among: Any) -> Any:
        """What an attack returned; the cells are those of ``among``."""
        return attacks.evidence(self.outcome, list(among).index(attack))


@dataclass
class Aftermath:
    """Every run by its name, and what was found when all were over."""

    runs: dict[str, Ended] = field(default_factory=dict)
    witnesses: list[Witness] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[int]:
    """A TCP port and an abstract socket of this machine that would answer."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        with socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind("\0" + ABSTRACT)
            abstract.listen()
            yield port.getsockname()[1]


def batch(host: KernelHost, port: int, cluster: DataCluster) -> Version:
    """An approved notebook of every attack that leaves the machine standing."""
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        hidden = owner.execute(
            "SELECT patient_id FROM clinic.patients WHERE attending = 'baker' LIMIT 1"
        ).fetchone()
    names = {
        "HOST_PORT": port,
        "ABSTRACT_NAME": ABSTRACT,
        "DATA_PORT": data_port(cluster),
        "STATEMENTS": EVERY_REFUSED,
        "CHANNEL": CHANNEL,
        "HIDDEN": hidden[0],
        "PLACES": [
            *(str(host.socket), str(settings.BASE_DIR), str(environment.home())),
            *("/etc/shadow", "/var/run/docker.sock", "/etc/ssh"),
        ],
    }
    cells = [attacks.cell_of(attack, **names) for attack in (*ON_DATA, *BATCH)]
    return approved(*cells, "print('alive')", SPEAKS)


def data_port(cluster: DataCluster) -> int:
    """Where the data source listens, which is not for kernels to know."""
    return int(psycopg.conninfo.conninfo_to_dict(cluster.hospital_owner_dsn)["port"])


def scientist(cluster: DataCluster) -> Version:
    """An approved notebook for a data scientist, which ends with what stays until its run is over."""
    names = {"STASH": STASH, "PASSWORD": PASSWORD, "DATA_PORT": data_port(cluster)}
    return approved(*(attacks.cell_of(each, **names) for each in AS_A_SCIENTIST))


def ended(run: Run) -> Ended:
    """Wait for the end of a run, and open what it left."""
    over = wait_for_end(run.pk, 120)
    sealed = bytes(over.result.notebook)
    associated = f"{over.pk}/notebook"
    notebook = unseal(sealed, keys=settings.RESULT_KEYS, associated=associated)
    return Ended(
        over, Outcome([{"event": "finished", "notebook": json.loads(notebook)}])
    )


def attack_by_bubblewrap(folder: Path, cluster: DataCluster, found: Aftermath) -> None:
    """Run the batch on a host that starts an interpreter for each run."""
    host = KernelHost(folder).start()
    before = remains(host)
    try:
        with (
            listening() as port,
            override_settings(KERNEL_HOST_SOCKET=str(host.socket)),
            witness(cluster) as beside,
        ):
            run = launch(batch(host, port, cluster), cast.create("adams"))
            with ThreadPoolExecutor(1) as aside:
                ending = aside.submit(beside.end_login, run)
                execution.execute(run.pk)
            ending.result()
            found.witnesses.append(beside)
            found.runs["exec"] = ended(run)
            run = launch(scientist(cluster), cast.create("ada"))
            execution.execute(run.pk)
            found.runs["scientist, exec"] = ended(run)
        look(host, before, cluster, found)
    finally:
        host.stop()


def attack_by_default(folder: Path, cluster: DataCluster, found: Aftermath) -> None:
    """Run everything through the queue, on kernels that waited or were forked."""
    host = HostWithWaitingKernels(folder)
    host.pool = "python-analytics/python3=2"
    host.start()
    host.wait_for_kernels()
    before = remains(host)
    worker = dataclasses.replace(
        processes.celery_worker(),
        name="attacked-worker",
        variables={"KERNEL_HOST_SOCKET": str(host.socket)},
    )
    worker.start(lambda: " ready." in worker.said())
    try:
        with listening() as port, witness(cluster) as beside:
            runs = launch_all(batch(host, port, cluster), scientist(cluster))
            beside.end_login(runs["fork, waited"])
            found.witnesses.append(beside)
            found.runs |= {name: ended(run) for name, run in runs.items()}
        traces = approved(*(attacks.cell_of(each, STASH=STASH) for each in FOR_TRACES))
        found.runs["the next"] = ended(
            launch(traces, cast.create("helen"), persona="doctor")
        )
        look(host, before, cluster, found)
        found.left[-1]["worker is gone"] = not worker.is_alive()
        found.left[-1]["canaries"] = holding_the_canary(
            host.home, environment.home(), Path("/dev/shm")
        )
    finally:
        worker.stop()
        host.stop()


def launch_all(everything: Version, counts: Version) -> dict[str, Run]:
    """Queue every run; those of one person stay within what one person may have waiting."""
    adams, baker, bill = map(cast.create, ("adams", "baker", "bill"))
    columns = attacks.cell_of(hidden_columns, STATEMENTS=HIDDEN_FROM_BILLING)
    runs = {
        "fork, waited": launch(everything, adams),
        "billing": launch(approved(columns), bill),
        "scientist": launch(counts, cast.create("ada")),
    }
    for name, (source, limits, _) in DESTRUCTIVE.items():
        runs[name] = launch(approved("print('before')", source, limits=limits), baker)
    return runs


def remains(host: KernelHost) -> dict[str, int]:
    """How many processes and control groups of kernels there are."""
    groups = Path("/sys/fs/cgroup").rglob(f"countersign-kernel-{host.process.pid}-*")
    return {
        "processes": len(host.kernel_processes()),
        "cgroups": len(list(groups)),
    }


def look(
    host: KernelHost, before: dict[str, int], cluster: DataCluster, found: Aftermath
) -> None:
    """Note what is left of the runs, which is nothing that was not there before them."""
    until(lambda: remains(host) == before, 20)
    logins = [f"r_{ended.run.pk.hex}" for ended in found.runs.values()]
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        still = owner.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [logins]
        ).fetchall()
        stashed = owner.execute(
            "SELECT setconfig FROM pg_db_role_setting WHERE setconfig::text LIKE %s",
            [f"%{STASH}%"],
        ).fetchall()
        found.left.append(
            {
                "more than before": remains(host) != before and (remains(host), before),
                "host is gone": host.process.poll(),
                "logins": still,
                "settings": stashed,
                "passwords": [each for each in logins if lets_in(each, cluster)],
                "daemons": [
                    line for line in command_lines() if f"sleep {DAEMON_S}" in line
                ],
                "faults": [
                    line
                    for line in host.log().splitlines()
                    if "ended by a fault" in line or "left something" in line
                ],
            }
        )


def lets_in(login: str, cluster: DataCluster) -> bool:
    """Whether the password that a notebook gave its login opens anything, without a kernel around."""
    try:
        psycopg.connect(
            cluster.hospital_owner_dsn, user=login, password=PASSWORD
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def holding_the_canary(*folders: Path) -> list[str]:
    """Every file below, logs included, that holds what a kernel printed."""
    grep = ["grep", "-rlaF", "--devices=skip", CANARY, *map(str, folders)]
    return subprocess.run(grep, capture_output=True, text=True).stdout.splitlines()
