"""What every sandbox shows of the host: system libraries and a synthetic /etc."""

from __future__ import annotations

from pathlib import Path

from runner.kernelhost.confinement import (
    DATA_DIR,
    HOME,
    TEMPORARY,
    UID_INSIDE,
    DataFile,
)
from runner.kernelhost.environments import INSIDE, Bind
from runner.kernelhost.protocol import DEFAULT_SOURCE, OWN_LOGIN

SERVICE_FILE = "services.conf"
SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ssl/certs",
)
PASSWD = f"kernel:x:{UID_INSIDE}:{UID_INSIDE}::{HOME}:/bin/sh\n".encode()
GROUP = f"kernel:x:{UID_INSIDE}:\n".encode()
HOSTS = b"127.0.0.1 localhost run\n::1 localhost\n"
NSSWITCH = b"passwd: files\ngroup: files\nhosts: files\n"


def system_binds() -> tuple[tuple[Bind, ...], tuple[Bind, ...]]:
    """The read-only system directories and the links between them: (binds, links)."""
    binds = [Bind("/usr", "/usr")]
    links = []
    for name in SYSTEM_LINKS:
        path = Path(name)
        if path.is_symlink():
            links.append(Bind(str(path.readlink()), name))
        elif path.is_dir():
            binds.append(Bind(name, name))
    binds += [
        Bind(str(Path(name).resolve()), name)
        for name in SYSTEM_FILES
        if Path(name).exists()
    ]
    return tuple(binds), tuple(links)


def synthetic_etc() -> tuple[DataFile, ...]:
    """Accounts and host names that tell nothing about the host."""
    return (
        DataFile("/etc/passwd", PASSWD, 0o444),
        DataFile("/etc/group", GROUP, 0o444),
        DataFile("/etc/hosts", HOSTS, 0o444),
        DataFile("/etc/nsswitch.conf", NSSWITCH, 0o444),
    )


def base_environment() -> dict[str, str]:
    """The whole environment of a kernel, before its kernelspec and the way to its data."""
    return {
        "HOME": HOME,
        "USER": "kernel",
        "LOGNAME": "kernel",
        "PATH": f"{INSIDE}/bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": TEMPORARY,
        "IPYTHONDIR": f"{HOME}/.ipython",
        "JUPYTER_RUNTIME_DIR": f"{HOME}/.runtime",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def data_environment() -> dict[str, str]:
    """libpq's variables, the same for every kernel; they lead to the run's first data source.

    They name no role and no database of the data source: the proxy takes these words for
    the run's own login, which is not known when a kernel starts.
    """
    return {
        "PGHOST": f"{DATA_DIR}/{DEFAULT_SOURCE}",
        "PGPORT": "5432",
        "PGUSER": OWN_LOGIN,
        "PGDATABASE": DEFAULT_SOURCE,
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        "PGCONNECT_TIMEOUT": "10",
        "PGSERVICEFILE": f"{DATA_DIR}/{SERVICE_FILE}",
    }


def service_file(names: list[str]) -> str:
    """``psycopg.connect("service=<name>")`` for every data source of the run."""
    return "\n".join(
        f"[{name}]\nhost={DATA_DIR}/{name}\nport=5432\nuser={OWN_LOGIN}\n"
        f"dbname={DEFAULT_SOURCE}\nsslmode=disable\n"
        for name in names
    )
