"""Every way in which a run can end badly has its own status, and nothing is left behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from runner.kernelhost import cgroups, client
from runner.kernelhost.client import ConnectionLost
from tests.runner.kernelhost import attacks_on_the_host
from tests.runner.kernelhost.harness import (
    MIB,
    ForkingHost,
    KernelHost,
    command_lines,
    until,
)


@pytest.fixture(scope="module", params=["exec", "fork"])
def host(request, executing_host, forking_host):
    """A host of each launcher."""
    return executing_host if request.param == "exec" else forking_host


@pytest.fixture
def flooded(forking_host):
    """A host for what meets it only after the launch."""
    return forking_host


def started(session, kind="cell_started"):
    """Read events up to the first of a kind."""
    for event in session.events(timeout_s=30):
        assert event is not None, "nothing happened"
        if event["event"] == kind:
            return event
    raise AssertionError("it ended")


def last_of(session):
    return [event for event in session.events(timeout_s=30) if event][-1]


def test_the_wall_clock_ends_everything_even_a_daemon(host):
    outcome = host.run(
        "print('partial')",
        attacks_on_the_host.DAEMON.format(marker=314159, seconds=60),
        limits={"wall_clock_s": 4},
    )
    assert outcome.status == "timed_out"
    assert outcome.error["code"] == "timed_out"
    assert outcome.error["cell"] == 1
    assert outcome.text(0) == "partial\n"
    assert outcome.seconds < 7
    assert not any("sleep 314159" in line for line in command_lines())
    assert until(lambda: not host.kernel_processes())


def test_a_daemon_does_not_survive_a_run_that_succeeds(host):
    outcome = host.run(attacks_on_the_host.DAEMON.format(marker=271828, seconds=0.3))
    assert outcome.status == "succeeded"
    assert not any("sleep 271828" in line for line in command_lines())


def test_a_cell_that_takes_too_long_is_named(host):
    outcome = host.run(
        "1", "print('so far', flush=True)\nwhile True: pass", limits={"cell_s": 2}
    )
    assert outcome.status == "timed_out"
    assert (outcome.error["code"], outcome.error["cell"]) == ("timed_out", 1)
    assert outcome.text(1) == "so far\n"


@pytest.mark.parametrize(
    "source",
    [
        attacks_on_the_host.IGNORES_SIGNALS,
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["ignores signals", "swallows interrupts", "stops itself"],
)
def test_a_kernel_that_resists_is_killed_at_the_wall_clock(host, source):
    outcome = host.run(source, limits={"wall_clock_s": 3})
    assert outcome.status == "timed_out"
    assert outcome.seconds < 5


def test_cancelling_keeps_what_there_is_and_answers_within_two_seconds(host):
    with host.session(
        "print('kept', flush=True)\nimport time\ntime.sleep(60)", "print('never')"
    ) as session:
        started(session, "output")
        moment = time.monotonic()
        session.cancel()
        last = last_of(session)
    assert time.monotonic() - moment < 2
    assert last["status"] == "cancelled"
    assert last["error"]["cell"] == 0
    assert last["notebook"]["cells"][0]["outputs"][0]["text"] == "kept\n"


def test_cancelling_works_against_a_kernel_that_resists(host):
    source = "print('in', flush=True)\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass"
    with host.session(source) as session:
        started(session, "output")
        moment = time.monotonic()
        session.cancel()
        assert last_of(session)["status"] == "cancelled"
    assert time.monotonic() - moment < 2


def test_cancelling_before_the_kernel_is_ready_works_too(host):
    with host.session("print('never')") as session:
        started(session, "accepted")
        session.cancel()
        last = last_of(session)
    assert last["status"] == "cancelled"
    assert until(lambda: not host.kernel_processes())


def test_when_the_requester_dies_its_run_dies_at_once(host):
    with host.session("import time\ntime.sleep(60)") as session:
        started(session)
        assert host.kernel_processes()
    assert until(lambda: not host.kernel_processes(), 2)
    assert until(lambda: client.status(host.socket)["active"] == 0)


@pytest.mark.parametrize(
    "source", ["import os\nos._exit(1)", "import os\nos.kill(os.getpid(), 9)"]
)
def test_a_kernel_that_ends_itself_has_died(host, source):
    outcome = host.run("print('before')", source)
    assert outcome.status == "kernel_died"
    assert outcome.error["cell"] == 1
    assert outcome.text(0) == "before\n"


def test_memory_beyond_the_cap_is_told_from_a_death(host):
    outcome = host.run(
        "print('before')",
        "blocks = []\nwhile True: blocks.append(bytearray(16 * 1024 * 1024))",
        limits={"memory_bytes": 300 * MIB, "wall_clock_s": 30},
    )
    # Whichever stops it first: the cgroup kills, or the data limit raises.
    assert (
        outcome.status == "out_of_memory" or outcome.error["exception"] == "MemoryError"
    )
    assert outcome.error["cell"] == 1


def test_memory_shared_out_over_processes_is_capped_too(host):
    outcome = host.run(
        attacks_on_the_host.SHARED_MEMORY,
        limits={"memory_bytes": 300 * MIB, "wall_clock_s": 30},
    )
    assert outcome.status == "out_of_memory"
    assert outcome.error["code"] == "out_of_memory"


def test_a_fork_bomb_is_bounded(host):
    outcome = host.run(
        attacks_on_the_host.FORK_BOMB,
        limits={"processes": 40},
    )
    word, count = outcome.text(0).split()
    assert word == "BlockingIOError"
    assert 5 < int(count) <= 40


def test_a_flood_of_text_is_cut_with_a_mark_and_the_run_goes_on(flooded):
    outcome = flooded.run(
        "for _ in range(30): print('x' * 100_000)",
        "print('next')",
        limits={"output_bytes_per_cell": 500_000},
    )
    assert outcome.status == "succeeded"
    assert "cut at 500,000 bytes" in outcome.text(0)
    assert len(outcome.text(0)) < 501_000
    assert outcome.text(1) == "next\n"
    assert outcome.last["truncated"][0]["cell"] == 0


def test_a_flood_without_end_stops_the_run(flooded):
    outcome = flooded.run(
        attacks_on_the_host.FLOOD,
        limits={
            "output_bytes_per_cell": 100_000,
            "output_bytes": 1_000_000,
            "wall_clock_s": 40,
        },
    )
    assert outcome.status == "output_limit"
    assert outcome.error["cell"] == 0
    assert outcome.seconds < 20


def test_a_flood_into_an_output_widget_stops_the_run(flooded):
    """However often it is emptied."""
    outcome = flooded.run(
        "import ipywidgets\n"
        "out = ipywidgets.Output()\n"
        "with out:\n"
        "    while True:\n"
        "        out.clear_output()\n"
        "        print('x' * 100_000)",
        limits={"output_bytes": 1_000_000, "wall_clock_s": 40},
    )
    assert outcome.status == "output_limit"
    assert outcome.seconds < 20


def test_a_flood_of_displays_stops_the_run(flooded):
    outcome = flooded.run(
        "from IPython.display import display\nwhile True: display(1)",
        limits={"outputs": 50},
    )
    assert outcome.status == "output_limit"
    assert "cut at 50 outputs" in outcome.text(0)


def test_one_message_larger_than_any_limit_does_not_hurt_the_host(flooded):
    outcome = flooded.run(
        "from IPython.display import display\n"
        "display({'text/plain': 'x' * (40 * 1024 * 1024)}, raw=True)\n"
        "print('after')",
        limits={"wall_clock_s": 30},
    )
    assert outcome.status in {"succeeded", "output_limit"}
    assert outcome.last["truncated"]
    assert flooded.run("print('alive')").text(0) == "alive\n"


def test_nothing_is_left_behind(host):
    host.run("print(1)")
    pid = host.process.pid
    assert until(lambda: not host.kernel_processes())
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    for _ in range(3):
        host.run("print(1)")
    assert until(lambda: not host.kernel_processes())
    assert until(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) <= descriptors)
    if os.geteuid() == 0:
        assert not list(Path("/sys/fs/cgroup").rglob(f"countersign-kernel-{pid}-*"))


MALFORMED_FLOOD = """
sock = get_ipython().kernel.iopub_socket
print('flooding', flush=True)
while True:
    sock.send_multipart([b'x', b'<IDS|MSG>', b'no signature', b'{', b'{}', b'{}', b'{}'])
