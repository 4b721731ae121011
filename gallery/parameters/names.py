"""Which names a parameter may have, and where its cell is."""

import keyword
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
#: The tag of cells that are never executed.
SKIP_TAG = "skip-execution"

# IPython binds these in every kernel; a parameter of that name would break the notebook or the runner.
_RESERVED = {"In", "Out", "get_ipython", "exit", "quit", "display"}


# Assigning these changes what the shell itself does next, or whom the database client talks to.
_SHELL_OWN = re.compile(
    r"PATH|IFS|ENV|HOME|SHELLOPTS|BASH.*|LD_.*|PS\d|PROMPT_COMMAND|PG.*|LC_.*|LANG|CDPATH|OPT.*|UID|EUID|PPID|GLOB.*"
)
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_safe_name(name: str, language: str = "python") -> bool:
    """Return whether ``name`` can be assigned in ``language`` without touching the interpreter's own names."""
    if language == "bash" and (
        not _SHELL_NAME.fullmatch(name) or _SHELL_OWN.fullmatch(name)
    ):
        return False
    return (
        name.isidentifier()
        and len(name) <= 100
        and unicodedata.normalize("NFKC", name) == name
        and not keyword.iskeyword(name)
        and not name.startswith("__")
        and name.strip("_") != ""
        and name not in _RESERVED
    )


def has_tag(cell: Mapping[str, Any], tag: str) -> bool:
    """Return whether ``cell`` carries ``tag``, in any case of letters."""
    tags = cell.get("metadata", {}).get("tags", [])
    return any(isinstance(each, str) and each.lower() == tag for each in tags)


def parameters_cell_index(notebook: dict[str, Any]) -> int | None:
    """Return the index of the first code cell tagged ``parameters``, or None."""
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and has_tag(cell, PARAMETERS_TAG):
            return index
    return None


def language_of(notebook: dict[str, Any]) -> str:
    """Return the notebook's language in lower case."""
    metadata = notebook.get("metadata", {})
    spec = metadata.get("kernelspec", {}).get("language")
    return str(
        spec or metadata.get("language_info", {}).get("name") or "python"
    ).lower()
