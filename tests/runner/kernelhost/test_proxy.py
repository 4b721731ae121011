"""The data proxy between a real kernel and a real PostgreSQL."""

import secrets
import time

import psycopg
import pytest
from psycopg import sql

from config.embedded.files import free_port
from config.embedded.postgres import PostgresServer
from tests.runner.kernelhost.harness import DataSourceRequest, until

ROLE = "r_00000000000000000000000000000001"
OTHER = "r_00000000000000000000000000000002"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A throwaway cluster that asks for SCRAM, with one readable table and one secret one."""
    password = secrets.token_hex(16)
    cluster = PostgresServer(
        tmp_path_factory.mktemp("pg") / "c",
        free_port(),
        password,
        uid=61303,
        settings={"fsync": "off", "log_statement": "none"},
    )
    cluster.initialise(durable=False)
    cluster.start()
    cluster.secrets = {ROLE: "password-of-the-run", OTHER: "password-of-the-other"}
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE hospital")
    with psycopg.connect(cluster.dsn("hospital"), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE visits AS SELECT g AS id, repeat('x', 100) AS note FROM generate_series(1, 5000) g"
        )
        connection.execute("CREATE TABLE notes (id int, note text)")
        connection.execute("GRANT INSERT ON notes TO PUBLIC")
        connection.execute("CREATE TABLE secret AS SELECT 1 AS id")
        for role, word in cluster.secrets.items():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(word)
                )
            )
        connection.execute(
            sql.SQL("GRANT SELECT ON visits TO {}").format(sql.Identifier(ROLE))
        )
        connection.execute(
            sql.SQL("GRANT SELECT ON visits TO {}").format(sql.Identifier(OTHER))
        )
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def source(server):
    """A request's data source, with limits."""

    def make(role=ROLE, password=None, **limits):
        return DataSourceRequest(
            name="hospital",
            host="127.0.0.1",
            port=server.port,
            database="hospital",
            user=role,
            password=password or server.secrets[role],
            limits=limits,
        )

    return make


CONNECT = "import psycopg\nconnection = psycopg.connect(autocommit=True)\n"


def test_every_client_connects_without_configuration(host, source):
    outcome = host.run(
        "import psycopg\nwith psycopg.connect() as c: print(c.execute('select count(*) from visits').fetchone())",
        "import sqlalchemy\n"
        "with sqlalchemy.create_engine('postgresql+psycopg://').connect() as c:\n"
        "    print(c.execute(sqlalchemy.text('select id from visits order by id limit 3')).all())",
        "import pandas\nprint(len(pandas.read_sql('select id from visits where id <= 10', sqlalchemy.create_engine('postgresql+psycopg://'))))",
        "with psycopg.connect('service=hospital') as c: print(c.execute('select session_user, current_database()').fetchone())",
        "with psycopg.connect() as c, c.cursor() as k:\n"
        "    with k.copy('COPY (SELECT id FROM visits ORDER BY id LIMIT 4) TO STDOUT') as copy: print(list(copy.rows()))",
        "with psycopg.connect() as c, c.cursor('server_side') as k:\n    k.execute('select id from visits order by id')\n    print(len(k.fetchmany(7)))",
        # Two engines keep a pooled connection each.
        data_sources=(source(connections=5),),
    )
    assert outcome.status == "succeeded", outcome.error
    assert outcome.text(0) == "(5000,)\n"
    assert outcome.text(1) == "[(1,), (2,), (3,)]\n"
    assert outcome.text(2) == "10\n"
    assert ROLE in outcome.text(3)
    assert outcome.text(4).count("(") == 4
    assert outcome.text(5) == "7\n"
    recorded = {event["text"]: event for event in outcome.of("statement")}
    assert recorded["select count(*) from visits"]["rows"] == 1
    assert recorded["select id from visits order by id limit 3"]["rows"] == 3
    assert all(
        event["source"] == "hospital" and event["sqlstate"] is None
        for event in recorded.values()
    )
    assert outcome.last["rows_read"] == sum(
        event["rows"] for event in outcome.of("statement")
    )


def test_the_kernel_holds_no_credential(host, source, server):
    outcome = host.run(
        "import os, subprocess\n"
        "from pathlib import Path\n"
        "print(sorted(k for k in os.environ if k.startswith('PG')))\n"
        "print(dict(os.environ))\n"
        "for path in ('/proc/self/environ', '/proc/self/cmdline', '/run/data/services.conf', '/run/kernel/connection.json'):\n"
        "    print(Path(path).read_bytes())\n"
        "print(os.listdir('/run/data/hospital'))",
        "import psycopg\nc = psycopg.connect()\nprint(repr(c.info.password), c.pgconn.used_password)",
        data_sources=(source(),),
    )
    assert server.secrets[ROLE] not in str(outcome.events)
    assert "PGPASSWORD" not in outcome.text(0)
    assert "['.s.PGSQL.5432']" in outcome.text(0)
    assert outcome.text(1) == "'' False\n"


