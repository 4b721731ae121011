"""supervisord: keeps the demo's processes running and stops them in order.

Its configuration is generated; each process is described by a launch file beside it.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from config.demo.programs import Demo, Program, common, programs, python

HEADER = """\
[supervisord]
nodaemon = true
silent = true
{user}logfile = {logs}/supervisord.log
pidfile = {sockets}/supervisord.pid
childlogdir = {logs}
umask = 077

[unix_http_server]
file = {sockets}/supervisor.sock
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """\

[program:{name}]
command = {command}
priority = {priority}
autostart = {autostart}
autorestart = true
startsecs = 1
startretries = 5
stopsignal = {stop_signal}
stopwaitsecs = {stop_wait_s}
killasgroup = true
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 2
"""

GROUP = """\

[group:{name}]
programs = {programs}
priority = {priority}
"""

DEATH_SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM}


def escaped(text: str) -> str:
    """Text that supervisord's configuration takes literally."""
    return text.replace("%", "%%")


def configuration(demo: Demo, *at_once: str) -> str:
    """The whole configuration; writes the launch files that it names.

    Args:
        at_once: programs that start with supervisord, besides those that always do.
    """
    logs, sockets = escaped(str(demo.home.logs)), escaped(str(demo.home.sockets))
    user = "user = root\n" if os.geteuid() == 0 else ""
    parts = [HEADER.format(user=user, logs=logs, sockets=sockets)]
    every = programs(demo)
    for program in every:
        command = shlex.join(_launch(demo, program))
        fields = {**vars(program), "command": escaped(command), "logs": logs}
        fields["autostart"] = program.autostart or program.name in at_once
        parts.append(PROGRAM.format(**fields))
    return "".join([*parts, *_groups(every)])


def _groups(every: list[Program]) -> Iterator[str]:
    """The groups: supervisord stops the members of one at once, and groups in turn."""
    for name in dict.fromkeys(program.group for program in every if program.group):
        members = [program for program in every if program.group == name]
        yield GROUP.format(
            name=name,
            programs=",".join(program.name for program in members),
            priority=min(program.priority for program in members),
        )


def _launch(demo: Demo, program: Program) -> list[str]:
    # Should supervisord itself be killed, its children stop by themselves.
    launch = replace(program.launch, death_signal=DEATH_SIGNALS[program.stop_signal])
    return launch.command_from(demo.home.sockets / f"{program.name}.json")


class Supervisor:
    """The running supervisord of one demo."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.configuration = demo.home.sockets / "supervisord.conf"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *at_once: str) -> None:
        """Start it apart from our terminal, so that Ctrl-C reaches us alone."""
        text = configuration(self.demo, *at_once)
        self.configuration.write_text(text, encoding="utf-8")
        arguments = ("-m", "supervisor.supervisord", "-c", str(self.configuration))
        launch = python(common(self.demo), *arguments)
        self.process = subprocess.Popen(
            launch.command(), stdin=subprocess.DEVNULL, start_new_session=True
        )

    def start_programs(self, *names: str) -> None:
        """Start programs that waited for the bootstrap, all at once."""
        groups = {each.name: each.group or each.name for each in programs(self.demo)}
        for name in names:
            self._remote.startProcess(f"{groups[name]}:{name}", False)

    def failed(self) -> list[str]:
        """Programs that were given up after several tries."""
        rows = self._remote.getAllProcessInfo()
        return [row["name"] for row in rows if row["statename"] == "FATAL"]

    @property
    def _remote(self) -> Any:
        socket = f"unix://{self.demo.home.sockets}/supervisor.sock"
        transport = SupervisorTransport(None, None, socket)
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Have everything stopped in order and wait for it."""
        if self.process is not None:
            if self.is_alive():
                self.process.terminate()
            self.process.wait()

    def wait(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        return self.process.wait() if self.process else 0


def log_ends(logs: Path, names: list[str], *, lines: int = 15) -> str:
    """The last lines of these programs' logs, for a message."""
    parts = []
    for name in names:
        log = logs / f"{name}.log"
        if log.exists():
            end = log.read_text(errors="replace").splitlines()[-lines:]
            parts.append("\n".join([f"--- {log}", *end]))
    return "\n".join(parts)
