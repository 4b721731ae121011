"""Do the signatures of an approval hold?  Asked before every run on real data.

Rows alone prove nothing: whoever has the application's database role can insert them.
What cannot be made with that role is a signature by the installation's key.
"""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.log import stamp
from audit.signing import public_key
from gallery.access import Audience, launch_audience
from gallery.models import Version
from gallery.workflow import Status
from reviews.models import Meaning, Signature
from reviews.verification import BESIDE, acts_of, signature_problems

logger = logging.getLogger(__name__)

_APPROVING = (
    Meaning.PEER_REVIEWED,
    Meaning.COMPLIANCE_APPROVED,
    Meaning.AUDIENCE_WIDENED,
)


@dataclass(frozen=True)
class BadRow:
    """A signature, or an approval, that does not hold."""

    row: str
    message: str


@dataclass(frozen=True)
class SignatureVerdict:
    """What a check of every signature and of every present approval found."""

    checked: int
    bad: list[BadRow] = field(default_factory=list)

    @property
    def hold(self) -> bool:
        """Tell whether every signature and every approval holds."""
        return not self.bad


def verify_signatures() -> SignatureVerdict:
    """Check every stored signature, and every approval that is in force."""
    key = public_key()
    checked, bad = 0, []
    signatures = Signature.objects.select_related("person", "version__notebook")
    for each in signatures.order_by("pk").iterator():
        checked += 1
        name = f"Signature {each.pk} ({each})"
        found = signature_problems(each, trusted_key=key)
        bad += [BadRow(name, " ".join(found))] if found else []
    approved = Version.objects.filter(status=Status.APPROVED).defer("document")
    for version in approved.select_related("notebook").order_by("pk"):
        found = approval_problems(version)
        name = f"The approval of {version}"
        bad += [BadRow(name, " ".join(found))] if found else []
    return SignatureVerdict(checked, bad)


def approval_problems(version: Version) -> list[str]:
    """Return why an approved version's signatures do not carry its approval.

    A few queries and some tenths of a millisecond of Ed25519, however large the
    catalog is. An empty list means that the approval holds.
    """
    verified = _verified(version)
    sign_off = next(
        (each for each in verified if each.meaning == Meaning.COMPLIANCE_APPROVED), None
    )
    if sign_off is None:
        problems = ["No compliance officer's signature holds."]
    else:
        signed = json.loads(sign_off.payload)
        problems = [
            *_quorum_problems(version, sign_off, verified, signed),
            *_entry_problems(version, signed),
            *_audience_problems(version, verified),
        ]
    if problems:
        logger.error(
            "approval.does_not_hold version_id=%s problems=%s", version.pk, problems
        )
    return problems


def _verified(version: Version) -> list[Signature]:
    """Return the signatures that hold, by people who had not written the notebook."""
    key = public_key()
    signatures = list(
        version.signatures.filter(meaning__in=_APPROVING)
        .select_related("person", "version__notebook")
        .defer("version__document")
        .prefetch_related(*BESIDE)
    )
    acts = acts_of(signatures)
    written = list(version.notebook.versions.values_list("created_by_id", "created_at"))
    return [
        each
        for each in signatures
        if not signature_problems(each, trusted_key=key, acts=acts)
        and not _had_written(each, written)
    ]


def _had_written(signature: Signature, written: list[tuple[int, datetime]]) -> bool:
    """Tell whether the signer had a hand in the notebook when they signed.

    `written` says who made its versions, and when. Who joins the authors later takes
    nothing from what they signed before.
    """
    signer, signed_at = signature.person_id, signature.signed_at
    if signature.version.notebook.created_by_id == signer:
        return True
    return any(person == signer and at <= signed_at for person, at in written)


def _quorum_problems(
    version: Version,
    sign_off: Signature,
    verified: list[Signature],
    signed: dict[str, Any],
) -> list[str]:
    """Count different people, none of them the officer, against the signed quorum."""
    peers = {
        each.person_id for each in verified if each.meaning == Meaning.PEER_REVIEWED
    } - {sign_off.person_id}
    needed = signed.get("peer_approvals_required")
    if not isinstance(needed, int) or needed < 1:
        return ["The sign-off does not say how many peers it took."]
    if len(peers) >= needed:
        return []
    return [f"{len(peers)} of {needed} peers' signatures hold."]


def _entry_problems(version: Version, signed: dict[str, Any]) -> list[str]:
    """Compare what is in force beside the version with what compliance signed."""
    ends_at = version.approval_expires_at
    present = {
        "title": version.notebook.title,
        "description": version.notebook.description,
        "expires_at": stamp(ends_at) if ends_at else None,
    }
    words = {"expires_at": "end of the approval"}
    return [
        f"The {words.get(name, name)} is not what was signed."
        for name, value in present.items()
        if signed.get(name) != value
    ]


def _audience_problems(version: Version, verified: list[Signature]) -> list[str]:
    """Refuse an audience that nobody signed; a narrower one needs no signature."""
    signed = [json.loads(each.payload) for each in verified if _sets_audience(each)]
    last = signed[-1].get("audience")
    if not isinstance(last, dict):
        return ["The sign-off does not say who may launch it."]
    allowed = Audience(
        everyone=bool(last["everyone"]),
        groups=tuple(last["groups"]),
        people=tuple(last["people"]),
    )
    if not launch_audience(version.notebook).is_wider_than(allowed):
        return []
    return ["It is open to more people than was signed."]


def _sets_audience(signature: Signature) -> bool:
    return signature.meaning != Meaning.PEER_REVIEWED
