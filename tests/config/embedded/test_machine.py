"""The check of the machine, before anything is installed."""

import subprocess
import sys

import pytest

from config.embedded import machine
from tests.support.environment import REPOSITORY


def refused(*, as_root):
    return False


def reader(**values):
    def read(path):
        return values.get(path.rpartition("/")[2], "")

    return read


def test_this_machine_passes_with_the_standard_library_alone():
    script = REPOSITORY / "config" / "embedded" / "machine.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", script], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("switch", "value", "remedy"),
    [
        (
            "apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "unprivileged_userns_clone",
            "0",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
        ("max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
    ],
)
def test_what_blocks_namespaces_is_named_with_its_remedy(switch, value, remedy):
    obstacle = machine.namespace_obstacle(
        as_root=False, works=refused, read=reader(**{switch: value})
    )
    assert obstacle.remedy == remedy


def test_an_unknown_blocker_still_has_a_remedy():
    obstacle = machine.namespace_obstacle(as_root=False, works=refused, read=reader())
    assert "container" in obstacle.remedy


def test_root_without_the_right_is_told_how_to_run_its_container():
    obstacle = machine.namespace_obstacle(as_root=True, works=refused, read=reader())
    assert "--cap-add SYS_ADMIN" in obstacle.remedy


def test_a_switch_is_no_obstacle_where_namespaces_work():
    read = reader(apparmor_restrict_unprivileged_userns="1")
    works = lambda *, as_root: True  # noqa: E731 - one line says it
    assert machine.namespace_obstacle(as_root=False, works=works, read=read) is None


def test_the_refusal_offers_the_degraded_demo():
    text = machine.report([machine.Obstacle("Something is off.", "do that")])
    assert "Something is off." in text
    assert "Remedy:  do that" in text
    assert "make demo SANDBOX=degraded" in text


def test_a_blocked_machine_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(machine, "namespaces_work", refused)
    monkeypatch.setattr(
        machine.namespace_obstacle,
        "__kwdefaults__",
        {"works": refused, "read": reader()},
    )
    assert machine.main(["required"]) == 1
    assert "make demo SANDBOX=degraded" in capsys.readouterr().err


def test_a_blocked_machine_may_be_used_degraded(monkeypatch, capsys):
    monkeypatch.setattr(
        machine.namespace_obstacle,
        "__kwdefaults__",
        {"works": refused, "read": reader()},
    )
    assert machine.main(["degraded"]) == 0
    assert "will not be confined" in capsys.readouterr().out


def test_an_old_python_is_told_what_to_install():
    obstacle = machine.version_obstacle((3, 10, 4))
    assert "3.10" in obstacle.what
    assert "python3.11" in obstacle.remedy
    assert machine.version_obstacle((3, 11, 2)) is None


def test_a_python_without_venv_is_told_what_to_install():
    obstacle = machine.venv_obstacle(lambda name: name != "ensurepip")
    assert "python3-venv" in obstacle.remedy
    assert machine.venv_obstacle(lambda name: True) is None
