"""Check a stored signature: the signed text, the row, the act and the audit log."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from audit.chain import ZERO_HASH
from audit.log import stamp
from audit.models import Event
from audit.signing import is_signed
from reviews.models import Meaning, ReviewDecision, Signature, SignOffDecision
from reviews.signing import TAG

#: What a signature of each meaning is signed for, as the log calls it.
_RECORDED_AS = {
    Meaning.PEER_REVIEWED: "review.recorded",
    Meaning.CHANGES_REQUESTED: "review.recorded",
    Meaning.COMPLIANCE_APPROVED: "sign_off.recorded",
    Meaning.COMPLIANCE_REJECTED: "sign_off.recorded",
    Meaning.REVOKED: "version.revoked",
    Meaning.AUDIENCE_WIDENED: "access.changed",
}
_REVIEWS = {
    Meaning.PEER_REVIEWED: ReviewDecision.APPROVE,
    Meaning.CHANGES_REQUESTED: ReviewDecision.REQUEST_CHANGES,
}
_SIGN_OFFS = {
    Meaning.COMPLIANCE_APPROVED: SignOffDecision.APPROVE,
    Meaning.COMPLIANCE_REJECTED: SignOffDecision.REJECT,
}
_HASH = re.compile(r"[0-9a-f]{64}")

#: What `signature_problems` reads beside the signatures; prefetched, once for all of them.
BESIDE = ("version__reviews", "version__sign_offs")

Acts = dict[str, Event]


def acts_of(signatures: Iterable[Signature]) -> Acts:
    """Return the events that were signed for, by the hash of the event before; one query."""
    hashes = {_signed_hash(each) for each in signatures}
    befores = Event.objects.filter(hash__in=hashes).values(place=F("seq") + 1)
    before = Event.objects.filter(seq=OuterRef("seq") - 1).values("hash")
    found = Event.objects.filter(Q(seq__in=befores) | Q(seq=1)).annotate(
        follows=Subquery(before[:1])
    )
    return {event.follows or ZERO_HASH: event for event in found}


def signature_problems(
    signature: Signature, *, trusted_key: bytes, acts: Acts | None = None
) -> list[str]:
    """Return what is wrong with a stored signature; an empty list means it holds.

    `trusted_key` is the installation's Ed25519 public key (32 bytes). Who asks for many
    signatures gives their `acts_of`.
    """
    problems = []
    if bytes(signature.public_key) != trusted_key:
        problems.append("It was made with another key.")
    payload = signature.payload.encode("utf-8", "surrogatepass")
    if not is_signed(payload, bytes(signature.signature), public_key=trusted_key):
        problems.append("The signed text was changed.")
    signed = _read(signature.payload)
    if signed is None:
        return [*problems, "What was signed is not a statement of this service."]
    problems += [
        f"The record's {name.replace('_', ' ')} is not what was signed."
        for name, value in _expected(signature).items()
        if signed.get(name) != value
    ]
    act = (acts_of([signature]) if acts is None else acts).get(_signed_hash(signature))
    return problems + _log_problems(signature, act)


def _signed_hash(signature: Signature) -> str:
    """Return the hash of the event that was the log's last when it was signed; or ""."""
    named = str((_read(signature.payload) or {}).get("previous_event_hash"))
    return named if _HASH.fullmatch(named) else ""


def _read(payload: str) -> dict[str, Any] | None:
    try:
        signed = json.loads(payload)
    except ValueError:
        return None
    return signed if isinstance(signed, dict) else None


def _expected(signature: Signature) -> dict[str, Any]:
    """Return what the rows say now, under the names of the signed text."""
    return {
        "tag": TAG,
        "version": signature.version_id,
        "digest": signature.version.digest,
        "person": signature.person.username,
        "printed_name": signature.printed_name,
        "meaning": signature.meaning,
        "signed_at": stamp(signature.signed_at),
        **_decided(signature),
    }


def _decided(signature: Signature) -> dict[str, Any]:
    """Return the decision that was signed, from its own row; None where it is missing."""
    meaning, version = Meaning(signature.meaning), signature.version
    if meaning in _REVIEWS:
        reviews = [
            each.comment
            for each in version.reviews.all()
            if each.reviewed_by_id == signature.person_id
            and each.decision == _REVIEWS[meaning]
        ]
        return {"statement": reviews[0] if reviews else None}
    if meaning in _SIGN_OFFS:
        sign_offs = [
            each
            for each in version.sign_offs.all()
            if each.signed_by_id == signature.person_id
            and each.decision == _SIGN_OFFS[meaning]
        ]
        row = sign_offs[0] if sign_offs else None
        return {
            "statement": row.comment if row else None,
            "audience": row.audience if row else None,
        }
    return {}


def _log_problems(signature: Signature, act: Event | None) -> list[str]:
    """Compare the act in the log, right after the event whose hash was signed."""
    version = signature.version
    if (
        act is not None
        and act.action == _RECORDED_AS[Meaning(signature.meaning)]
        and act.actor == signature.person.username
        and (act.target_type, act.target_id)
        in {
            ("gallery.version", str(version.pk)),
            ("gallery.notebook", str(version.notebook_id)),
        }
    ):
        return []
    return ["The audit log does not hold the act where the signature says."]
