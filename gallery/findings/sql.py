"""Checks of a notebook's SQL."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding, TableUse
from gallery.findings.sql_tables import UnreadableSql, columns_by_table, statements
from gallery.findings.sql_text import UNKNOWN, SqlText, sql_from_elsewhere, sql_texts

_BUILT = (
    "SQL is put together from text here. A value with a quote in it changes the statement: "
    "pass values as bind parameters instead."
)
_UNREADABLE = "This SQL cannot be read, so the tables that it uses are not in the list. Look at it closely."
_ELSEWHERE = "The statement that is run here is not text in the notebook, so its tables are not in the list."
_STAR = (
    "“*” reads every column, also those added later. Name the columns that are needed."
)
_WRITES = "This statement changes data or the database, which no persona may do. It would be refused."
_JOINED = (
    "This counts or sums rows after a join. A row that matches several others is counted several times: "
    "check it, or count distinct."
)
_SMALL = "This counts people in groups. Check that small groups (under 11) are meant to be shown."


def check_sql(
    notebook: CheckedNotebook, manifest: dict[str, Any] | None
) -> Iterator[Finding]:
    """Yield what is doubtful about the SQL of ``notebook``; with a ``manifest``, also what it does not declare."""
    for cell, line in sql_from_elsewhere(notebook):
        yield Finding("sql_not_here", "warning", _ELSEWHERE, cell, line)
    for sql in sql_texts(notebook):
        if sql.built:
            yield Finding("sql_built", "error", _BUILT, sql.cell, sql.line)
        try:
            parsed = statements(sql)
        except UnreadableSql:
            yield Finding("sql_unreadable", "warning", _UNREADABLE, sql.cell, sql.line)
            continue
        for statement in parsed:
            used = columns_by_table(statement)
            yield from _check_statement(statement, used, sql)
            yield from _check_manifest(used, sql, manifest)


def read_sql_tables(notebook: CheckedNotebook) -> list[TableUse]:
    """Return each cell's tables with their columns, in order of cell and name."""
    used: dict[tuple[int, str], set[str]] = {}
    for sql in sql_texts(notebook):
        try:
            parsed = statements(sql)
        except UnreadableSql:
            continue
        for statement in parsed:
            for table, columns in columns_by_table(statement).items():
                used.setdefault((sql.cell, table), set()).update(columns)
    return [
        TableUse(table, sorted(columns), cell)
        for (cell, table), columns in sorted(used.items())
    ]


def _check_statement(
    statement: exp.Expression, used: dict[str, set[str]], sql: SqlText
) -> Iterator[Finding]:
    where = (sql.cell, sql.line)
    if not isinstance(statement, exp.Query):
        yield Finding("sql_writes", "error", _WRITES, *where)
    if any("*" in columns for columns in used.values()):
        yield Finding("select_star", "warning", _STAR, *where)
    if any(UNKNOWN in table.name for table in statement.find_all(exp.Table)):
        message = "The name of a table is only known while the notebook runs, so it is not in the list."
        yield Finding("unknown_table", "warning", message, *where)
    selects = list(statement.find_all(exp.Select))
    if any(_counts_joined_rows(select) for select in selects):
        yield Finding("counts_joined_rows", "warning", _JOINED, *where)
    if any(_counts_groups(select) for select in selects):
        yield Finding("small_counts", "info", _SMALL, *where)


def _counts_joined_rows(select: exp.Select) -> bool:
    if not select.args.get("joins"):
        return False
    aggregates = [
        each
        for column in select.selects
        for each in column.find_all(exp.Count, exp.Sum, exp.Avg)
    ]
    return any(not each.find(exp.Distinct) for each in aggregates)


def _counts_groups(select: exp.Select) -> bool:
    if not select.args.get("group") or select.args.get("having"):
        return False
    tables = [table.db for table in select.find_all(exp.Table)]
    counts = any(column.find(exp.Count) for column in select.selects)
    return counts and bool(tables) and "anon" not in tables


def _check_manifest(
    used: dict[str, set[str]], sql: SqlText, manifest: dict[str, Any] | None
) -> Iterator[Finding]:
    if manifest is None:
        return
    declared = manifest.get("tables", {})
    # A column without its table's name is listed for every table that it may be of.
    anywhere = {column for table in used for column in declared.get(table, [])}
    for table, columns in sorted(used.items()):
        if table not in declared:
            message = f"The manifest does not declare the table {table}, so this would be refused."
            yield Finding("undeclared_table", "error", message, sql.cell, sql.line)
            continue
        missing = sorted(columns - anywhere - {"*"})
        if missing:
            message = f"The manifest does not declare {', '.join(missing)} of {table}, so this would be refused."
            yield Finding("undeclared_columns", "error", message, sql.cell, sql.line)
