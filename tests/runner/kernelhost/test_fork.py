"""Kernels forked from a warm template: as confined as any other, and nothing of one in the next."""

import contextlib
import os
import random
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.kernelhost.confinement import Caps, DataFile
from runner.kernelhost.fork import Template, can_fork, order_for
from runner.kernelhost.sandbox import SandboxUnavailable
from runner.kernelhost.template import confine, linux
from runner.kernelhost.template.order import Order
from tests.runner.kernelhost.harness import (
    ForkingHost,
    launcher_of,
    pids_inside,
    processes_below,
    status_of,
    templates_below,
    until,
)
from tests.runner.kernelhost.test_confinement import PLAIN

READY_WITHIN_S = 30
SLEEP = "import time\ntime.sleep(60)"
SCAN = """
import re
found = set()
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
    for line in maps:
        start, end = (int(part, 16) for part in line.split()[0].split('-'))
        if 'r' not in line.split()[1] or '[v' in line: continue
        try:
            memory.seek(start)
            found |= set(re.findall(rb'CANARY-\\d{9}', memory.read(end - start)))
        except (OSError, OverflowError): pass
print(len(found), sorted(found))
"""


class SmallForkingHost(ForkingHost):
    """One whose only environment is warm soon."""

    pool = "bash/python3=0"

    def start(self) -> ForkingHost:
        self.notebook_environment = "bash"
        return super().start()


@pytest.fixture
def own(environments, tmp_path) -> Iterator[ForkingHost]:
    """A forking host that may be broken."""
    running = SmallForkingHost(tmp_path / "host").start()
    yield running
    if running.process.poll() is None:
        running.stop()


# What a template holds -----------------------------------------------------------------


@pytest.mark.security
def test_no_fork_finds_anything_of_an_earlier_run_in_its_memory(host):
    canary = f"CANARY-{random.randrange(10**8, 10**9)}"
    assert launcher_of(host.run(f"secret = '{canary}' * 1000\nprint(secret)")) == "fork"
    seen_by_itself = host.run(f"secret = '{canary}'", SCAN)
    assert canary in seen_by_itself.text(1), "the scan finds what is there"
    outcome = host.run(SCAN)
    assert launcher_of(outcome) == "fork"
    assert outcome.text(0) == "0 []\n"


@pytest.mark.security
def test_a_template_has_seen_no_run(host):
    canary = f"CANARY-{random.randrange(10**8, 10**9)}"
    outcome = host.run(
        f"secret = '{canary}'\n"
        "print(__import__('json').load(open('/run/kernel/connection.json'))['key'])"
    )
    key = outcome.text(0).strip()
    assert len(key) > 20
    for pid in host.templates:
        assert not holds(pid, canary.encode())
        assert not holds(pid, key.encode())


