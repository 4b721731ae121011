"""Control groups of both versions, user ids, working directories, and the kernel's sockets."""

import os
import socket
import subprocess
import sys

import pytest

from runner.kernelhost import cgroups, endpoints, staging, uids
from runner.kernelhost.cgroups import CgroupUnavailable, RunCgroup, Tree, find_trees
from runner.kernelhost.confinement import Caps
from tests.runner.kernelhost.harness import REPOSITORY

CAPS = Caps(memory_bytes=1000, processes=7, cpu_millis=1500)


def written(directory):
    return {
        path.name: path.read_text() for path in directory.iterdir() if path.is_file()
    }


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A directory that behaves like a control group: every write to it is kept."""

    def made(version, controllers):
        base = tmp_path / f"v{version}"
        base.mkdir()
        (base / "cgroup.controllers").write_text(" ".join(controllers))
        return Tree(version, base, frozenset(controllers))

    return made


def test_version_2_gets_its_files(fake):
    tree = fake(2, ["memory", "pids", "cpu"])
    cgroups.create((tree,), "1-run", CAPS)
    assert (tree.base / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert written(tree.base / "countersign-kernel-1-run") == {
        "memory.max": "1000",
        "memory.swap.max": "0",
        "memory.oom.group": "0",
        "pids.max": "7",
        "cpu.max": "150000 100000",
    }


def test_a_process_that_entered_by_itself_is_moved_where_that_is_impossible(fake):
    trees = fake(1, ["pids"]), fake(2, ["memory", "cpu"])
    group = cgroups.create(trees, "1-run", CAPS)
    first, second = (tree.base / "countersign-kernel-1-run" for tree in trees)
    assert group.entrances == [first / "tasks"]
    (first / "cgroup.procs").write_text("7\n")
    assert not group.holds(7)
    group.join(7, entered=True)
    assert group.holds(7)
    assert (second / "cgroup.procs").read_text() == "7"
    assert (first / "cgroup.procs").read_text() == "7\n", "it was not moved again"


def test_version_1_gets_its_files(fake):
    tree = fake(1, ["memory", "pids", "cpu"])
    cgroups.create((tree,), "1-run", CAPS)
    assert written(tree.base / "countersign-kernel-1-run") == {
        "memory.limit_in_bytes": "1000",
        "memory.memsw.limit_in_bytes": "1000",
        "memory.swappiness": "0",
        "pids.max": "7",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "150000",
    }


def test_a_hybrid_machine_uses_each_controller_where_it_is(tmp_path):
    for name in ("memory", "pids", "unified"):
        (tmp_path / name).mkdir()
    (tmp_path / "unified" / "cgroup.controllers").write_text("cpu hugetlb")
    (tmp_path / "memory" / "mine").mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"cgroup {tmp_path}/memory cgroup rw,memory 0 0\n"
        f"cgroup {tmp_path}/pids cgroup rw,pids 0 0\n"
        f"cgroup2 {tmp_path}/unified cgroup2 rw 0 0\n"
    )
    own = tmp_path / "own"
    own.write_text("4:memory:/mine\n8:pids:/elsewhere\n0::/\n")
    trees = {next(iter(tree.controllers)): tree for tree in find_trees(mounts, own)}
    assert (trees["memory"].version, trees["memory"].base) == (
        1,
        tmp_path / "memory" / "mine",
    )
    assert trees["pids"].base == tmp_path / "pids"
    assert (trees["cpu"].version, trees["cpu"].base) == (2, tmp_path / "unified")


def test_a_controller_that_is_nowhere_is_named(tmp_path):
    (tmp_path / "mounts").write_text("")
    (tmp_path / "own").write_text("0::/\n")
    with pytest.raises(CgroupUnavailable):
        find_trees(tmp_path / "mounts", tmp_path / "own")


def test_memory_kills_are_counted_in_both_versions(tmp_path):
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 3\n")
    (tmp_path / "memory.oom_control").write_text(
        "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"
    )
    for version, count in ((2, 3), (1, 4)):
        assert (
            RunCgroup(((version, tmp_path, frozenset({"memory"})),)).oom_kills()
            == count
        )


def test_two_runs_never_share_a_uid(tmp_path):
    with uids.leased_uid(tmp_path) as first, uids.leased_uid(tmp_path) as second:
        assert first != second
    with uids.leased_uid(tmp_path) as again:
        assert again == first


def test_the_pool_ends(tmp_path, monkeypatch):
    # A uid that no kernel of another test has at this moment.
    monkeypatch.setattr(uids, "FIRST_UID", 60790)
    monkeypatch.setattr(uids, "POOL_SIZE", 1)
    with (
        uids.leased_uid(tmp_path),
        pytest.raises(uids.NoFreeUid),
        uids.leased_uid(tmp_path),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_uid_that_still_owns_a_process_is_not_given_out(tmp_path, monkeypatch):
    """K36."""
    monkeypatch.setattr(uids, "FIRST_UID", 60790)
    sleeper = subprocess.Popen(["sleep", "30"], user=60790)
    try:
        with uids.leased_uid(tmp_path) as uid:
            assert uid == 60791
    finally:
        sleeper.kill()
        sleeper.wait()


def test_directories_of_dead_hosts_are_removed_and_of_live_ones_kept(tmp_path):
    dead, alive, fresh = (
        tmp_path / f"{staging.PREFIX}{name}" for name in ("dead", "alive", "fresh")
    )
    for directory in (dead, alive, fresh):
        directory.mkdir()
    (dead / staging.LOCK_NAME).touch()
    (alive / staging.LOCK_NAME).touch()
    holder = subprocess.Popen(["flock", str(alive / staging.LOCK_NAME), "sleep", "30"])
    try:
        while (
            subprocess.run(
                ["flock", "-n", str(alive / staging.LOCK_NAME), "true"]
            ).returncode
            == 0
        ):
            pass
        assert staging.sweep(tmp_path) == [dead]
        assert alive.exists()
        assert fresh.exists()
    finally:
        holder.kill()
        holder.wait()


class OwnRoot:
    """A sandbox as far as sockets are looked for in it: its root is ours."""

    def open_root(self):
        return os.open("/", os.O_PATH)


@pytest.fixture
def kernel_root(tmp_path, monkeypatch):
    """The path of a kernel's shell socket below our own root."""
    monkeypatch.setattr(endpoints, "PREFIX_INSIDE", f"{tmp_path}/k")
    return tmp_path / f"k-{endpoints.PORTS['shell']}"


