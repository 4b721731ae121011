"""What a hostile notebook tries at the data source, as functions that run inside its kernel.

The plain statements that are refused are in ``access.test_attacks``; here is what shows in rows.
"""


def refused_statements():
    import psycopg

    def connected():
        connection = psycopg.connect(autocommit=True)
        connection.execute("SET default_transaction_read_only = off")
        return connection

    seen = {}
    connection = connected()
    me = connection.execute("SELECT session_user").fetchone()[0]
    for name, statement in STATEMENTS.items():
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.replace("{me}", me))
            seen[name] = "worked"
        except psycopg.Error as error:
            seen[name] = error.sqlstate
        if connection.closed:
            connection = connected()
    return seen


def somebody_else():
    import psycopg

    with psycopg.connect(autocommit=True) as connection:

        def value(statement):
            return connection.execute(statement).fetchone()[0]

        def outcome(statement):
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                return error.sqlstate
            return "worked"

        who = "SELECT session_user || ' ' || current_user"
        count = "SELECT count(*) FROM clinic.patients"
        seen = {"at first": value(who), "own rows": value(count)}
        for reset in ("RESET ROLE", "RESET SESSION AUTHORIZATION", "SET ROLE NONE"):
            outcome(reset)
        seen["after resets"] = value(who)
        for name in ("app.user", "countersign.username", "countersign.department"):
            value(f"SELECT set_config('{name}', 'baker', false)")
        seen["rows with settings of others"] = value(count)
        seen["row security off"] = [
            outcome("SET row_security = off"),
            outcome("SELECT * FROM clinic.patients"),
        ]
        connection.execute("RESET row_security")
        connection.execute("SET default_transaction_read_only = off")
        own = value("SELECT session_user")
        seen["refused"] = {
            statement: outcome(statement.format(own))
            for statement in (
                "GRANT p_doctor TO PUBLIC",
                "ALTER ROLE {} RENAME TO somebody",
                "ALTER ROLE {} RESET temp_file_limit",
                "ALTER SYSTEM SET log_statement = 'none'",
            )
        }
        outcome(f"DROP OWNED BY {own}")
        seen["rows after dropping"] = value(count)
    return seen


def oracles():
    import psycopg

    with psycopg.connect(autocommit=True) as connection:

        def value(statement, *parameters):
            return connection.execute(statement, parameters or None).fetchone()[0]

        def estimate(diagnosis):
            plan = "EXPLAIN (FORMAT json) SELECT * FROM clinic.encounters"
            found = value(f"{plan} WHERE diagnosis_code = '{diagnosis}'")
            return found[0]["Plan"]["Plan Rows"]

        def counted(oracle):
            try:
                value(f"SELECT count(*) FROM clinic.patients WHERE {oracle}", HIDDEN)
            except psycopg.Error as error:
                return error.sqlstate
            return "no error"

        return {
            "value statistics": value(
                "SELECT count(*) FROM pg_stats WHERE schemaname = 'clinic'"
            ),
            "estimates": [estimate("I10"), estimate("zzz")],
            "division": counted(
                "1 / (CASE WHEN patient_id = %s THEN 0 ELSE 1 END) = 1"
            ),
            "cast": counted(
                "(CASE WHEN patient_id = %s THEN name ELSE '1' END)::integer = 1"
            ),
        }


def connections():
    import psycopg

    seen = {}

    def attempt(name, **how):
        try:
            with psycopg.connect(**how) as connection:
                seen[name] = connection.execute(
                    "SELECT session_user || '@' || current_database()"
                ).fetchone()[0]
        except psycopg.Error:
            seen[name] = "refused"

    attempt("as is")
    attempt("as postgres", user="postgres")
    for login in ("web", "broker", "identity", "roleadmin", "schema", "granter"):
        attempt(f"as {login}", user=f"cs_{login}", password="x")
    attempt("to the notional twin", dbname="notional")
    attempt("to postgres", dbname="postgres")
    attempt("with a role option", options="-c role=p_billing")
    attempt("as a replica", replication="database")
    attempt("over TCP", host="127.0.0.1", port=DATA_PORT)
    with psycopg.connect():
        attempt("a second")
        with psycopg.connect():
            attempt("a third")
    return seen


def data_socket():
    import os
    import socket

    folder = os.environ["PGHOST"]
    path = os.path.join(folder, os.listdir(folder)[0])
    seen = {"listed": [os.listdir("/run/data"), os.listdir(folder)]}
    acts = {
        "unlink": lambda: os.unlink(path),
        "move away": lambda: os.rename(path, "/tmp/moved"),
        "replace": lambda: os.rename("/tmp/mine", path),
        "plant": lambda: socket.socket(socket.AF_UNIX).bind(f"{folder}/mine"),
    }
    open("/tmp/mine", "w").close()
    for name, act in acts.items():
        try:
            act()
            seen[name] = "worked"
        except OSError as error:
            seen[name] = error.strerror
    return seen


def hidden_columns():
    import psycopg

    seen = {}
    with psycopg.connect(autocommit=True) as connection:
        for statement in STATEMENTS:
            try:
                connection.execute(statement)
                seen[statement] = "worked"
            except psycopg.Error as error:
                seen[statement] = error.sqlstate
    return seen


def places_of_the_machine():
    import os

    return [place for place in PLACES if os.path.lexists(place)]


def input_from_nobody():
    import getpass

    seen = []
    for ask in (input, getpass.getpass):
        try:
            seen.append(ask())
        except Exception as error:
            seen.append(type(error).__name__)
    return seen


def forged_messages():
    kernel = get_ipython().kernel
    session, sock = kernel.session, kernel.iopub_socket
    parent = dict(kernel.get_parent())
    foreign = {**parent["header"], "msg_id": "not-yours", "session": "x"}
    text = {"name": "stdout", "text": "forged"}
    session.send(sock, "stream", text, parent=foreign)
    state = {"execution_state": ["idle"]}
    session.send(sock, "status", state, parent=parent)
    sock.send_multipart([b"x", b"<IDS|MSG>", b"bad", b"{", b"{}", b"{}", b"{}"])
    return "sent"
