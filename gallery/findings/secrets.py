"""Passwords and keys written into a notebook, in any language."""

import re
from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding

_PATTERNS = [
    (
        "a password in an address",
        re.compile(
            r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@'\"{}]{0,100}:[^\s@'\"{}]{1,200}@[\w.\[-]"
        ),
    ),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")),
    (
        "an access key",
        re.compile(
            r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[abpr]-[\w-]{10,}"
        ),
    ),
    ("a web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{5,}")),
    (
        "a password",
        re.compile(
            r"""(?ix)\b(?:[\w]{0,30}(?:password|passwd|passphrase|secret|api_?key|auth_?token|access_?token)|pwd|PGPASSWORD)
            ["']?\s{0,5}[:=]\s{0,5}
            (?:["'](?P<quoted>[^"'\n]{1,200})["'] | (?P<bare>[^\s"'(){}\[\],;$]{1,200})(?=["'\s]))""",
        ),
    ),
]
# What stands where a secret would, and is none.
_HARMLESS = re.compile(
    r"(?i)^(?:none|null|true|false|str|int|os\..*|getpass.*|input.*|x+|\*+|\.\.\.|<.*>|\$.*|%.*|:\w+|\w+\(.*|\w+\.\w+.*)$"
)


def check_secrets(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield lines that seem to hold a password or key. The message never repeats it."""
    for cell in notebook.cells:
        for number, line in enumerate(cell.source.split("\n"), start=1):
            what = _secret_in(line, is_code=cell.cell_type == "code")
            if what:
                message = f"This line seems to hold {what}. Remove it, and have it changed where it is valid."
                yield Finding("credential", "error", message, cell.index, number)


def _secret_in(line: str, *, is_code: bool) -> str:
    for what, pattern in _PATTERNS:
        for match in pattern.finditer(line[:5_000]):
            groups = match.groupdict()
            value = groups.get("quoted") or groups.get("bare")
            if not groups or (
                value
                and not _HARMLESS.match(value)
                and (is_code or groups.get("quoted"))
            ):
                return what
    return ""