def test_a_socket_is_opened_by_what_it_is(kernel_root):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(kernel_root))
        listener.listen()
        descriptor = endpoints.open_socket(OwnRoot(), "shell")
        kernel_root.rename(kernel_root.with_name("moved"))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"/proc/self/fd/{descriptor}")
        os.close(descriptor)


def test_a_link_or_a_file_in_its_place_is_refused(kernel_root):
    """K24: a kernel cannot send the host to another socket."""
    kernel_root.symlink_to("/run/docker.sock")
    with pytest.raises(endpoints.NotASocket):
        endpoints.open_socket(OwnRoot(), "shell")
    kernel_root.unlink()
    kernel_root.write_text("")
    with pytest.raises(endpoints.NotASocket):
        endpoints.open_socket(OwnRoot(), "shell")


def test_a_linked_directory_on_the_way_is_refused(kernel_root, monkeypatch, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    monkeypatch.setattr(endpoints, "PREFIX_INSIDE", f"{tmp_path}/linked/k")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/real/k-1")
        with pytest.raises(OSError, match="Not a directory"):
            endpoints.open_socket(OwnRoot(), "shell")


def test_in_a_container_whose_root_group_holds_processes_they_move_into_a_leaf(
    fake, monkeypatch
):
    tree = fake(2, ["memory", "pids", "cpu"])
    (tree.base / "cgroup.procs").write_text("1\n7\n")
    moved, enabled = [], []
    real_write = cgroups._write

    def write(path, value):
        if path.name == "cgroup.procs":
            moved.append((path.parent.name, value))
            remaining = (
                (tree.base / "cgroup.procs").read_text().replace(f"{value}\n", "")
            )
            (tree.base / "cgroup.procs").write_text(remaining)
        elif (
            path.name == "cgroup.subtree_control"
            and (tree.base / "cgroup.procs").read_text()
        ):
            raise OSError(16, "Device or resource busy")
        else:
            enabled.append(path.name)
            real_write(path, value)

    monkeypatch.setattr(cgroups, "_write", write)
    cgroups.create((tree,), "1-run", CAPS)
    assert moved == [("countersign-kernel-host", "1"), ("countersign-kernel-host", "7")]
    assert "cgroup.subtree_control" in enabled


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.security
def test_control_groups_that_are_read_only_as_in_a_container_can_still_be_used():
    script = (
        "for place in $(awk '$3 ~ /^cgroup/ {print $2}' /proc/self/mounts); do "
        'mount -o remount,bind,ro "$place"; done; '
        f"exec {sys.executable} -m runner.kernelhost --check"
    )
    result = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"]},
        timeout=60,
    )
    assert "ok       cgroup: joined" in result.stdout, result.stdout + result.stderr
