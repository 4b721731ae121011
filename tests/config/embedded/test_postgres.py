"""The embedded PostgreSQL: passwords everywhere, never root, folders left as they are."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config.embedded.files import free_port
from config.embedded.postgres import PostgresServer, remove_stale_pid
from tests.support.environment import REPOSITORY

FAST = {"fsync": "off", "shared_buffers": "16MB"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root must do")


@pytest.fixture(scope="module")
def closed_folder(tmp_path_factory):
    """A folder that nobody but its owner may enter, such as /root."""
    folder = tmp_path_factory.mktemp("closed")
    folder.chmod(0o700)
    return folder


@pytest.fixture(scope="module")
def server(closed_folder):
    server = PostgresServer(
        closed_folder / "cluster",
        free_port(),
        "right-password",
        settings=FAST,
        sockets=closed_folder / "sockets",
    )
    server.initialise(durable=False)
    server.start()
    yield server
    server.stop()


def test_it_is_new_enough_for_row_level_security_as_we_use_it(server):
    with psycopg.connect(server.dsn()) as connection:
        assert connection.info.server_version >= 180004


def test_a_wrong_password_is_refused(server):
    wrong = server.dsn().replace("right-password", "wrong-password")
    with pytest.raises(
        psycopg.OperationalError, match="password authentication failed"
    ):
        psycopg.connect(wrong)


def test_no_password_is_refused_over_tcp(server):
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", dbname="postgres"
        )


def test_no_password_is_refused_over_the_unix_socket(server):
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(
            host=str(server.sockets),
            port=server.port,
            user="postgres",
            dbname="postgres",
        )


def test_every_line_of_the_access_rules_wants_scram(server):
    with psycopg.connect(server.dsn()) as connection:
        rows = connection.execute(
            "SELECT auth_method, address FROM pg_hba_file_rules"
        ).fetchall()
        verifiers = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolcanlogin"
        )
        assert all(row[0].startswith("SCRAM-SHA-256$") for row in verifiers)
    assert {method for method, _ in rows} == {"scram-sha-256"}
    assert {address for _, address in rows} == {None, "127.0.0.1", "::1"}


def test_it_listens_on_loopback_only(server):
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


@as_root
@pytest.mark.security
def test_started_by_root_it_runs_as_somebody_without_rights(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {str(server.uid)}
    assert set(facts["Gid"].split()) == {str(server.uid)}
    assert facts["Groups"].split() == []
    assert facts["NoNewPrivs"] == "1"
    assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0


@as_root
def test_folders_above_it_keep_their_mode(server, closed_folder):
    assert closed_folder.stat().st_mode & 0o777 == 0o700
    assert closed_folder.stat().st_uid == 0
    assert (server.home / "data").stat().st_uid == server.uid


@as_root
def test_no_account_was_added_for_it(server):
    assert f":{server.uid}:" not in Path("/etc/passwd").read_text()


def test_the_password_is_in_no_argument_and_in_no_file_left_behind(server):
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    assert b"right-password" not in arguments
    assert not (server.home / "password").exists()
    assert b"right-password" not in server.log.read_bytes()


def test_initialising_again_changes_nothing(server):
    before = (server.home / "data" / "PG_VERSION").stat().st_mtime_ns
    assert server.initialise() is False
    assert (server.home / "data" / "PG_VERSION").stat().st_mtime_ns == before


def test_it_stops_by_sigint_with_sessions_open_and_starts_again(tmp_path):
    server = PostgresServer(tmp_path / "cluster", free_port(), "secret", settings=FAST)
    server.initialise(durable=False)
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        server.stop(timeout_s=5)
    assert server.process.returncode == 0
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    server.stop()


def test_it_starts_again_after_being_killed(tmp_path):
    server = PostgresServer(tmp_path / "cluster", free_port(), "secret", settings=FAST)
    server.initialise(durable=False)
    server.start()
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert (server.home / "data" / "postmaster.pid").exists()
    server.start()
    server.stop()


def test_a_pid_file_that_names_another_program_is_removed(tmp_path):
    file = tmp_path / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n/somewhere\n")
    remove_stale_pid(file)
    assert not file.exists()


AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
import psycopg
from config.embedded.files import free_port
from config.embedded.postgres import PostgresServer
assert os.geteuid() == 1000
server = PostgresServer(Path(sys.argv[1]) / "cluster", free_port(), "secret")
server.initialise(durable=False)
server.start()
with psycopg.connect(server.dsn()) as connection:
    print(connection.execute("SELECT 'answered'").fetchone()[0])
server.stop()
"""


def test_an_ordinary_user_needs_no_root(tmp_path):
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    done = subprocess.run(
        [*prefix, sys.executable, "-c", AS_ORDINARY_USER, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "answered", done.stderr


def test_a_port_in_use_is_told_from_the_log(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = PostgresServer(tmp_path / "cluster", port, "secret", settings=FAST)
        server.initialise(durable=False)
        with pytest.raises(RuntimeError, match="Address already in use"):
            server.start()