def test_a_statement_that_was_refused_is_told_from_any_other_failure(host, source):
    outcome = host.run(
        CONNECT + "connection.execute('select * from secret')", data_sources=(source(),)
    )
    assert outcome.status == "failed"
    assert outcome.error["code"] == "permission_denied"
    assert (outcome.error["cell"], outcome.error["line"]) == (0, 3)
    assert outcome.of("statement")[-1]["sqlstate"] == "42501"


def test_a_refusal_inside_a_transaction_is_still_a_refusal(host, source):
    outcome = host.run(
        "import psycopg\nwith psycopg.connect() as c:\n    c.execute('select 1')\n    c.execute('select * from secret')",
        data_sources=(source(),),
    )
    assert outcome.error["code"] == "permission_denied"


@pytest.mark.parametrize(
    "source_text",
    [
        "try:\n    connection.execute('select * from secret')\nexcept psycopg.Error: pass\nconnection.execute('select 1')\n1 / 0",
        "raise RuntimeError('permission denied for table secret')",
        "connection.execute('select 1 / 0')",
    ],
    ids=["caught", "only said so", "another error"],
)
def test_a_failure_that_is_not_a_refusal_is_not_called_one(host, source, source_text):
    outcome = host.run(CONNECT + source_text, data_sources=(source(),))
    assert outcome.error["code"] == "notebook_error"


def test_a_refusal_in_an_earlier_cell_does_not_colour_a_later_failure(host, source):
    outcome = host.run(
        CONNECT
        + "try:\n    connection.execute('select * from secret')\nexcept psycopg.Error: pass",
        "1 / 0",
        data_sources=(source(),),
    )
    assert outcome.error["code"] == "notebook_error"


def test_rows_are_limited_and_the_message_says_what_to_narrow(host, source):
    outcome = host.run(
        CONNECT + "try:\n    connection.execute('select * from visits')\n"
        "except psycopg.Error as e: print(e.sqlstate, e)",
        "try: psycopg.connect().execute('select id from visits limit 1')\nexcept psycopg.Error as e: print(e.sqlstate)",
        data_sources=(source(rows=1000),),
    )
    assert outcome.text(0).startswith("54000")
    assert "may read 1,000 rows from hospital" in outcome.text(0)
    assert "Narrow the query" in outcome.text(0)
    assert outcome.text(1) == "54000\n"
    assert outcome.last["rows_read"] == 1000
    assert outcome.of("statement")[0]["sqlstate"] == "54000"


def test_bytes_are_limited(host, source):
    outcome = host.run(
        CONNECT
        + "try: connection.execute('select * from visits')\nexcept psycopg.Error as e: print(e.sqlstate, e)",
        data_sources=(source(bytes=50_000),),
    )
    assert "may read 50,000 bytes" in outcome.text(0)


def test_statement_time_is_limited_whatever_sql_says(host, source, server):
    outcome = host.run(
        CONNECT + "connection.execute('set statement_timeout = 0')\n"
        "try: connection.execute('select pg_sleep(30)')\nexcept psycopg.Error as e: print(e.sqlstate, e)",
        data_sources=(source(statement_s=1),),
    )
    assert outcome.text(0).startswith("57014")
    assert outcome.seconds < 15
    assert until(lambda: active(server, "pg_sleep") == 0)


def active(server, text):
    with psycopg.connect(server.dsn()) as connection:
        statement = "select count(*) from pg_stat_activity where state = 'active' and query like %s and pid <> pg_backend_pid()"
        return connection.execute(statement, [f"%{text}%"]).fetchone()[0]


def test_connections_are_limited(host, source):
    outcome = host.run(
        "import psycopg\nheld = [psycopg.connect() for _ in range(2)]\n"
        "try: psycopg.connect()\nexcept psycopg.OperationalError as e: print(e)\n"
        "held.pop().close()\nimport time\ntime.sleep(0.3)\npsycopg.connect()\nprint('again')",
        data_sources=(source(),),
    )
    assert "2 connections" in outcome.text(0)
    assert "again" in outcome.text(0)


def test_nothing_but_the_own_login_and_database_can_be_reached(host, source):
    attempts = [
        "user=postgres",
        f"user={OTHER}",
        "dbname=postgres",
        "dbname=template1",
        "replication=database",
        "options='-c role=postgres'",
        "options='-c row_security=off'",
    ]
    outcome = host.run(
        "import psycopg\n"
        f"for attempt in {attempts!r}:\n"
        "    try:\n        psycopg.connect(attempt)\n        print('connected', attempt)\n"
        "    except psycopg.OperationalError as e: print('refused')",
        data_sources=(source(),),
    )
    assert outcome.text(0) == "refused\n" * len(attempts)


