"""Bubblewrap's arguments follow from the confinement, and from nothing else."""

import pytest

from runner.kernelhost.confinement import (
    Caps,
    Confinement,
    DataFile,
)
from runner.kernelhost.environments import Bind

PLAIN = Confinement(
    binds=(Bind("/usr", "/usr"),),
    links=(Bind("usr/bin", "/bin"),),
    files=(DataFile("/etc/passwd", b"kernel", 0o444),),
    env=(("PATH", "/usr/bin"),),
    caps=Caps(memory_bytes=256 * 1024 * 1024, processes=32),
    host_uid=None,
    cgroup=False,
)


def arguments(confinement=PLAIN, command=("python",)):
    given = {}

    def give(name, content):
        given[name] = content
        return 100 + len(given)

    argv = confinement.argv(
        bwrap="bwrap", command=command, give=give, info_fd=50, block_fd=51
    )
    return argv, given


@pytest.mark.parametrize(
    "flag",
    [
        "--unshare-user",
        "--unshare-all",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--seccomp",
    ],
)
def test_every_isolation_flag_is_there(flag):
    argv, _ = arguments()
    assert flag in argv[: argv.index("--")]


def test_all_capabilities_are_dropped():
    argv, _ = arguments()
    assert argv[argv.index("--cap-drop") + 1] == "ALL"


def test_the_network_is_never_shared():
    argv, _ = arguments()
    assert "--share-net" not in argv


def test_nothing_of_the_host_is_bound_writable():
    argv, _ = arguments()
    assert not {"--bind", "--dev-bind", "--bind-try", "--bind-fd"} & set(argv)


def test_every_tmpfs_has_a_size():
    argv, _ = arguments()
    places = [index for index, part in enumerate(argv) if part == "--tmpfs"]
    assert len(places) == len(PLAIN.tmpfs)
    assert all(argv[place - 2] == "--size" for place in places)


def test_the_root_and_dev_are_made_read_only_after_everything_is_in_place():
    argv, _ = arguments()
    first = argv.index("--remount-ro")
    assert [argv[first + 1], argv[first + 3]] == ["/dev", "/"]
    later = {"--tmpfs", "--ro-bind", "--symlink", "--ro-bind-data", "--file"}
    assert not later & set(argv[first:])


def test_file_contents_are_not_in_the_arguments():
    secret = DataFile("/run/kernel/connection.json", b"the-key", 0o600, writable=True)
    argv, given = arguments(PLAIN.with_file(secret))
    assert given["/run/kernel/connection.json"] == b"the-key"
    assert not any("the-key" in part for part in argv)


def test_the_command_comes_behind_its_limits():
    argv, _ = arguments(command=("python", "-m", "kernel"))
    inside = argv[argv.index("--") + 1 :]
    assert inside[:2] == ["/bin/sh", "-c"]
    assert inside[-3:] == ["python", "-m", "kernel"]
    assert "32" in inside
    assert "ulimit -c 0" in inside[2]


def test_a_confinement_cannot_be_changed():
    with pytest.raises(AttributeError):
        PLAIN.hostname = "elsewhere"