def holds(pid: int, needle: bytes) -> bool:
    """Whether a process has some bytes in its memory."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "r" not in line.split()[1] or "[v" in line:
                continue
            memory.seek(start)
            if needle in memory.read(end - start):
                return True
    return False


@pytest.mark.security
async def test_a_template_forks_no_kernel_that_may_see_other_things(tmp_path):
    other = replace(PLAIN, env=(*PLAIN.env, ("MORE", "1")))
    with pytest.raises(SandboxUnavailable, match="of another kernel"):
        await Template(PLAIN, tmp_path).launch(
            other, ("python", "-m", "x"), cgroup=None
        )


def test_a_template_has_another_number_than_its_kernels(own):
    """Libraries that see by their number that they were forked would not see it otherwise."""
    with own.session(SLEEP) as session:
        events = session.events(timeout_s=30)
        while next(events)["event"] != "cell_started":
            pass
        (kernel,) = own.numbered(2)
        template = int(status_of(kernel)["PPid"])
        assert pids_inside(template)[-1] not in (1, 2)


@pytest.mark.security
def test_a_fork_does_not_learn_what_its_control_groups_are_called(host):
    outcome = host.run("print(open('/proc/self/cgroup').read())")
    assert launcher_of(outcome) == "fork"
    paths = {line.rpartition(":")[2] for line in outcome.text(0).split()}
    assert paths == {"/"}


@pytest.mark.security
def test_forks_of_one_template_have_random_numbers_of_their_own(host):
    draw = (
        "import os, random, sqlite3, tempfile, uuid, numpy\n"
        "print(random.random(), numpy.random.random(), numpy.random.default_rng().random(),\n"
        "      uuid.uuid4(), os.urandom(8).hex(), next(tempfile._get_candidate_names()),\n"
        "      sqlite3.connect(':memory:').execute('select hex(randomblob(8))').fetchone()[0])"
    )
    outcomes = [host.run(draw) for _ in range(3)]
    assert {launcher_of(outcome) for outcome in outcomes} == {"fork"}
    drawn = [outcome.text(0).split() for outcome in outcomes]
    assert all(len(set(values)) == 3 for values in zip(*drawn, strict=True)), drawn


def test_a_fork_looks_like_a_kernel_that_was_started(host, executing_host):
    look = (
        "import os, sys, platform, getpass, threading\n"
        "print(sys.argv, sys.executable, sys.prefix, sys.path, sys.flags)\n"
        "print(__name__, os.getcwd(), sorted(os.environ.items()), platform.node())\n"
        "print(getpass.getuser(), os.getuid(), os.getgroups(), os.umask(0o22), os.nice(0))\n"
        "print(sorted(os.listdir('/')), sorted(os.listdir('/run')), os.getpid())\n"
        "import signal, gc\n"
        "print([signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)])\n"
        "print(gc.isenabled(), gc.get_threshold(), sys.getrecursionlimit())"
    )
    forked, started = host.run(look), executing_host.run(look)
    assert (launcher_of(forked), launcher_of(started)) == ("fork", "exec")
    # ipykernel sets this for its debugger, which a template leaves out.
    debugger = "('PYDEVD_USE_FRAME_EVAL', 'NO'), "
    assert forked.text(0) == started.text(0).replace(debugger, "")


def test_both_launchers_put_out_the_same(host, executing_host):
    cells = (
        (
            "import pandas as pd, matplotlib.pyplot as plt, numpy as np\n"
            "frame = pd.DataFrame({'a': np.arange(5), 'b': list('vwxyz')})\nframe"
        ),
        "frame.plot(x='b', y='a')\nplt.show()",
        "%matplotlib inline\nfig, ax = plt.subplots()\nax.hist([1, 2, 2, 3])",
        "%%bash\necho from a shell\npwd",
        "!echo one line; id -u",
        (
            "import multiprocessing, subprocess\n"
            "print(multiprocessing.get_start_method(), subprocess.check_output(['echo', 'x']))"
        ),
        "import asyncio\nprint(await asyncio.sleep(0, 'awaited'))",
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(2) as pool: print(list(pool.map(abs, [-1, 2])))"
        ),
        {"source": "1 / 0", "metadata": {"tags": ["raises-exception"]}},
        (
            "import multiprocessing\n"
            "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-3]))"
        ),
        (
            "from IPython.display import clear_output, display\n"
            "print('gone'); clear_output(); display({'text/plain': 'kept'}, raw=True)"
        ),
        "get_ipython().history_manager.input_hist_raw[1][:13]",
        "import os, matplotlib\nos.path.isdir(matplotlib.get_cachedir())",
    )
    forked, started = host.run(*cells), executing_host.run(*cells)
    assert forked.status == started.status == "succeeded", (forked.last, started.last)
    for index in range(len(cells)):
        assert forked.outputs(index) == started.outputs(index), cells[index]


# Its life ------------------------------------------------------------------------------


@pytest.mark.security
def test_a_template_that_is_killed_takes_its_forks_along_and_is_replaced(own):
    with own.session(SLEEP) as session:
        events = session.events(timeout_s=30)
        while next(events)["event"] != "cell_started":
            pass
        before = own.kernel_processes()
        assert before
        for pid in own.templates:
            # The first to go takes the others along.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert [event for event in events if event][-1]["status"] == "kernel_died"
    assert not any(Path(f"/proc/{pid}/root").exists() for pid in before)
    assert own.run("print(6 * 7)").text(0) == "42\n"
    assert until(own.all_fork, READY_WITHIN_S), own.log()
    assert launcher_of(own.run("1")) == "fork"


@pytest.mark.security
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_templates_end_with_their_host(own, number):
    below = processes_below(own.process.pid)
    assert len(below) >= 2
    own.stop(number)
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def test_a_template_is_renewed_and_its_last_forks_are_left_to_end(
    environments, tmp_path
):
    host = SmallForkingHost(
        tmp_path / "host", {"KERNEL_HOST_TEMPLATE_FORKS": "3"}
    ).start()
    try:
        first = set(host.templates)
        for _ in range(3):
            assert launcher_of(host.run("1")) == "fork"

        def now() -> set[int]:
            return set(templates_below(host.process.pid))

        assert until(lambda: now() - first and first - now(), READY_WITHIN_S)
        assert launcher_of(host.run("1")) == "fork"
        assert "ended by a fault" not in host.log()
    finally:
        host.stop()


# Its parts -----------------------------------------------------------------------------


def test_a_fork_that_the_host_gave_up_goes_no_further(monkeypatch):
    done = []
    for name in ("unshare", "raise_loopback", "drop_all_capabilities", "load_filter"):
        monkeypatch.setattr(linux, name, lambda *_, name=name: done.append(name))
    monkeypatch.setattr(socket, "sethostname", done.append)
    monkeypatch.setattr(confine, "_mount", done.append)
    order = replace(order_for(PLAIN, ("python", "-m", "x")), files=())
    release, ours = os.pipe()
    os.close(ours)
    with os.fdopen(os.memfd_create("filter")) as seccomp:
        assert not confine.confine(order, (), seccomp.fileno(), release)
    os.close(release)
    assert done == ["unshare", order.hostname, "raise_loopback", order]


def test_an_order_is_read_as_it_was_written():
    order = order_for(PLAIN, ("python", "-m", "ipykernel_launcher", "-f", "x"))
    assert order.command == ("-m", "ipykernel_launcher", "-f", "x")
    assert Order.from_json(order.to_json()) == order


def test_what_a_fork_inherits_does_not_count_as_its_data():
    command = ("python", "-m", "x")
    limits = dict(order_for(PLAIN, command, inherited_bytes=5).limits)
    assert limits["RLIMIT_DATA"] == PLAIN.caps.data_bytes + 5


def test_an_order_holds_no_content_of_a_file():
    private = PLAIN.with_file(
        DataFile("/run/kernel/c", b"SECRET", 0o600, writable=True)
    )
    order = order_for(private, ("python", "-m", "x"))
    assert order.files == (("/run/kernel/c", 0o600),)
    assert b"SECRET" not in order.to_json()


def test_an_order_asks_for_the_same_limits_as_bubblewrap_gets():
    caps = Caps(memory_bytes=1 << 30, processes=9, file_bytes=1 << 20, open_files=77)
    assert caps.resource_limits == {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 1 << 20,
        "RLIMIT_NOFILE": 77,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_DATA": caps.data_bytes,
        "RLIMIT_NPROC": 9,
    }


@pytest.mark.parametrize(
    ("command", "can"),
    [
        (("python", "-m", "ipykernel_launcher", "-f", "x"), True),
        (("/opt/environment/bin/python3", "-m", "bash_kernel"), True),
        (("python", "-Xfrozen_modules=off", "-m", "x"), False),
        (("/usr/bin/python3", "-m", "ipykernel_launcher"), False),
        (("python", "script.py", "x"), False),
        (("R", "--slave", "-e"), False),
        (("python", "-m"), False),
    ],
)
def test_only_a_module_of_the_environments_python_can_be_forked(command, can):
    assert can_fork(command) is can
