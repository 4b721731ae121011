"""How the owner of a data source is named to the two commands that need one."""

import os
from pathlib import Path


def owner_variable(name: str, *, notional: bool) -> str:
    """Return the name of the environment variable that holds the owner's DSN."""
    return f"DATA_SOURCE_{name.upper()}{'_NOTIONAL' if notional else ''}_OWNER_DSN"


def owner_dsn(variable: str) -> str:
    """Return the variable's value, or what the file named by `<variable>_FILE` holds, or nothing.

    Never among the settings: the running processes have no business with it.
    """
    file_name = os.environ.get(f"{variable}_FILE")
    if file_name:
        return Path(file_name).read_text(encoding="utf-8").strip()
    return os.environ.get(variable, "")
