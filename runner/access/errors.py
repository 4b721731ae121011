"""What can go wrong between Countersign and a data source, each with data to act on."""

import psycopg

REFUSALS = {
    "CS001": ("no_ticket", "This run has no permission to read data. Start it again."),
    "CS002": (
        "ticket_used",
        "The permission of this run was used already. Start it again.",
    ),
    "CS003": (
        "ticket_expired",
        "The permission of this run expired before it started. Start it again.",
    ),
    "CS004": (
        "persona_not_held",
        "The data source does not know this person in this persona.",
    ),
    "CS006": (
        "not_a_verifier",
        "A login is opened with a SCRAM verifier, never with a password.",
    ),
    "CS009": (
        "not_installed_here",
        "This database is a copy. Run install_data_source on it.",
    ),
    "28P01": ("login_rejected", "The data source rejects Countersign's own login."),
    "42501": (
        "not_permitted",
        "The data source refuses this login. Run check_data_source.",
    ),
    "3F000": (
        "not_installed",
        "Countersign is not installed in this database. Run install_data_source.",
    ),
    "42883": (
        "not_installed",
        "Countersign is not installed in this database. Run install_data_source.",
    ),
    "42P01": (
        "not_installed",
        "Countersign is not installed in this database. Run install_data_source.",
    ),
    "23505": ("ticket_exists", "This run has a ticket already; a run gets one."),
}
CONSTRAINTS = {
    "tickets_kind_is_ours": (
        "wrong_kind",
        "A preview reads the notional source and a run the real one; this source is the other kind.",
    ),
    "tickets_expire_within_a_day": (
        "lasts_too_long",
        "A ticket is valid for 24 hours at most.",
    ),
}


class AccessError(Exception):
    """A data source refused or cannot do what was asked.

    Attributes:
        code: stable, for programs.
        message: a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LeaseRefused(AccessError):
    """No login was opened, or no ticket taken."""


class SourceUnavailable(AccessError):
    """The data source does not answer; the same call may succeed later."""


class InstallRefused(AccessError):
    """Countersign cannot be installed as asked; nothing was changed."""


def refusal(error: psycopg.Error) -> AccessError:
    """Translate a database error by its SQLSTATE or constraint, never by its text."""
    constraint = error.diag.constraint_name
    if constraint in CONSTRAINTS:
        return LeaseRefused(*CONSTRAINTS[constraint])
    if error.sqlstate in REFUSALS:
        return LeaseRefused(*REFUSALS[error.sqlstate])
    if error.sqlstate == "23514":
        return LeaseRefused(
            "malformed_ticket", f"The ticket breaks the rule {constraint}."
        )
    if isinstance(error, psycopg.OperationalError):
        return SourceUnavailable("unavailable", "The data source does not answer.")
    return LeaseRefused(
        "refused", f"The data source refused (SQLSTATE {error.sqlstate})."
    )
