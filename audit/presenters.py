"""An event in words, by its action.

Each entry of REGISTRY is a sentence in parts.  The first part always stands; another
stands only when all that it names is known.  `{actor}` and `{target}` are always
known; other names are looked up in the event's data.  An event with a `decision` may
have a sentence of its own for each, under ``action:decision``.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.models import Event

Sentence = tuple[str, ...]

IDENTIFIER = re.compile(r"[a-z]+(_[a-z]+)*")

REGISTRY: dict[str, Sentence] = {
    # Notebooks and versions
    "notebook.created": ("{actor} put the notebook {target} into the catalog",),
    "notebook.edited": ("{actor} changed the entry of {target}", ": {changed}"),
    "version.uploaded": ("{actor} uploaded {target}",),
    "version.submitted": ("{actor} submitted {target} for review",),
    "version.withdrawn": ("{actor} withdrew {target} from review",),
    "version.changes_requested": ("{target} went back to its author for changes",),
    "version.peer_approved": ("{target} has the peer approvals that it needs",),
    "version.approved": ("{target} is approved for use",),
    "version.superseded": ("{target} was replaced by a newer approved version",),
    "version.revoked": ("{actor} revoked {target}", ', giving as reason "{reason}"'),
    "version.expired": ("The approval of {target} ran out",),
    "version.viewed": ("{actor} read the code of {target}",),
    "version.compared": (
        "{actor} compared {target} with another version",
        ", number {other}",
    ),
    "version.downloaded": ("{actor} downloaded the code of {target}",),
    # Review and sign-off
    "review.recorded": ("{actor} reviewed {target} as a peer", ": {decision}"),
    "review.recorded:approve": ("{actor} approved {target} as a peer",),
    "review.recorded:request_changes": ("{actor} asked for changes to {target}",),
    "sign_off.recorded": ("{actor} signed for compliance on {target}", ": {decision}"),
    "sign_off.recorded:approve": ("{actor} signed off {target} as compliance",),
    "sign_off.recorded:reject": ("{actor} rejected {target} as compliance",),
    "comment.added": ("{actor} commented on {target}",),
    "comment.resolved": ("{actor} marked a comment on {target} as settled",),
    "access.changed": (
        "{actor} changed who may use {target}",
        "; may launch: {launch}",
        "; may read the code: {source}",
        "; may review: {review}",
        "; co-authors: {edit}",
    ),
    "policy.assigned": (
        "{actor} set the review policy of {target}",
        ' to "{policy}"',
        ", {peer_approvals} peer approvals",
    ),
    # Runs and their results
    "run.requested": ("{actor} started {target}", " as {persona}", " for {purpose}"),
    "preview.requested": (
        "{actor} started {target}, a preview on invented data",
        " as {persona}",
    ),
    "run.starting": ("A worker took up {target}",),
    "run.running": ("{target} began to execute",),
    "run.succeeded": ("{target} finished", ", having read {rows_read} rows"),
    "run.failed": ("{target} failed", " ({code})"),
    "run.timed_out": ("{target} ran out of time and was stopped",),
    "run.cancel_requested": ("{actor} asked for {target} to be stopped",),
    "run.cancelled": ("{target} was stopped before its end", " ({code})"),
    "run.kernel_died": ("{target} stopped unexpectedly: its kernel died",),
    "run.out_of_memory": ("{target} ran out of memory and was stopped",),
    "run.output_limit": ("{target} wrote more than it may and was stopped",),
    "run.access_denied": ("{target} was refused a login to the data", " ({code})"),
    "run.lost": ("{target} was lost: its worker stopped answering",),
    "lease.opened": ("A login to the data was opened for {target}", ": {role}"),
    "lease.closed": ("The login of {target} was closed", ": {role}"),
    "result.viewed": ("{actor} looked at the result of {target}",),
    "result.watched": ("{actor} watched what {target} showed while it ran",),
    "live.refused_messages": (
        "The page of {target}, open to {actor}, sent what no page may send",
        ", {messages} messages",
        ": {codes}",
    ),
    "record.read": ("{actor} read what was done in {target}",),
    "record.replayed": (
        "{actor} looked at the page of {target} as it was",
        " after step {step}",
    ),
    "result.downloaded": ("{actor} downloaded the result of {target}", " as {format}"),
    "result.expired": ("The result of {target} ran out and was destroyed",),
    "result.keys_rotated": (
        "{actor} moved the stored results to a new key",
        ", {results} in all",
    ),
    # Data sources
    "data_source.passed": ("{target} passed its check",),
    "data_source.failed": ("{target} failed its check", ": {codes}"),
    # Sessions
    "session.signed_in": ("{actor} signed in", " from {address}"),
    "session.signed_out": ("{actor} signed out",),
    "session.expired": ("The session of {target} ended by itself ({reason})",),
    "session.ended": ("{actor} ended another session of their own",),
    "session.persona_changed": ("{actor} acts as {persona} from here on",),
    "session.sign_in_refused": ("A sign-in as {target} was refused: wrong password",),
    "session.password_refused": (
        "A password entered again as {target} was refused: wrong",
    ),
    # People and groups
    "person.created": ("{actor} made an account for {target}",),
    "person.renamed": ('{actor} changed the printed name of {target} to "{to}"',),
    "person.role_granted": ("{actor} gave {target} the role {role}",),
    "person.role_taken": ("{actor} took the role {role} from {target}",),
    "person.persona_granted": (
        "{actor} gave {target} the persona {persona}",
        " for {department}",
    ),
    "person.persona_moved": (
        "{actor} moved the persona {persona} of {target}",
        " to {department}",
    ),
    "person.persona_taken": ("{actor} took the persona {persona} from {target}",),
    "person.joined_group": (
        "{actor} put {target} into the group {group}",
        ", which opens {opens}",
        ', giving as reason "{reason}"',
    ),
    "person.left_group": ("{actor} took {target} out of the group {group}",),
    "person.deactivated": (
        "{actor} closed the account of {target}",
        ', giving as reason "{reason}"',
    ),
    "person.reactivated": ("{actor} opened the account of {target} again",),
    "person.sessions_ended": ("{actor} ended all sessions of {target}",),
    "person.password_reset": ("{actor} voided the password of {target}",),
    "person.password_chosen": ("{actor} chose a password through a link",),
    "person.password_changed": ("{actor} changed their password",),
    "group.created": ("{actor} made the group {target}",),
    "group.deleted": ("{actor} deleted the group {target}",),
    # The log itself
    "audit.viewed": ("{actor} read the audit log", ", filtered by {filters}"),
    "audit.exported": (
        "{actor} exported the audit log",
        ", {events} events",
        ", filtered by {filters}",
    ),
    "audit.verified": ("{actor} verified the audit log", ": {result}"),
}


def sentence(event: Event) -> str:
    """What happened, in one sentence without a full stop.

    An action that is not in REGISTRY gets an honest sentence of its own name.
    """
    words = _words(event)
    decided = f"{event.action}:{event.data.get('decision')}"
    parts = REGISTRY.get(decided) or REGISTRY.get(event.action)
    if parts is None:
        return _unknown(event, words)
    said = [parts[0].format_map(_Known(words))]
    said += [part.format_map(words) for part in parts[1:] if _is_known(part, words)]
    return "".join(said)


class _Known(dict[str, str]):
    """What is not known stands as "something"."""

    def __missing__(self, name: str) -> str:
        return "something"


def _words(event: Event) -> dict[str, str]:
    known = {name: _word(value) for name, value in event.data.items()}
    target = event.target_label or f"{event.target_type} {event.target_id}".strip()
    known["actor"] = event.actor_name or event.actor
    known["target"] = target or "nothing in particular"
    return known


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    text = "" if value is None else str(value)
    return text.replace("_", " ") if IDENTIFIER.fullmatch(text) else text


def _is_known(part: str, words: dict[str, str]) -> bool:
    names = [name for _, name, _, _ in string.Formatter().parse(part) if name]
    return all(words.get(name) for name in names)


def _unknown(event: Event, words: dict[str, str]) -> str:
    action = event.action.replace("_", " ").replace(".", ": ")
    on = f" on {words['target']}" if event.target_type else ""
    return f"{words['actor']} did “{action}”{on}"
