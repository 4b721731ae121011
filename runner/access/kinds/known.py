"""The kinds of data source that there are, by the name that settings give them."""

from runner.access.kinds import DataSourceKind
from runner.access.kinds.postgresql import PostgreSQL
from runner.access.sources import DataSourceSettings

KINDS: dict[str, DataSourceKind] = {PostgreSQL.name: PostgreSQL()}


def kind_of(source: DataSourceSettings) -> DataSourceKind:
    """Return the five verbs of a source."""
    return KINDS[source.kind]
