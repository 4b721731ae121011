"""The launcher: an explicit environment, one pid, and nothing that outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.embedded.launcher import MINIMAL_ENVIRONMENT, Launch
from tests.support.guard import is_alive

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root must do")


def said_by(launch):
    return subprocess.run(
        launch.command(), capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.security
def test_the_program_gets_the_given_environment_and_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary")
    said = said_by(Launch(["/usr/bin/env"], None))
    assert dict(line.split("=", 1) for line in said.splitlines()) == MINIMAL_ENVIRONMENT


def test_the_launcher_becomes_the_program(tmp_path):
    launch = Launch(["/bin/sh", "-c", "echo $$"], None)
    process = subprocess.Popen(launch.command(), stdout=subprocess.PIPE, text=True)
    assert process.communicate()[0].strip() == str(process.pid)


def test_a_launch_can_be_read_from_a_file(tmp_path):
    launch = Launch(["/bin/echo", "it's", "100%"], None)
    command = launch.command_from(tmp_path / "launch.json")
    assert subprocess.check_output(command, text=True) == "it's 100%\n"


@as_root
def test_programs_are_read_only_and_folders_are_not(tmp_path):
    for name in ("tool", "state"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 61309, 61309)
    script = "touch {state}/made; touch {tool}/made; id -u; ls /mnt"
    launch = Launch(
        ["/bin/sh", "-c", script],
        61309,
        folders={"state": str(tmp_path / "state")},
        programs={"tool": str(tmp_path / "tool")},
    )
    assert said_by_shell(launch) == ["61309", "passwd", "state", "tool"]
    assert (tmp_path / "state" / "made").exists()
    assert not (tmp_path / "tool" / "made").exists()


def said_by_shell(launch):
    done = subprocess.run(launch.command(), capture_output=True, text=True)
    return done.stdout.split()


@as_root
@pytest.mark.security
def test_the_dropped_uid_does_not_reach_what_root_keeps_closed(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "secret").write_text("canary")
    launch = Launch(["/bin/sh", "-c", f"cat {tmp_path}/secret; echo done"], 61309)
    assert said_by_shell(launch) == ["done"]


@as_root
def test_mounts_stay_private(tmp_path):
    before = Path("/proc/self/mountinfo").read_text()
    said_by(Launch(["/bin/true"], 61309, folders={"state": str(tmp_path)}))
    assert Path("/proc/self/mountinfo").read_text() == before


PARENT = """
import subprocess, sys
from config.embedded.launcher import Launch
launch = Launch(["/bin/sleep", "60"], None, death_signal=15)
print(subprocess.Popen(launch.command()).pid, flush=True)
sys.stdin.read()
"""


def test_a_program_ends_when_its_parent_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    child = int(parent.stdout.readline())
    _wait(lambda: Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"/bin/sleep"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait(lambda: not is_alive(child))


def _wait(is_so, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
