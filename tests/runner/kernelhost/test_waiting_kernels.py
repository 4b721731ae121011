"""Kernels that wait for a run: claimed once, never shared, replaced, and gone with their host."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.kernelhost import cgroups, client
from runner.kernelhost.confinement import FURTHER_LAYERS
from runner.kernelhost.environments import resolve
from runner.kernelhost.kernel import Kind
from runner.kernelhost.settings import InvalidSetting, read_settings
from tests.runner.kernelhost.harness import (
    KernelHost,
    pids_inside,
    processes_below,
    templates_below,
    until,
)

BORN = "print(open('/proc/self/stat').read().split()[21])"
READY_WITHIN_S = 30


def ready(host: KernelHost) -> int:
    (pool,) = client.status(host.socket)["pool"]
    return pool["ready"]


def wait_for(host: KernelHost, count: int) -> None:
    assert until(lambda: ready(host) == count, READY_WITHIN_S), host.log()


def was_pooled(outcome) -> bool:
    return outcome.of("accepted")[0]["evidence"]["pooled"]


def kernels(host: KernelHost) -> list[int]:
    """Process 1 of every sandbox."""
    templates = templates_below(host.process.pid)
    return [
        pid
        for pid in processes_below(host.process.pid)
        if pids_inside(pid)[-1:] == [1] and pid not in templates
    ]


def groups_of(host: KernelHost) -> list[Path]:
    """The control groups that a host made and that are still there; only root makes any."""
    if os.geteuid():
        return []
    name = f"{cgroups.PREFIX}{host.process.pid}-"
    return [
        directory
        for tree in cgroups.find_trees()
        for directory in cgroups.run_directories(tree)
        if directory.name.startswith(name)
    ]


@pytest.fixture
def pooled(environments, tmp_path) -> Iterator[KernelHost]:
    """A host on which two kernels wait."""
    # The smallest environment, which is warm soonest.
    host = KernelHost(
        tmp_path / "host",
        {"KERNEL_HOST_POOL": "bash/python3=2"},
        notebook_environment="bash",
    ).start()
    wait_for(host, 2)
    yield host
    if host.process.poll() is None:
        host.stop()
    assert "ended by a fault" not in host.log(), host.log()
    assert "left something behind" not in host.log(), host.log()


@pytest.mark.security
def test_each_run_has_a_kernel_that_waited_and_that_nobody_else_gets(pooled):
    born = []
    for _ in range(3):
        outcome = pooled.run(BORN, "mine = 1")
        assert outcome.status == "succeeded", outcome.last
        assert was_pooled(outcome)
        born.append(outcome.text(0))
        wait_for(pooled, 2)
    assert len(set(born)) == 3


@pytest.mark.security
def test_nothing_of_one_run_is_there_for_the_next(pooled):
    leave = (
        "secret = 'CANARY-4711'\n"
        "for folder in ('/tmp', '/home/kernel', '/dev/shm'):\n"
        "    open(f'{folder}/left', 'w').write(secret)"
    )
    look = (
        "import os\n"
        "print([os.path.exists(f'{f}/left') for f in ('/tmp', '/home/kernel', '/dev/shm')])\n"
        "print('secret' in globals(), os.listdir('/run/data'))"
    )
    assert was_pooled(pooled.run(leave))
    outcome = pooled.run(look)
    assert was_pooled(outcome)
    assert outcome.text(0) == "[False, False, False]\nFalse []\n"


@pytest.mark.security
def test_nothing_can_be_put_beside_the_data_sockets_from_inside(pooled):
    outcome = pooled.run(
        "import errno, os, socket\n"
        "def put(act):\n"
        "    try: act()\n"
        "    except OSError as e: return errno.errorcode[e.errno]\n"
        "print(put(lambda: open('/run/data/x', 'w')), put(lambda: os.mkdir('/run/data/y')),\n"
        "      put(lambda: os.symlink('/tmp', '/run/data/default')),\n"
        "      put(lambda: socket.socket(socket.AF_UNIX).bind('/run/data/s')))"
    )
    assert was_pooled(outcome)
    assert outcome.text(0) == "EROFS EROFS EROFS EROFS\n"


def test_runs_at_the_same_time_claim_each_another_kernel(pooled):
    # Not when they were born, which two may have been in the same tick of the clock.
    who = "print(get_ipython().kernel.session.key)"
    sessions = [pooled.session(who, "import time; time.sleep(1)") for _ in range(3)]
    last, claimed = [], []
    for session in sessions:
        with session:
            events = [event for event in session.events() if event]
        claimed.append(events[0]["evidence"]["pooled"])
        last.append(events[-1]["notebook"]["cells"][0]["outputs"][0]["text"])
    assert len(set(last)) == 3
    assert sorted(claimed) == [False, True, True]


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("1", {"limits": {"memory_bytes": 512 << 20}}),
        ("1", {"limits": {"processes": 32}}),
        ("echo", {"environment": "bash", "kernel_name": "bash"}),
    ],
    ids=["other memory", "other processes", "another kernel"],
)
def test_a_run_that_needs_another_kernel_does_not_get_a_waiting_one(
    pooled, code, asked
):
    outcome = pooled.run(code, **asked)
    assert outcome.status == "succeeded", outcome.last
    assert not was_pooled(outcome)
    assert ready(pooled) == 2


def test_limits_that_bind_from_outside_hold_for_a_kernel_that_waited(pooled):
    outcome = pooled.run("import time; time.sleep(60)", limits={"wall_clock_s": 1})
    assert was_pooled(outcome)
    assert outcome.status == "timed_out"
    wait_for(pooled, 2)
    outcome = pooled.run("print('x' * 100_000)", limits={"output_bytes_per_cell": 2048})
    assert was_pooled(outcome)
    assert outcome.last["truncated"]


@pytest.mark.security
def test_a_waiting_kernel_reaches_no_data_and_knows_no_login(pooled):
    waiting = pooled.numbered(2)
    assert len(waiting) == len(kernels(pooled)) == 2
    for pid in waiting:
        process = Path("/proc") / str(pid)
        inside = process / "root"
        assert list((inside / "run" / "data").iterdir()) == []
        told = (process / "environ").read_bytes()
        assert b"PGUSER=run\0" in told
        assert b"PGPASSWORD" not in told


def test_a_kernel_that_died_while_it_waited_is_not_claimed_and_is_replaced(pooled):
    for pid in kernels(pooled):
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: ready(pooled) == 0, READY_WITHIN_S)
    outcome = pooled.run("1")
    assert outcome.status == "succeeded"
    assert not was_pooled(outcome)
    wait_for(pooled, 2)
    assert was_pooled(pooled.run("1"))


def test_while_a_run_is_under_way_no_kernel_is_started(pooled):
    with pooled.session("import time; time.sleep(120)") as long:
        events = long.events()
        while next(events)["event"] != "ready":
            pass
        assert was_pooled(pooled.run("1"))
        time.sleep(2)
        assert ready(pooled) == 0
    wait_for(pooled, 2)


@pytest.mark.security
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_waiting_kernels_end_with_their_host(pooled, number):
    below = processes_below(pooled.process.pid)
    assert below
    pooled.stop(number)
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def test_a_host_that_stops_while_kernels_start_leaves_none(environments, tmp_path):
    host = KernelHost(tmp_path / "host", {"KERNEL_HOST_POOL": "bash/python3=3"}).start()
    assert until(lambda: kernels(host) or groups_of(host))
    below = processes_below(host.process.pid)
    assert host.stop() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)
    assert "left something behind" not in host.log()
    assert groups_of(host) == [], host.log()


def test_an_environment_that_is_not_there_is_said_once_and_hurts_nobody(
    environments, tmp_path
):
    host = KernelHost(tmp_path / "host", {"KERNEL_HOST_POOL": "fortran/f77=2"}).start()
    try:
        assert ready(host) == 0
        assert host.run("1").status == "succeeded"
        assert host.run("1").status == "succeeded"
        assert host.log().count("no kernel waits for fortran") == 1
    finally:
        host.stop()


def test_a_kernel_of_other_packages_is_of_another_kind(environments):
    definition = resolve(environments, "python-analytics", "python3")
    caps = read_settings({"KERNEL_HOST_SOCKET": "/s"}).pool_caps
    rebuilt = replace(definition, lock_sha256="0" * 64)
    assert Kind(definition, caps) == Kind(replace(definition), caps)
    assert Kind(definition, caps) != Kind(rebuilt, caps)


def test_the_size_of_the_pool_is_a_setting():
    given = {"KERNEL_HOST_SOCKET": "/s"}
    assert read_settings(given).pool == {("python-analytics", "python3"): 2}
    assert read_settings({**given, "KERNEL_HOST_POOL": ""}).pool == {}
    two = "python-analytics/python3=4, bash/bash=1"
    assert read_settings({**given, "KERNEL_HOST_POOL": two}).pool == {
        ("python-analytics", "python3"): 4,
        ("bash", "bash"): 1,
    }
    capped = read_settings({**given, "RUN_MEMORY_BYTES": "536870912"})
    assert capped.pool_caps.memory_bytes == 536870912


@pytest.mark.parametrize(
    "wrong", ["python3=2", "a/b", "a/b=many", "a/b=-1", "a/../b=1"]
)
def test_a_pool_that_makes_no_sense_is_named(wrong):
    with pytest.raises(InvalidSetting, match="KERNEL_HOST_POOL"):
        read_settings({"KERNEL_HOST_SOCKET": "/s", "KERNEL_HOST_POOL": wrong})


def test_a_status_says_how_many_wait(pooled):
    status = client.status(pooled.socket)
    further = status["pool"][0].pop("layers")
    assert set(further) == set(FURTHER_LAYERS)
    assert json.loads(json.dumps(status["pool"])) == [
        {
            "environment": "bash",
            "kernel_name": "python3",
            "size": 2,
            "ready": 2,
            "launcher": "fork",
        }
    ]
