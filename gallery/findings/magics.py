"""Checks of what IPython and not Python runs: magics, shell escapes, and code that does not parse."""

from collections.abc import Iterator

from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.findings.model import Finding
from gallery.python_source import Magic

_OUTSIDE = {
    "run",
    "load",
    "loadpy",
    "macro",
    "rerun",
    "recall",
    "edit",
    "load_node",
    "pastebin",
}
_INSTALL = {
    "pip",
    "pip3",
    "conda",
    "mamba",
    "micromamba",
    "uv",
    "apt",
    "apt-get",
    "npm",
}
_SHELL = {
    "bash",
    "sh",
    "script",
    "cmd",
    "sx",
    "system",
    "perl",
    "ruby",
    "python2",
    "pypy",
    "writefile",
    "file",
}
_MARKUP = {"html", "javascript", "js", "svg"}
_ENVIRONMENT = {"env", "set_env"}
_QUIET = {
    "matplotlib",
    "time",
    "timeit",
    "capture",
    "sql",
    "precision",
    "pprint",
    "prun",
}


def check_magics(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield magics, shell escapes and syntax errors of Python cells."""
    for cell in notebook.cells:
        if cell.python is None:
            continue
        if cell.python.error is not None:
            yield _syntax_error(cell, cell.python.error)
        magics = list(cell.python.magics)
        if cell.python.cell_magic:
            magics.append(cell.python.cell_magic)
        for magic in magics:
            yield from _check(cell, magic)


def _syntax_error(cell: CheckedCell, error: SyntaxError) -> Finding:
    message = f"This cell is not valid Python ({error.msg}). It would fail, and the other checks cannot read it."
    return Finding("syntax_error", "error", message, cell.index, error.lineno)


def _check(cell: CheckedCell, magic: Magic) -> Iterator[Finding]:
    where = (cell.index, magic.line)
    if magic.name in _INSTALL or (
        magic.mark.startswith("!") and " install " in f" {magic.text} "
    ):
        message = "This installs packages while the notebook runs. Runs have no network: ask for an environment with them."
        yield Finding("installs_packages", "error", message, *where)
    elif magic.mark.startswith("!") or magic.name in _SHELL:
        yield Finding(
            "shell",
            "warning",
            f"This runs a program outside Python: {magic.text[:60]}",
            *where,
        )
    elif magic.name in _OUTSIDE:
        message = f"“{magic.mark}{magic.name}” runs code that is not part of what is reviewed."
        yield Finding("runs_other_code", "error", message, *where)
    elif magic.name in _MARKUP:
        message = f"“{magic.mark}{magic.name}” writes markup or script into the result. Results show no scripts."
        yield Finding("markup", "warning", message, *where)
    elif magic.name in _ENVIRONMENT:
        yield Finding(
            "environment",
            "warning",
            "This reads or sets environment variables.",
            *where,
        )
    elif magic.mark not in ("?", "??") and magic.name not in _QUIET:
        message = f"“{magic.mark}{magic.name}” is an IPython command that the other checks do not know."
        yield Finding("other_magic", "info", message, *where)
