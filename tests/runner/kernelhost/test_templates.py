"""Which environments are forked: those that can be, and whose forks were seen to be confined."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest

from runner.kernelhost import client
from runner.kernelhost.settings import InvalidSetting, read_settings
from tests.runner.kernelhost.harness import (
    REPOSITORY,
    KernelHost,
    launcher_of,
    processes_below,
    until,
)

READY_WITHIN_S = 30


@pytest.fixture
def host_with(
    environments, open_folder, tmp_path
) -> Iterator[Callable[..., KernelHost]]:
    """Start a host whose environment has a warm-up of ours."""
    copies = open_folder / tmp_path.name
    started = []

    def start(warm: str, *, forks: bool = False, **environment: str) -> KernelHost:
        copy = copies / "bash"  # the smallest one
        shutil.copytree(
            environments / copy.name, copy, symlinks=True, copy_function=os.link
        )
        (copy / "warm.py").write_text(warm)
        running = KernelHost(
            tmp_path / "host",
            {
                "ENVIRONMENTS_DIR": str(copies),
                "KERNEL_HOST_POOL": "bash/python3=0",
                **environment,
            },
            notebook_environment="bash",
        ).start()
        started.append(running)
        decided = "is warm" if forks else "is not forked"
        assert until(lambda: decided in running.log(), READY_WITHIN_S), running.log()
        return running

    yield start
    for running in started:
        running.stop()
    shutil.rmtree(copies, ignore_errors=True)


@pytest.mark.parametrize(
    ("warm", "reason"),
    [
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            "2 threads run in it",
        ),
        ("import zmq; zmq.Context.instance()", "run in it|a ZeroMQ context is open"),
        ("import mmap, sys; sys.kept = mmap.mmap(-1, 4096)", "memory is shared in it"),
        ("print(3); raise SystemExit(4)", "the template ended"),
        ("raise ValueError('a mistake of the operator')", "a mistake of the operator"),
        ("import os; os._exit(3)", "the template ended"),
    ],
    ids=[
        "a thread",
        "a ZeroMQ context",
        "shared memory",
        "an exit",
        "an exception",
        "its end",
    ],
)
def test_what_cannot_be_forked_is_started_and_the_log_says_why(host_with, warm, reason):
    host = host_with(warm)
    assert re.search(reason, host.log())
    outcome = host.run("print(6 * 7)")
    assert (outcome.text(0), launcher_of(outcome)) == ("42\n", "exec")


SABOTAGE = {
    "seccomp": "linux.load_filter = lambda program: None",
    "capabilities": "linux.drop_all_capabilities = lambda: None",
    "rlimits": "import resource; resource.setrlimit = lambda *given: None",
    "network": "u = linux.unshare; linux.unshare = lambda f: u(f & ~linux.CLONE_NEWNET);"
    " linux.raise_loopback = lambda: None",
    "ipc": "u = linux.unshare; linux.unshare = lambda f: u(f & ~linux.CLONE_NEWIPC)",
    "uts": "u = linux.unshare; linux.unshare = lambda f: u(f & ~linux.CLONE_NEWUTS)",
    "nested_user_namespaces": "linux.load_filter = lambda program: None;"
    " w = confine.Path.write_text; confine.Path.write_text ="
    " lambda p, t, **k: None if 'max_user' in str(p) else w(p, t, **k)",
    "landlock": "confine.landlock.restrict = lambda rules: None",
    "user": "confine._become = lambda order: None",
}


@pytest.mark.security
@pytest.mark.parametrize("layer", SABOTAGE)
def test_a_template_whose_forks_lack_a_layer_is_never_used(host_with, layer):
    host = host_with(
        f"from countersign_template import confine, linux; {SABOTAGE[layer]}"
    )
    reason = host.log().split("is not forked: ")[1]
    assert f"{layer}: " in reason or layer == "user", reason
    assert launcher_of(host.run("1")) == "exec"


def test_where_the_machine_has_no_landlock_kernels_are_forked_and_say_so(
    host_with, tmp_path
):
    blind = "import landlock; landlock.abi = lambda: 0"
    (tmp_path / "sitecustomize.py").write_text(
        f"from runner.kernelhost.template {blind}"
    )
    host = host_with(
        f"from countersign_template {blind}",
        forks=True,
        PYTHONPATH=f"{tmp_path}:{REPOSITORY}",
    )
    outcome = host.run("print(6 * 7)")
    evidence = outcome.of("accepted")[0]["evidence"]
    assert (outcome.text(0), evidence["launcher"]) == ("42\n", "fork")
    assert evidence["layers"]["landlock"] is evidence["degraded"] is False


NO_ROOM = (
    "import errno, os\n"
    "fork, own, left = os.fork, os.getpid(), [1]\n"  # the probe's
    "def refuse():\n"
    "    left[0] -= os.getpid() == own\n"
    "    if left[0] < 0: raise BlockingIOError(errno.EAGAIN, 'no room')\n"
    "    return fork()\n"
    "os.fork = refuse"
)


def test_a_template_that_finds_no_room_for_a_fork_goes_on_and_the_run_starts_anyway(
    host_with,
):
    host = host_with(NO_ROOM, forks=True)
    for _ in range(2):
        outcome = host.run("print(6 * 7)")
        assert (outcome.text(0), launcher_of(outcome)) == ("42\n", "exec")
    assert "no room" in host.log()
    (pool,) = client.status(host.socket)["pool"]
    assert pool["launcher"] == "fork", "it goes on"


def test_the_launcher_is_a_setting():
    given = {"KERNEL_HOST_SOCKET": "/s"}
    assert read_settings(given).forks is True
    assert read_settings({**given, "KERNEL_HOST_LAUNCHER": "exec"}).forks is False
    with pytest.raises(InvalidSetting, match="KERNEL_HOST_LAUNCHER"):
        read_settings({**given, "KERNEL_HOST_LAUNCHER": "clone"})


def test_the_format_of_the_log_is_a_setting():
    given = {"KERNEL_HOST_SOCKET": "/s"}
    assert read_settings(given).log_format == "json"
    assert read_settings({**given, "LOG_FORMAT": "text"}).log_format == "text"
    with pytest.raises(InvalidSetting, match="LOG_FORMAT"):
        read_settings({**given, "LOG_FORMAT": "xml"})


def test_a_host_that_may_not_fork_starts_no_template(environments, tmp_path):
    host = KernelHost(
        tmp_path / "host",
        {
            "KERNEL_HOST_POOL": "python-analytics/python3=0",
            "KERNEL_HOST_LAUNCHER": "exec",
        },
    ).start()
    try:
        assert launcher_of(host.run("1")) == "exec"
        assert processes_below(host.process.pid) == []
        (pool,) = client.status(host.socket)["pool"]
        assert pool["launcher"] == "exec"
    finally:
        host.stop()
