"""Landlock: what no rule names is refused behind the mounts, and what a kernel needs is not."""

import json
import os
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner.kernelhost import client
from runner.kernelhost.confinement import (
    FURTHER_LAYERS,
    LANDLOCK,
    REQUIRED_LAYERS,
    DataFile,
    Layer,
)
from runner.kernelhost.host import Host
from runner.kernelhost.sandbox import SandboxUnavailable
from runner.kernelhost.template import landlock, linux
from runner.kernelhost.templates import Templates
from tests.runner.kernelhost.harness import launcher_of
from tests.runner.kernelhost.test_confinement import PLAIN

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(not landlock.abi(), reason="this machine has no Landlock"),
]


# The rules follow from the mounts ------------------------------------------------------


def test_every_mount_has_a_rule_and_only_memory_can_be_written():
    rules = dict(replace(PLAIN, data_dir=Path("/host/sockets/x")).rules)
    assert {path for path, word in rules.items() if word == "keep"} == {
        mount.target for mount in PLAIN.tmpfs
    }
    assert {path for path, word in rules.items() if word == "read"} == {
        *("/usr", "/etc/passwd", "/run/data")
    }
    assert rules["/"] == "list", "the root names nothing that could be read"


def test_a_kernel_without_data_sources_has_no_rule_for_them():
    assert "/run/data" not in dict(PLAIN.rules)


def test_a_file_of_the_run_needs_no_rule_beside_its_memory():
    private = DataFile("/run/kernel/c", b"SECRET", 0o600, writable=True)
    assert PLAIN.with_file(private).rules == PLAIN.rules


def test_it_is_no_required_layer():
    assert set(FURTHER_LAYERS).isdisjoint(REQUIRED_LAYERS)


# What the rules do ---------------------------------------------------------------------


def confined(rules, attempt):
    """What ``attempt()`` met in a process that keeps only what the rules name."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            landlock.restrict(rules)
            answer = attempt()
        except OSError as problem:
            answer = problem.strerror
        finally:
            os.write(writing, str(answer).encode())
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return answer.read()


@pytest.fixture
def places(tmp_path):
    """A folder that the rules name, and one that they do not."""
    made = {name: tmp_path / name for name in ("shown", "hidden")}
    for place in made.values():
        place.mkdir()
        (place / "file").write_text(place.name)
    return SimpleNamespace(**made)


def test_what_is_named_can_be_read_and_nothing_else(places):
    rules = [(str(places.shown), "read")]
    assert confined(rules, (places.shown / "file").read_text) == "shown"
    assert confined(rules, (places.hidden / "file").read_text) == "Permission denied"
    refused = confined(rules, lambda: (places.shown / "file").write_text("x"))
    assert refused == "Permission denied"


def test_a_descriptor_that_leaked_opens_nothing(places):
    leaked = os.open(places.hidden, os.O_RDONLY | os.O_DIRECTORY)

    def attempt():
        return os.open("file", os.O_RDONLY, dir_fd=leaked)

    assert confined([(str(places.shown), "read")], attempt) == "Permission denied"
    os.close(leaked)


def test_a_list_names_files_and_does_not_read_them(places):
    rules = [(str(places.shown), "list")]
    assert confined(rules, lambda: os.listdir(places.shown)) == "['file']"
    assert confined(rules, (places.shown / "file").read_text) == "Permission denied"


def test_a_rule_for_a_single_file_is_taken(places):
    file = places.shown / "file"
    assert confined([(str(file), "keep")], file.read_text) == "shown"


def test_a_rule_that_the_kernel_refuses_leaves_nothing_running(places):
    refused = confined([(str(places.shown / "absent"), "read")], lambda: "ran")
    assert refused == "No such file or directory"


@pytest.mark.skipif(
    landlock.abi() < landlock.SCOPES_ABI, reason="its Landlock has no scopes"
)
def test_no_signal_and_no_abstract_socket_reaches_anybody_else(tmp_path):
    name = f"\0countersign-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as outside, socket.socket(socket.AF_UNIX) as own:
        outside.bind(name)
        outside.listen()
        refused = "Operation not permitted"
        assert confined([], lambda: own.connect(name)) == refused
    parent = os.getpid()
    assert confined([], lambda: os.kill(parent, 0)) == refused
    assert confined([], lambda: os.kill(os.getpid(), 0)) == "None", "but itself"


@pytest.mark.parametrize("version", [0, 2, 3, 4, 5, 6, 7, 12])
def test_each_version_is_asked_for_what_it_knows(monkeypatch, version):
    asked = []

    def syscall(number, *arguments):
        asked.append((number, arguments))
        return os.open(os.devnull, os.O_RDONLY)

    monkeypatch.setattr(landlock, "abi", lambda: version)
    monkeypatch.setattr(linux, "syscall", syscall)
    landlock.restrict([("/", "keep")])
    if not version:
        assert asked == []
        return
    (_, (attributes, _, _)), (_, (_, _, rule, _)), (_, (_, flags)) = asked
    known, ports, scopes = (
        int.from_bytes(attributes[start : start + 8], "little") for start in (0, 8, 16)
    )
    width = {2: 14, 3: 15, 4: 15}.get(version, 16)
    assert known == (1 << width) - 1
    assert ports == 0, "ipykernel opens a port of its own"
    assert scopes == (3 if version >= 6 else 0)
    assert int.from_bytes(rule[:8], "little") & ~known == 0
    assert flags == (1 if version >= 7 else 0), "refused paths stay out of the log"


@pytest.mark.parametrize(("offered", "of_use"), [(1, 0), (2, 2), (7, 7)])
def test_the_first_version_is_of_no_use(monkeypatch, offered, of_use):
    monkeypatch.setattr(linux, "syscall", lambda *arguments: offered)
    assert landlock.abi() == of_use


# In a kernel ---------------------------------------------------------------------------

REFUSED = """
import fcntl, json, os, stat, termios
from pathlib import Path
def meets(call):
    try: call()
    except OSError as problem: return problem.strerror
    return 'allowed'
