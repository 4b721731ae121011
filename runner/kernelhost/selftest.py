"""The fail-closed self-test: a probe is really launched, and each layer is judged by what it met."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import LANDLOCK, Caps, Confinement, Layer
from runner.kernelhost.environments import (
    INSIDE,
    Bind,
    KernelDefinition,
    is_interpreter_prefix,
)
from runner.kernelhost.sandbox import Launcher, Sandbox
from runner.kernelhost.template.landlock import DEVICES_ABI

PROBE_TIMEOUT_S = 15.0
POLL_S = 0.01
PROBE = Path(__file__).with_name("probe_script.py")
NO_CAPABILITIES = "0000000000000000"
NAMESPACE_LINKS = {
    "mount": "mnt",
    "pid": "pid",
    "network": "net",
    "ipc": "ipc",
    "uts": "uts",
    "user": "user",
}


@dataclass(frozen=True)
class Findings:
    """The probe's answers and what the host saw of the probe from outside."""

    inside: dict[str, Any]
    real_uid: int
    cgroup_holds: bool
    confinement: Confinement
    launcher: Launcher


def probe_command(*interpreter: str) -> tuple[str, ...]:
    """The command that runs the probe with an interpreter and its options."""
    return (*interpreter, "-c", PROBE.read_text(encoding="utf-8"))


def probe_definition() -> KernelDefinition:
    """A stand-in for a kernel: this host's own interpreter, to run the probe with."""
    prefix = Path(sys.base_prefix).resolve()
    system = not is_interpreter_prefix(prefix) or prefix.is_relative_to("/usr")
    interpreter = Path(os.path.realpath(sys.executable))
    return KernelDefinition(
        environment="",
        kernel_name="",
        argv=probe_command(str(interpreter), "-I", "-S"),
        env=(),
        encrypts=False,
        interrupt_mode="signal",
        binds=(() if system else (Bind(str(prefix), str(prefix)),))
        + (Bind(str(prefix / "bin"), INSIDE),),
        links=(),
    )


async def probe(
    launcher: Launcher,
    confinement: Confinement,
    command: tuple[str, ...],
    *,
    cgroup: RunCgroup | None,
) -> Findings:
    """Launch the probe and collect the findings.

    Raises:
        SandboxUnavailable: the sandbox could not even be built.
        ValueError: the probe did not answer.
    """
    sandbox = await launcher.launch(confinement, command, cgroup=cgroup)
    try:
        inside = await asyncio.wait_for(_answer(sandbox), PROBE_TIMEOUT_S)
        pid = sandbox.kernel_pid()
        inside["uid_outside"] = Path(f"/proc/{pid}").stat().st_uid
        return Findings(
            inside=inside,
            real_uid=inside["uid_outside"],
            cgroup_holds=cgroup is not None and pid is not None and cgroup.holds(pid),
            confinement=confinement,
            launcher=launcher,
        )
    finally:
        await sandbox.destroy()


async def _answer(sandbox: Sandbox) -> dict[str, Any]:
    while True:
        for line in b"".join(sandbox.last_words).splitlines():
            with suppress(ValueError):
                answer = json.loads(line)
                if isinstance(answer, dict):
                    return answer
        if sandbox.gone.done():
            raise ValueError(
                b"".join(sandbox.last_words).decode(errors="replace")[-300:]
                or "no answer"
            )
        await asyncio.sleep(POLL_S)


def _namespace(name: str) -> Callable[[Findings], tuple[bool, str]]:
    link = NAMESPACE_LINKS[name]

    def judge(findings: Findings) -> tuple[bool, str]:
        inside = findings.inside["namespaces"].get(link)
        others = [os.getpid(), findings.launcher.pid]
        holds = inside is not None and inside not in {
            str(Path(f"/proc/{pid}/ns/{link}").readlink()) for pid in others if pid
        }
        if name == "pid":
            holds = holds and max(findings.inside["pids"]) < 100
        if name == "network":
            holds = holds and findings.inside["interfaces"] == ["lo"]
        return holds, "its own" if holds else "not its own"

    return judge