def test_copying_in_notifications_and_function_calls_are_refused(host, source):
    outcome = host.run(
        CONNECT
        + "try:\n    with connection.cursor().copy('COPY notes FROM STDIN') as copy: copy.write_row((1, 'x'))\n"
        "except psycopg.Error as e: print(e.sqlstate)",
        "listening = psycopg.connect(autocommit=True)\nlistening.execute('listen channel')\n"
        "listening.execute(\"notify channel, 'words of another run'\")\n"
        "print(list(listening.notifies(timeout=0.5)))",
        data_sources=(source(),),
    )
    assert outcome.text(0).strip() == "0A000"
    assert outcome.text(1) == "[]\n"


def test_cancelling_works_through_the_proxy_and_only_with_its_own_key(host, source):
    outcome = host.run(
        CONNECT + "import threading, time\n"
        "threading.Timer(0.5, connection.cancel_safe).start()\n"
        "started = time.monotonic()\n"
        "try: connection.execute('select pg_sleep(20)')\n"
        "except psycopg.errors.QueryCanceled: print('cancelled', time.monotonic() - started < 10)",
        "print(connection.info.backend_pid == connection.execute('select pg_backend_pid()').fetchone()[0])",
        data_sources=(source(),),
    )
    assert outcome.text(0) == "cancelled True\n"
    assert outcome.text(1) == "False\n"


def test_the_socket_cannot_be_replaced(host, source):
    """K10."""
    outcome = host.run(
        "import os\n"
        "for act in (os.unlink, lambda p: os.rename(p, '/tmp/x')):\n"
        "    try: act('/run/data/hospital/.s.PGSQL.5432')\n    except OSError as e: print(e.errno)",
        CONNECT + "print(connection.execute('select 1').fetchone())",
        data_sources=(source(),),
    )
    assert outcome.text(0).count("\n") == 2
    assert outcome.text(1) == "(1,)\n"


def test_a_login_that_does_not_work_says_so_without_the_password(host, source):
    outcome = host.run(
        "import psycopg\npsycopg.connect()",
        data_sources=(source(password="wrong-password"),),
    )
    assert outcome.status == "failed"
    assert "wrong-password" not in str(outcome.events)
    assert outcome.of("statement")[0]["sqlstate"] == "28P01"


def test_garbage_on_the_socket_hurts_nobody(host, source):
    outcome = host.run(
        "import os, socket, struct\n"
        "for data in (b'', b'\\0' * 8, os.urandom(200), struct.pack('!II', 8, 80877103) * 9, b'\\xff\\xff\\xff\\xff', struct.pack('!II', 2**31 - 1, 196608)):\n"
        "    s = socket.socket(socket.AF_UNIX)\n    s.connect('/run/data/hospital/.s.PGSQL.5432')\n    s.sendall(data)\n    s.shutdown(socket.SHUT_WR)\n    s.recv(100)\n    s.close()",
        CONNECT
        + "s = socket.socket(fileno=os.dup(connection.fileno()))\ns.setblocking(True)\n"
        "s.sendall(b'F' + struct.pack('!I', 12) + b'12345678')\nprint(s.recv(1000))",
        CONNECT + "print(connection.execute('select 1').fetchone())",
        data_sources=(source(),),
    )
    assert outcome.text(2) == "(1,)\n", outcome.last
    assert "not supported here" in outcome.text(1)


def test_many_rows_pass_quickly(host, source):
    outcome = host.run(
        CONNECT + "import time\nstarted = time.monotonic()\n"
        "rows = connection.execute('select a.id, b.id from visits a, visits b where b.id <= 40').fetchall()\n"
        "print(len(rows), time.monotonic() - started)",
        data_sources=(source(),),
    )
    count, seconds = outcome.text(0).split()
    assert int(count) == 200_000
    assert float(seconds) < 20


def test_the_end_of_the_run_cuts_its_connections(host, source, server):
    with host.session(
        CONNECT + "connection.execute('select pg_sleep(50)')", data_sources=(source(),)
    ) as session:
        for event in session.events(timeout_s=20):
            if event and event["event"] == "cell_started":
                break
        assert until(lambda: active(server, "pg_sleep") == 1)
    started = time.monotonic()
    assert until(lambda: not host.kernel_processes())
    assert until(lambda: sessions(server) == 0), "a session of the run is still open"
    assert time.monotonic() - started < 5


def sessions(server):
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute(
            "select count(*) from pg_stat_activity where usename = %s and state <> 'active'",
            [ROLE],
        ).fetchone()[0]
