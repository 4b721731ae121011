"""The same host started by an ordinary user: user namespaces, rlimits and seccomp are what it has."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.kernelhost import client
from runner.kernelhost.confinement import REQUIRED_LAYERS
from tests.runner.kernelhost import attacks
from tests.runner.kernelhost.attacks_on_the_host import MANY_FILES
from tests.runner.kernelhost.harness import (
    MIB,
    REPOSITORY,
    KernelHost,
    processes_below,
    until,
)
from tests.runner.kernelhost.test_nursery import LOOKS_AT_PROCESS_1

pytestmark = pytest.mark.security
ORDINARY_UID = 61404

# The interpreter may live below a home that the ordinary user cannot enter; a
# private mount namespace shows just the interpreter there.
BECOME = """
set -e
prefix=$1; home=$2; shift 2
mkdir -p "$home/interpreter" && mount --bind "$prefix" "$home/interpreter"
case "$prefix" in /root/*) mount -t tmpfs -o mode=0755 none /root; mkdir -p "$prefix"; mount --bind "$home/interpreter" "$prefix";; esac
exec setpriv --reuid {uid} --regid {uid} --clear-groups "$@"
"""


class OrdinaryHost(KernelHost):
    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        os.chown(self.home, ORDINARY_UID, ORDINARY_UID)
        prefix = str(Path(sys.base_prefix).resolve())
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        "unshare",
                        "-m",
                        "--propagation",
                        "private",
                        "sh",
                        "-c",
                        BECOME.format(uid=ORDINARY_UID),
                    ),
                    *(
                        "become",
                        prefix,
                        str(self.home),
                        sys.executable,
                        "-m",
                        "runner.kernelhost",
                    ),
                ],
                cwd=REPOSITORY,
                env={
                    "PATH": os.environ["PATH"],
                    "KERNEL_HOST_SOCKET": str(self.socket),
                },
                stdout=log,
                stderr=log,
            )
        self.wait()
        return self


@pytest.fixture(scope="module")
def ordinary(environments, open_folder):
    if os.geteuid() != 0:
        running = KernelHost(open_folder / "ordinary").start()
    else:
        running = OrdinaryHost(open_folder / "ordinary").start()
    yield running
    running.stop()
    assert "ended by a fault" not in running.log()


def test_the_required_layers_hold_and_that_is_not_degraded(ordinary):
    status = client.status(ordinary.socket)
    assert status["ok"] is True
    assert status["degraded"] is False
    assert set(status["layers"]) == set(REQUIRED_LAYERS)


@pytest.mark.parametrize("launcher", ["fork", "exec"])
def test_notebooks_run_and_attacks_meet_the_same_walls(ordinary, launcher):
    # Only the environments of the pool are forked.
    environment = {"fork": "python-analytics", "exec": "bash"}[launcher]
    assert until(lambda: "is warm" in ordinary.log(), 30), ordinary.log()
    outcome = ordinary.run(
        "print(6 * 7)",
        attacks.cell_of(attacks.status),
        attacks.cell_of(attacks.system_calls),
        attacks.cell_of(attacks.network, HOST_PORT=1),
        environment=environment,
    )
    assert outcome.of("accepted")[0]["evidence"]["launcher"] == launcher
    assert outcome.text(0) == "42\n"
    status = attacks.evidence(outcome, 1)
    assert (status["CapEff"], status["NoNewPrivs"], status["Seccomp"]) == (
        "0" * 16,
        "1",
        "2",
    )
    assert set(attacks.evidence(outcome, 2).values()) == {"EPERM", "ENOSYS"}
    assert "connected" not in attacks.evidence(outcome, 3).values()


def test_a_fork_cannot_look_into_its_process_1_though_the_machine_sees_one_user(
    ordinary,
):
    assert until(lambda: "is warm" in ordinary.log(), 30), ordinary.log()
    outcome = ordinary.run(LOOKS_AT_PROCESS_1, "print('still there')")
    assert outcome.of("accepted")[0]["evidence"]["launcher"] == "fork"
    assert "allowed" not in outcome.text(0), outcome.text(0)
    assert outcome.text(1) == "still there\n"


@pytest.mark.parametrize(
    "source",
    [
        "import mmap\nm = mmap.mmap(-1, 2 * 1024**3)\nfor i in range(0, 2 * 1024**3, 4096): m[i] = 1",
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        b = bytearray(100 * 1024 * 1024)\n        time.sleep(20)\n        os._exit(0)\ntime.sleep(20)",
        MANY_FILES,
    ],
    ids=["shared", "over processes", "many files"],
)
def test_memory_is_watched_without_control_groups(ordinary, source):
    outcome = ordinary.run(
        source, limits={"memory_bytes": 250 * MIB, "wall_clock_s": 30}
    )
    assert outcome.status == "out_of_memory"


def test_processes_are_bounded_without_control_groups(ordinary):
    outcome = ordinary.run(
        "import os, time\nn = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(9)\n            os._exit(0)\n        n += 1\nexcept OSError: print(n)",
        limits={"processes": 40},
    )
    assert 5 < int(outcome.text(0)) < 40


def test_nothing_survives_the_host(ordinary, tmp_path):
    with ordinary.session("import time\ntime.sleep(60)") as session:
        for event in session.events(timeout_s=30):
            if event and event["event"] == "cell_started":
                break
        kernels = processes_below(ordinary.process.pid)
        ordinary.stop(signal.SIGKILL)
        assert kernels
        assert until(
            lambda: not any(Path(f"/proc/{pid}/root").exists() for pid in kernels), 3
        )
    ordinary.start()