def _nested(findings: Findings) -> tuple[bool, str]:
    answer = findings.inside["unshare"]
    return answer in ("EPERM", "ENOSPC"), answer


def _read_only(findings: Findings) -> tuple[bool, str]:
    writes = findings.inside["writes"]
    open_to_writes = [
        path for path, answer in writes.items() if answer not in ("EROFS", "EACCES")
    ]
    return bool(writes) and not open_to_writes, ", ".join(
        open_to_writes
    ) or "no write possible"


def _capabilities(findings: Findings) -> tuple[bool, str]:
    status = findings.inside["status"]
    held = {status["CapEff"], status["CapPrm"], status["CapBnd"]}
    return held == {NO_CAPABILITIES}, status["CapEff"]


def _status(field: str, wanted: str) -> Callable[[Findings], tuple[bool, str]]:
    def judge(findings: Findings) -> tuple[bool, str]:
        seen = str(findings.inside["status"].get(field, "absent"))
        return seen == wanted, seen

    return judge


def _vsock(findings: Findings) -> tuple[bool, str]:
    answer = findings.inside["vsock"]
    return answer == "EAFNOSUPPORT", answer


def _rlimits(findings: Findings) -> tuple[bool, str]:
    caps, seen = findings.confinement.caps, findings.inside["rlimits"]
    data_bytes = caps.data_bytes + findings.launcher.inherited_bytes
    wanted = {
        "core": [0, 0],
        "processes": [caps.processes] * 2,
        "files": [caps.open_files] * 2,
        "data": [data_bytes] * 2,
        "file_size": [caps.file_bytes] * 2,
    }
    wrong = [name for name, value in wanted.items() if seen[name] != value]
    return not wrong, ", ".join(wrong) or "set"


def _uid(findings: Findings) -> tuple[bool, str]:
    uid = findings.confinement.host_uid
    return uid not in (None, 0) and findings.real_uid == uid, str(findings.real_uid)


def _cgroup(findings: Findings) -> tuple[bool, str]:
    return findings.cgroup_holds, "joined" if findings.cgroup_holds else "absent"


def _landlock(findings: Findings) -> tuple[bool, str]:
    """Mounts and capabilities allow what the probe tried; only Landlock refuses it."""
    met = findings.inside["landlock"]
    version = met["version"]
    if version < 1:
        return False, "this machine's kernel has none"
    answers = [met["node"], *([met["request"]] if version >= DEVICES_ABI else [])]
    holds = set(answers) == {"EACCES"}
    return holds, f"version {version}" if holds else "not in force"


JUDGES: dict[str, Callable[[Findings], tuple[bool, str]]] = {
    **{name: _namespace(name) for name in NAMESPACE_LINKS},
    "nested_user_namespaces": _nested,
    "read_only_files": _read_only,
    "capabilities": _capabilities,
    "no_new_privileges": _status("NoNewPrivs", "1"),
    "seccomp": _status("Seccomp", "2"),
    "vsock": _vsock,
    "rlimits": _rlimits,
    "uid_per_run": _uid,
    "cgroup": _cgroup,
    LANDLOCK: _landlock,
}


def judge(findings: Findings, names: tuple[str, ...]) -> tuple[Layer, ...]:
    """Every layer that is asked for, held or not."""
    return tuple(Layer(name, *JUDGES[name](findings)) for name in names)


def none_hold(required: tuple[str, ...], reason: str) -> tuple[Layer, ...]:
    """What to report when the sandbox could not be built at all."""
    return tuple(Layer(name, False, reason) for name in required)


def probe_caps() -> Caps:
    """Caps of the probe itself."""
    return Caps(memory_bytes=256 * 1024 * 1024, processes=32)
