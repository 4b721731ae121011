"""What this process knows of each data source; plain values, read by the settings."""

from dataclasses import dataclass, field

POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Dsns:
    """The logins that one process has to one database of a data source.

    A process holds only those it needs: the web server `ticket`, the worker
    `broker` and `identity`; an empty string means that it has none.
    """

    ticket: str = field(default="", repr=False)
    broker: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)


@dataclass(frozen=True)
class DataSourceSettings:
    """One data source: the real database and its notional twin for previews."""

    name: str
    real: Dsns
    notional: Dsns
    #: Its kind's name; see runner.access.kinds.known.
    kind: str = POSTGRESQL

    def for_kind(self, kind: str) -> Dsns:
        """Return the logins that a run of this kind ("run" or "preview") may use."""
        return {"run": self.real, "preview": self.notional}[kind]


@dataclass(frozen=True)
class NotionalPerson:
    """The invented person whose rights a preview in a persona shows."""

    username: str
    department: str
