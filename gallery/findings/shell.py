"""Checks of shell code: bash notebooks, and shell cells in others."""

import re
from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding, Severity

_WORD = r"(?:^|[;&|(`]|\$\(|\bthen\b|\bdo\b|\bsudo\b|\bxargs\b)\s*"
_RULES: list[tuple[re.Pattern[str], str, Severity, str]] = [
    (
        re.compile(
            _WORD
            + r"(?:curl|wget|nc|ncat|ssh|scp|sftp|rsync|ftp|telnet|socat)\b|/dev/(?:tcp|udp)/"
        ),
        "network",
        "warning",
        "This is for the network, and runs have none; only the approved data source can be reached.",
    ),
    (
        re.compile(
            _WORD
            + r"(?:pip3?|conda|apt|apt-get|npm|yum|dnf|apk)\s+\S*\s*\b(?:install|add)\b"
        ),
        "installs_packages",
        "error",
        "This installs packages while the notebook runs. Runs have no network: ask for an environment with them.",
    ),
    (
        re.compile(_WORD + r"(?:eval|source|\.)\s+\S|\|\s*(?:ba|z|da)?sh\b"),
        "dynamic_code",
        "error",
        "This runs text or another file as code. What it runs cannot be reviewed.",
    ),
    (
        re.compile(_WORD + r"read\s+(?!-u)(?:-\w+\s+)*\w+\s*$"),
        "asks_for_input",
        "warning",
        "This may wait for someone to type, which stops a run. Make it a parameter.",
    ),
]


def check_shell(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield lines of shell code that deserve a look."""
    for cell in notebook.cells:
        magic = cell.python.cell_magic if cell.python else None
        is_shell_cell = magic is not None and magic.name in ("bash", "sh", "script")
        if cell.cell_type != "code" or not (
            notebook.language == "bash" or is_shell_cell
        ):
            continue
        for number, line in enumerate(cell.source.split("\n"), start=1):
            if line.lstrip().startswith("#"):
                continue
            for pattern, code, severity, message in _RULES:
                if pattern.search(line[:5_000]):
                    yield Finding(code, severity, message, cell.index, number)
