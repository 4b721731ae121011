"""How the owner of a data source is named to the two commands that need one."""

import os
from pathlib import Path

from runner.access.transport import parsed


def owner_variable(name: str, *, notional: bool) -> str:
    """Return the name of the environment variable that holds the owner's DSN."""
    return f"DATA_SOURCE_{name.upper()}{'_NOTIONAL' if notional else ''}_OWNER_DSN"


def owner_dsn(variable: str, *, given: str | None = None) -> str:
    """Return what was `given`, the variable's value, what `<variable>_FILE` holds, or nothing.

    Never among the settings: the running processes have no business with it.  Raises UnsafeDsn.
    """
    file_name = os.environ.get(f"{variable}_FILE")
    if given:
        dsn = given
    elif file_name:
        dsn = Path(file_name).read_text(encoding="utf-8").strip()
    else:
        dsn = os.environ.get(variable, "")
    if dsn:
        parsed(dsn)
    return dsn
