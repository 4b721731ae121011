"""How the demo refuses, in words that say what to do next."""

import os
import socket
import subprocess
import sys

from config.demo.state import Home
from tests.support.environment import REPOSITORY


def run_demo(home, port):
    return subprocess.run(
        [sys.executable, "-m", "config.demo"],
        cwd=REPOSITORY,
        env={
            "PATH": os.environ["PATH"],
            "COUNTERSIGN_HOME": str(home),
            "PORT": str(port),
        },
        capture_output=True,
        text=True,
    )


def test_a_second_demo_in_the_same_home_is_refused(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    with subprocess.Popen(
        ["flock", str(home.path / "lock"), "sh", "-c", "echo held; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        holder.stdout.readline()
        done = run_demo(home.path, 8000)
        holder.stdin.close()
    assert done.returncode == 1
    assert "already runs" in done.stderr


def test_a_port_in_use_is_named_with_the_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_demo(tmp_path / "home", port)
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert "make demo PORT=" in done.stderr


def test_a_port_that_is_no_number_is_refused(tmp_path):
    done = run_demo(tmp_path / "home", "eight")
    assert done.returncode == 1
    assert "PORT must be a number" in done.stderr
