"""What a hostile notebook tries with its own login, and what it meets when that login ends.

Functions that run inside a kernel, like those of ``attacks_on_data``; those that PostgreSQL allows
on a primary are here too, with what becomes of them.
"""


def rights():
    import psycopg

    with psycopg.connect(autocommit=True) as connection:

        def rows(statement):
            return connection.execute(statement).fetchall()

        def roles(how):
            held = f"pg_has_role(session_user, oid, '{how}')"
            name = "SELECT rolname FROM pg_roles WHERE rolname <> session_user AND "
            return sorted(name for (name,) in rows(name + held))

        readable = rows(
            "SELECT n.nspname || '.' || c.relname, c.relkind::text,"
            " c.relrowsecurity AND c.relforcerowsecurity"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname !~ '^(pg_|information_schema$)'"
            " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_schema_privilege(n.oid, 'USAGE')"
            " AND has_any_column_privilege(c.oid, 'SELECT')"
        )
        return {
            "used": roles("USAGE"),
            "settable": roles("SET"),
            "readable": {name: [kind, forced] for name, kind, forced in readable},
            "patients of the hospital": rows(
                "SELECT reltuples FROM pg_class WHERE oid = 'clinic.patients'::regclass"
            )[0][0],
        }


def words_to_others():
    import psycopg

    with (
        psycopg.connect(autocommit=True) as listener,
        psycopg.connect(autocommit=True) as sender,
    ):
        heard = []
        for each in (listener, sender):
            each.add_notify_handler(lambda note: heard.append(note.payload))
            each.execute(f"LISTEN {CHANNEL}")
        sender.execute(f"NOTIFY {CHANNEL}, 'leak'")
        for each in (listener, sender):
            each.execute("SELECT 1")
            list(each.notifies(timeout=0.2))
        return heard


def prepared_transaction():
    import psycopg

    connection = psycopg.connect()
    try:
        connection.execute("SELECT 1")
        connection.execute("PREPARE TRANSACTION 'left'")
        return "worked"
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        connection.close()


def end_of_its_login():
    """Hold a lock, and tell by the connection's name how much of the end was seen so far."""
    import time

    import psycopg

    def reads(connection):
        try:
            return connection.execute(
                "SELECT count(*) FROM clinic.patients"
            ).fetchone()[0]
        except psycopg.Error:
            return "gone"

    def knocks():
        while True:
            try:
                psycopg.connect().close()
                return "let in"
            except psycopg.Error as error:
                # The one before may not have left yet.
                if "too many connections" not in str(error):
                    return "refused"

    connection, story, before = psycopg.connect(), [], None
    connection.execute("LOCK TABLE clinic.departments IN ACCESS SHARE MODE")
    until = time.monotonic() + 30
    while time.monotonic() < until and not connection.closed:
        now = [reads(connection), knocks()]
        # Twice the same: nothing changed between the two halves.
        if now == before and story[-1:] != [now]:
            story.append(now)
            if not connection.closed:
                connection.execute(f"SET application_name = 'chapter {len(story)}'")
        before = now
    return [*story, [reads(connection), knocks()]]


def only_counts():
    import psycopg

    seen = {}
    with psycopg.connect(autocommit=True) as connection:
        for table in ("clinic.patients", "clinic.encounters", "records.notes"):
            try:
                connection.execute(f"SELECT count(*) FROM {table}")
                seen[table] = "worked"
            except psycopg.Error as error:
                seen[table] = error.sqlstate
        for view in ("anon.diagnoses", "anon.prescriptions_by_month"):
            smallest = connection.execute(f"SELECT min(patients) FROM {view}")
            seen[view] = smallest.fetchone()[0]
    return seen


def left_for_the_next():
    import psycopg

    with psycopg.connect(autocommit=True) as connection:
        own = connection.execute("SELECT session_user").fetchone()[0]
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER ROLE {own} SET search_path = '{STASH}'")
        connection.execute(f"ALTER ROLE {own} PASSWORD '{PASSWORD}'")
        stashed = (
            "SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text LIKE %s"
        )
        seen = {"stashed": connection.execute(stashed, [f"%{STASH}%"]).fetchone()[0]}
    for way, more in {
        "the door": {},
        "over TCP": {"host": "127.0.0.1", "port": DATA_PORT, "connect_timeout": 2},
    }.items():
        try:
            psycopg.connect(user=own, password=PASSWORD, **more).close()
            seen[way] = "let in"
        except psycopg.Error:
            seen[way] = "refused"
    return seen


def find_stash():
    import psycopg

    with psycopg.connect() as connection:
        stashed = (
            "SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text LIKE %s"
        )
        return connection.execute(stashed, [f"%{STASH}%"]).fetchone()[0]
