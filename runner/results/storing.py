"""Inserting sealed results as the bytes that they are."""

from django.db import connection
from psycopg import Cursor, sql

from runner.models import RunResult


def insert_result(result: RunResult) -> None:
    """Insert a new result, in the transaction that is open.

    Django's cursors write the values into the text of a statement: each megabyte becomes two of
    hexadecimal digits, which the server reads back. This one sends them beside the statement.

    Raises django.db.Error.
    """
    fields = [each for each in RunResult._meta.concrete_fields if not each.primary_key]
    columns = [sql.Identifier(str(each.column)) for each in fields]
    statement = sql.SQL("INSERT INTO {table} ({columns}) VALUES ({values})").format(
        table=sql.Identifier(RunResult._meta.db_table),
        columns=sql.SQL(", ").join(columns),
        values=sql.SQL(", ").join(sql.Placeholder() * len(fields)),
    )
    values = [
        each.get_db_prep_save(getattr(result, each.attname), connection)
        for each in fields
    ]
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