"""
NESTED_FLOOD = """
k = get_ipython().kernel
print('flooding', flush=True)
while True:
    k.session.send(k.iopub_socket, 'stream', {'name': 'stdout', 'text': '', 'x': [[]] * 3_000_000}, parent=k.get_parent())
"""


@pytest.mark.security
@pytest.mark.parametrize(
    "source",
    [MALFORMED_FLOOD, NESTED_FLOOD],
    ids=["malformed", "nested"],
)
def test_a_kernel_that_floods_the_host_stops_neither_it_nor_the_others(flooded, source):
    with flooded.session(source, limits={"wall_clock_s": 9}) as flooding:
        started(flooding, "output")
        others = flooded.run("print('through')", limits={"wall_clock_s": 40})
        assert others.text(0) == "through\n"
        last = last_of(flooding)
    assert last["status"] in {"timed_out", "output_limit", "out_of_memory"}
    assert peak_memory(flooded) < 1500 * MIB


def peak_memory(host):
    """The most memory that the kernel host ever used, in bytes."""
    lines = Path(f"/proc/{host.process.pid}/status").read_text().splitlines()
    return next(
        int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")
    )


class TestWithItsOwnHost:
    @pytest.fixture(params=[KernelHost, ForkingHost], ids=["exec", "fork"])
    def own(self, request, environments, tmp_path):
        running = request.param(tmp_path / "h").start()
        yield running
        if running.process.poll() is None:
            running.stop(signal.SIGKILL)

    def test_killing_the_host_kills_its_kernels(self, own):
        with own.session("import time\ntime.sleep(60)") as session:
            started(session)
            kernels = own.kernel_processes()
            assert kernels
            own.stop(signal.SIGKILL)
            assert until(
                lambda: not any(Path(f"/proc/{pid}/root").exists() for pid in kernels),
                3,
            )
            with pytest.raises(ConnectionLost):
                last_of(session)

    def test_sigterm_ends_the_runs_and_leaves_nothing(self, own):
        with own.session("import time\ntime.sleep(60)") as session:
            started(session)
            kernels = own.kernel_processes()
            own.process.send_signal(signal.SIGTERM)
            assert last_of(session)["status"] == "cancelled"
        assert own.process.wait(10) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in kernels)
        assert not own.socket.exists()

    def test_a_new_host_sweeps_what_a_killed_one_left(self, own):
        with own.session("import time\ntime.sleep(60)") as session:
            started(session)
            old = own.process.pid
            own.stop(signal.SIGKILL)
        own.start()
        assert own.run("print('again')").text(0) == "again\n"
        if os.geteuid() == 0:
            assert not list(Path("/sys/fs/cgroup").rglob(f"countersign-kernel-{old}-*"))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root has control groups")
    def test_a_new_host_knows_a_dead_one_by_more_than_a_number_that_lives_again(
        self, own
    ):
        tree = cgroups.find_trees()[0]
        alive = cgroups.host_name(os.getpid())
        names = (f"{os.getpid()}-1", alive, f"{os.getpid()}", "12ab")
        groups = [tree.base / f"{cgroups.PREFIX}{name}-run" for name in names]
        for group in groups:
            group.mkdir()
        try:
            own.stop(signal.SIGTERM)
            own.start()
            assert [group.exists() for group in groups] == [False, True, True, True]
        finally:
            for group in groups:
                cgroups.kill_and_remove(group)
