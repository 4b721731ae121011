"""Which tables and columns a statement reads, by sqlglot, never by pattern."""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from gallery.findings.sql_text import UNKNOWN, SqlText

_MAX_TEXT = 20_000
_PLACEHOLDERS = re.compile(r"%\(\w+\)[sbt]|(?<!%)%[sbt]\b")
_HOLES = re.compile(r"\{[\w.!]*\}")


class UnreadableSql(ValueError):
    """Text that looks like SQL and cannot be parsed."""


def statements(sql: SqlText) -> list[exp.Expression]:
    """Return the parsed statements of ``sql``. Raises UnreadableSql."""
    text = _HOLES.sub(UNKNOWN, _PLACEHOLDERS.sub(":value", sql.text)).replace("%%", "%")
    if sql.over_limit or len(text) > _MAX_TEXT:
        raise UnreadableSql
    try:
        parsed = sqlglot.parse(text, read="postgres")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise UnreadableSql from error
    return [statement for statement in parsed if isinstance(statement, exp.Expression)]


def columns_by_table(statement: exp.Expression) -> dict[str, set[str]]:
    """Return table → columns named of it; ``*`` for all of them. Common table expressions are looked through."""
    used: dict[str, set[str]] = {}
    own_names = {cte.alias_or_name for cte in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        name = table_name(table)
        if name and not ("." not in name and name in own_names):
            used.setdefault(name, set())
    for scope in _scopes(statement):
        for name, column in _uses(scope):
            used.setdefault(name, set()).add(column)
    return used


def table_name(table: exp.Table) -> str:
    """Return ``schema.table`` in lower case unless quoted; empty for functions and unknown names."""
    if (
        not isinstance(table.this, exp.Identifier)
        or UNKNOWN in f"{table.db}.{table.name}"
    ):
        return ""
    parts = [table.args.get("db"), table.this]
    return ".".join(
        _identifier(part) for part in parts if isinstance(part, exp.Identifier)
    )


def _identifier(node: exp.Identifier) -> str:
    return str(node.this) if node.args.get("quoted") else str(node.this).lower()


def _scopes(statement: exp.Expression) -> list[Scope]:
    try:
        return list(traverse_scope(statement))
    except (SqlglotError, RecursionError, ValueError):
        return []


def _uses(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield table and column for each column of one SELECT."""
    tables = {
        alias: table_name(source)
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table)
    }
    tables = {alias: name for alias, name in tables.items() if name}
    aliases = _aliases(scope)
    for column in scope.columns:
        yield from _column_use(column, scope, tables, aliases)
    for star in _stars(scope):
        chosen = (
            [tables[star]]
            if star in tables
            else list(tables.values())
            if not star
            else []
        )
        yield from ((name, "*") for name in chosen)
    for join in scope.expression.args.get("joins") or []:
        for shared in join.args.get("using") or []:
            yield from ((name, shared.name.lower()) for name in tables.values())


def _column_use(
    column: exp.Column, scope: Scope, tables: dict[str, str], aliases: set[str]
) -> Iterator[tuple[str, str]]:
    name = (
        _identifier(column.this)
        if isinstance(column.this, exp.Identifier)
        else column.name
    )
    if UNKNOWN in name:
        return
    if column.table:
        if column.table in tables:
            yield tables[column.table], name
    elif name in scope.sources:
        # The row itself, as in row_to_json(p): all of its columns.
        if name in tables:
            yield tables[name], "*"
    elif column.find_ancestor(exp.Query) is scope.expression and not (
        name in aliases and column.find_ancestor(exp.Order)
    ):
        # With several tables it is any of theirs: say all rather than miss one.
        yield from ((table, name) for table in tables.values())


def _aliases(scope: Scope) -> set[str]:
    """Names that the SELECT gives its columns; ORDER BY means these, every other part means the tables'."""
    selects = getattr(scope.expression, "selects", [])
    return {select.alias for select in selects if isinstance(select, exp.Alias)}


def _stars(scope: Scope) -> list[str]:
    """Return for each ``*`` among the selected columns its table's alias, or an empty string."""
    found = []
    for select in getattr(scope.expression, "selects", []):
        if isinstance(select, exp.Star):
            found.append("")
        elif isinstance(select, exp.Column) and isinstance(select.this, exp.Star):
            found.append(select.table)
    return found
