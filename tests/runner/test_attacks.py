"""Attacks as approved notebooks: through request, queue's claim, lease, proxy and sandbox."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings

from accounts.models import User
from runner import execution
from runner.models import Run
from runner.results.vault import unseal
from tests.runner.access.test_attacks import REFUSED_STATEMENTS
from tests.runner.launching import approved, launch
from tests.support.data import DataCluster

pytestmark = [
    pytest.mark.security,
    pytest.mark.usefixtures("committed_db", "kernel_host", "data_cluster"),
]

TRY_STATEMENTS = """
import json, psycopg
seen = {}
with psycopg.connect(autocommit=True) as connection:
    me = connection.execute("SELECT session_user").fetchone()[0]
    connection.execute("SET default_transaction_read_only = off")
    for name, statement in STATEMENTS.items():
        try:
            rows = connection.execute(statement.replace("{me}", me)).rowcount
            seen[name] = f"worked: {rows}"
        except psycopg.Error as error:
            seen[name] = error.sqlstate
        if connection.closed:
            connection = psycopg.connect(autocommit=True)
            connection.execute("SET default_transaction_read_only = off")
print(json.dumps(seen))
"""


def printed(run: Run) -> Any:
    """Execute and return the JSON that the notebook printed."""
    execution.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "succeeded", run.error
    sealed = bytes(run.result.notebook)
    notebook = json.loads(
        unseal(sealed, keys=settings.RESULT_KEYS, associated=f"{run.pk}/notebook")
    )
    text = "".join(
        "".join(output["text"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout"
    )
    return json.loads(text)


def test_no_statement_of_the_catalogue_works_from_a_notebook(adams: User) -> None:
    source = f"STATEMENTS = {REFUSED_STATEMENTS!r}\n{TRY_STATEMENTS}"
    seen = printed(launch(approved(source), adams))
    assert set(seen) == set(REFUSED_STATEMENTS)
    assert {name: how for name, how in seen.items() if how.startswith("worked")} == {}


CONNECT = """
import json, psycopg
seen = {}
def attempt(name, **how):
    try:
        with psycopg.connect(**how) as connection:
            seen[name] = connection.execute(
                "SELECT session_user || '@' || current_database()").fetchone()[0]
    except psycopg.Error as error:
        seen[name] = "refused"
attempt("as is")
attempt("as postgres", user="postgres")
attempt("as the broker", user="cs_broker", password="x")
attempt("to the notional twin", dbname="notional")
attempt("to postgres", dbname="postgres")
attempt("with a role option", options="-c role=p_billing")
attempt("over TCP", host="127.0.0.1", port=PORT)
import os
with psycopg.connect() as connection:
    attempt("a second")
    with psycopg.connect():
        attempt("a third")
print(json.dumps(seen))
"""


def test_a_notebook_is_always_its_own_login_in_its_own_database(
    adams: User, data_cluster: DataCluster
) -> None:
    port = psycopg.conninfo.conninfo_to_dict(data_cluster.hospital_owner_dsn)["port"]
    run = launch(approved(f"PORT = {port}\n{CONNECT}"), adams)
    seen = printed(run)
    own = f"r_{run.pk.hex}@hospital"
    assert seen["as is"] == own
    assert {how for name, how in seen.items() if name != "as is"} <= {own, "refused"}
    assert seen["over TCP"] == "refused"
    assert seen["a third"] == "refused"


SANDBOX = """
import ctypes, json, os, socket
def attempt(act):
    try:
        return str(act())
    except (OSError, PermissionError) as error:
        return f"refused {error.errno}"
def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(2)
        sock.connect(address)
    return "connected"
def cloned(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    return "unshared"
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
seen = {
    "environment": sorted(os.environ),
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "capabilities": status["CapEff"].strip(),
    "no new privileges": status["NoNewPrivs"].strip(),
    "seccomp": status["Seccomp"].strip(),
    "web": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", WEB))),
    "abstract": attempt(lambda: connect(socket.AF_UNIX, "\\0countersign-attack")),
    "vsock": attempt(lambda: socket.socket(40, socket.SOCK_STREAM)),
    "packet": attempt(lambda: socket.socket(17, socket.SOCK_RAW)),
    "user namespace": attempt(lambda: cloned(0x10000000)),
    "mount namespace": attempt(lambda: cloned(0x20000)),
    "write to the environment": attempt(lambda: open(os.__file__, "a")),
    "write to /usr": attempt(lambda: open("/usr/planted", "w")),
    "passwords": attempt(lambda: open("/etc/shadow").read()),
    "checkout": attempt(lambda: os.listdir(CHECKOUT)),
    "kernel host": attempt(lambda: os.stat(HOST_SOCKET)),
}
print(json.dumps(seen))
"""


@pytest.fixture
def listener() -> Iterator[int]:
    """A TCP port and an abstract socket of the host, both listening."""
    with socket.create_server(("127.0.0.1", 0)) as web:
        with socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind("\0countersign-attack")
            abstract.listen()
            yield web.getsockname()[1]


def test_a_notebook_sees_nothing_of_the_machine(adams: User, listener: int) -> None:
    source = (
        f"WEB = {listener}\nCHECKOUT = {str(settings.BASE_DIR / 'config')!r}\n"
        f"HOST_SOCKET = {settings.KERNEL_HOST_SOCKET!r}\n{SANDBOX}"
    )
    seen = printed(launch(approved(source), adams))
    assert int(seen["capabilities"], 16) == 0
    assert (seen["no new privileges"], seen["seccomp"]) == ("1", "2")
    assert len(seen["processes"]) <= 4
    assert not {"SECRET_KEY", "DATABASE_URL", "BROKER_URL"} & set(seen["environment"])
    attempts = {
        name: how for name, how in seen.items() if isinstance(how, str) and " " in how
    }
    for name in (
        "web",
        "abstract",
        "vsock",
        "packet",
        "user namespace",
        "mount namespace",
        "write to the environment",
        "write to /usr",
        "passwords",
        "checkout",
        "kernel host",
    ):
        assert attempts.get(name, "worked").startswith("refused"), (name, seen[name])


def test_nothing_of_one_run_is_there_for_the_next(adams: User, baker: User) -> None:
    plant = """
import json, os
written = []
for folder in ("/tmp", os.path.expanduser("~"), "/dev/shm", os.getcwd()):
    try:
        open(os.path.join(folder, "CANARY-OF-ADAMS"), "w").write("x")
        written.append(folder)
    except OSError:
        pass
print(json.dumps(written))
"""
    look = """
import json, os
found = []
for folder in ("/tmp", os.path.expanduser("~"), "/dev/shm", os.getcwd()):
    found += [name for name in os.listdir(folder) if "CANARY" in name]
print(json.dumps(found))
"""
    assert printed(launch(approved(plant), adams))
    assert printed(launch(approved(look), baker)) == []
