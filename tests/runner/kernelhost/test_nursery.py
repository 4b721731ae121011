"""Process 1 of a forked sandbox: it waits for orphans, and is of no use to anybody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.runner.kernelhost.harness import (
    ForkingHost,
    launcher_of,
    status_of,
    until,
)

LOOKS_AT_PROCESS_1 = (
    "import os\n"
    "def tried(what):\n"
    "    try: what()\n"
    "    except OSError as refused: return type(refused).__name__\n"
    "    return 'allowed'\n"
    "print({name: tried(lambda: os.stat('/proc/1/' + name + '/.'))\n"
    "       for name in ('root', 'cwd', 'fd', '')})\n"
    "print({name: tried(lambda: open('/proc/1/' + name, 'rb').read(1))\n"
    "       for name in ('mem', 'environ', 'maps', 'mountinfo', 'cgroup', 'net/unix', 'status')})\n"
    "print(tried(lambda: open('/proc/1/oom_score_adj', 'w')),\n"
    "      tried(lambda: os.readlink('/proc/1/ns/mnt')))"
)


@contextmanager
def asleep(host: ForkingHost) -> Iterator[None]:
    """One run is under way, and no other has anything left."""
    assert until(lambda: not host.forked_processes())
    with host.session("import time\ntime.sleep(60)") as session:
        events = session.events(timeout_s=30)
        while next(events)["event"] != "cell_started":
            pass
        yield


def descriptors(pid: int) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.security
def test_process_1_of_a_fork_has_no_rights_and_nothing_in_hand(host):
    with asleep(host):
        (init,) = host.numbered(1)
        status = status_of(init)
        held = {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")}
        assert held == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        assert descriptors(init) == 0


@pytest.mark.security
def test_a_nursery_holds_its_door_its_namespace_its_template_and_processes_1(host):
    with asleep(host):
        (kernel,) = host.numbered(2)
        template = int(status_of(kernel)["PPid"])
        assert descriptors(int(status_of(template)["PPid"])) == 4


def test_descriptors_do_not_become_more_with_the_forks(host):
    counts = []
    for _ in range(2):
        with asleep(host):
            (kernel,) = host.numbered(2)
            template = int(status_of(kernel)["PPid"])
            nursery = int(status_of(template)["PPid"])
            counts.append((descriptors(template), descriptors(nursery)))
        for _ in range(5):
            host.run("1")
    assert counts[0] == counts[1]


@pytest.mark.security
def test_process_1_of_a_fork_cannot_be_looked_into_or_harmed_by_its_kernel(host):
    outcome = host.run(LOOKS_AT_PROCESS_1, "print('still there')")
    assert launcher_of(outcome) == "fork"
    assert "allowed" not in outcome.text(0), outcome.text(0)
    assert outcome.text(1) == "still there\n"


def test_whoever_loses_its_parent_is_waited_for(host):
    orphans = (
        "import os, time\n"
        "for _ in range(20):\n"
        "    if (child := os.fork()) == 0:\n"
        "        if os.fork() == 0: time.sleep(0.1)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "for _ in range(200):\n"
        "    left = [name for name in os.listdir('/proc') if name.isdigit()]\n"
        "    if left == ['2']: break\n"
        "    time.sleep(0.1)\n"
        "print(left)"
    )
    outcome = host.run(orphans)
    assert launcher_of(outcome) == "fork"
    assert outcome.text(0) == "['2']\n"


@pytest.mark.security
def test_everything_of_a_fork_ends_with_its_kernel(host):
    leave = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    time.sleep(60)\n"
        "os._exit(3)"
    )
    assert host.run(leave).status == "kernel_died"
    assert until(lambda: not host.forked_processes())