null = open(os.devnull, 'rb', 0)
print(json.dumps([
    meets(lambda: os.mknod('/tmp/node', stat.S_IFCHR | 0o600, 0)),
    meets(lambda: fcntl.ioctl(null, termios.TCGETS, bytes(64))),
]))
"""
NEEDED = """
import os, pty, subprocess, tempfile
from pathlib import Path
for place in ('/tmp', '/dev/shm', str(Path.home()), '/run/kernel'):
    a, b = Path(place, 'a'), Path(place, 'b')
    a.mkdir(); b.mkdir()
    (a / 'x').write_text('words'); (a / 'x').rename(b / 'x'); os.link(b / 'x', a / 'y')
    (a / 'link').symlink_to('y'); os.mkfifo(a / 'fifo'); os.truncate(b / 'x', 2)
    assert (a / 'link').read_text() == 'wo'
with tempfile.TemporaryFile() as file: file.write(b'1')
script = Path('/tmp/script'); script.write_text('#!/bin/sh\\necho ran'); script.chmod(0o700)
memory = os.memfd_create('m'); os.write(memory, b'm')
controller, terminal = pty.openpty()
Path('/proc/self/comm').write_text('renamed')
with open('/dev/null', 'w') as sink: print('x', file=sink)
print(subprocess.check_output([script], text=True), os.isatty(terminal), os.urandom(1) != b'',
      Path(f'/proc/self/fd/{memory}').read_text(), sorted(os.listdir('/run')), Path('/etc/passwd').read_text())
import multiprocessing
with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-3]))
"""


def layers_of(outcome):
    return outcome.of("accepted")[0]["evidence"]["layers"]


def test_a_fork_has_it_and_its_evidence_says_so(forking_host):
    outcome = forking_host.run(REFUSED)
    assert launcher_of(outcome) == "fork"
    assert layers_of(outcome)[LANDLOCK] is True
    wanted = ["Permission denied"] * 2
    if landlock.abi() < landlock.DEVICES_ABI:
        wanted[1] = "Inappropriate ioctl for device"
    assert json.loads(outcome.text()) == wanted


def test_bubblewrap_has_no_way_to_it_and_the_evidence_says_so(executing_host):
    outcome = executing_host.run(REFUSED)
    assert launcher_of(outcome) == "exec"
    assert layers_of(outcome)[LANDLOCK] is False
    assert outcome.of("accepted")[0]["evidence"]["degraded"] is False
    assert json.loads(outcome.text()) == ["allowed", "Inappropriate ioctl for device"]


def test_what_notebooks_do_goes_on_working(forking_host, executing_host):
    forked, started = forking_host.run(NEEDED), executing_host.run(NEEDED)
    assert (launcher_of(forked), launcher_of(started)) == ("fork", "exec")
    assert forked.status == "succeeded", forked.error
    assert forked.text() == started.text()


def test_a_shell_kernel_keeps_its_terminal(forking_host):
    outcome = forking_host.bash("tty; cat < /dev/null; echo x > /dev/null; echo done")
    assert launcher_of(outcome) == "fork"
    assert "/dev/pts/" in outcome.text()
    assert "done" in outcome.text()


def test_whoever_asks_sees_which_kernels_have_it(forking_host, executing_host):
    pools = client.status(forking_host.socket)["pool"]
    seen = {"holds": True, "seen": f"version {landlock.abi()}"}
    assert [pool["layers"] for pool in pools] == [{LANDLOCK: seen}] * 2
    assert LANDLOCK not in client.status(forking_host.socket)["layers"]


# Where it is not -----------------------------------------------------------------------


@pytest.fixture
def host_with_layer(tmp_path, monkeypatch):
    """Templates of a host whose probe met Landlock so, on a machine with that version of it."""

    def make(*, holds, version):
        async def probe(*_):
            seen = Layer(LANDLOCK, holds, "not in force")
            return (Layer("seccomp", True, "2"),), (seen,)

        monkeypatch.setattr(landlock, "abi", lambda: version)
        host = Host(SimpleNamespace(degraded_allowed=False), SimpleNamespace())
        host.probe = probe
        return Templates(host)

    return make


async def test_a_template_may_lack_it_where_the_machine_has_none(host_with_layer):
    template = SimpleNamespace(further=())
    templates = host_with_layer(holds=False, version=0)
    await templates._require_layers(template, None)
    told = templates.host.evidence(
        launcher=SimpleNamespace(name="fork", further=template.further), pooled=False
    )
    assert told["layers"] == {LANDLOCK: False}
    assert told["degraded"] is False


async def test_a_template_may_not_lack_it_where_the_machine_has_it(host_with_layer):
    templates = host_with_layer(holds=False, version=7)
    with pytest.raises(SandboxUnavailable, match="landlock: not in force"):
        await templates._require_layers(SimpleNamespace(further=()), None)
