"""Check a stored signature: the signed text, the row, the act and the audit log."""

import json
from typing import Any

from django.db.models import F, Subquery

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


def signature_problems(signature: Signature, *, trusted_key: bytes) -> list[str]:
    """Return what is wrong with a stored signature; an empty list means it holds.

    `trusted_key` is the installation's Ed25519 public key (32 bytes).
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
    return problems + _log_problems(signature, signed)


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
    meaning = Meaning(signature.meaning)
    version, person = signature.version, signature.person
    if meaning in _REVIEWS:
        reviews = version.reviews.filter(reviewed_by=person, decision=_REVIEWS[meaning])
        return {"statement": reviews.values_list("comment", flat=True).first()}
    if meaning in _SIGN_OFFS:
        sign_offs = version.sign_offs.filter(
            signed_by=person, decision=_SIGN_OFFS[meaning]
        )
        row = sign_offs.first()
        return {
            "statement": row.comment if row else None,
            "audience": row.audience if row else None,
        }
    return {}


def _log_problems(signature: Signature, signed: dict[str, Any]) -> list[str]:
    """Find the act in the log, right after the event whose hash was signed."""
    previous = signed.get("previous_event_hash")
    after = Event.objects.filter(hash=str(previous)).values(place=F("seq") + 1)
    place = 1 if previous == ZERO_HASH else Subquery(after[:1])
    event = Event.objects.filter(seq=place).first()
    version = signature.version
    if (
        event is not None
        and event.action == _RECORDED_AS[Meaning(signature.meaning)]
        and event.actor == signature.person.username
        and (event.target_type, event.target_id)
        in {
            ("gallery.version", str(version.pk)),
            ("gallery.notebook", str(version.notebook_id)),
        }
    ):
        return []
    return ["The audit log does not hold the act where the signature says."]
