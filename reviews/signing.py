"""Electronic signatures: proof of re-authentication, and the signed text.

Designed to support 21 CFR 11.50 (printed name, time, meaning), 11.70 (a signature
cannot be moved to another record) and 11.200 (the signer authenticates again).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from accounts.policies import Blocker, NotAllowed
from accounts.services import confirm_password
from audit.chain import canonical_json
from audit.log import head_hash, stamp
from audit.signing import public_key
from audit.signing import sign as sign_bytes
from gallery.models import Version
from reviews.models import Meaning, Signature

#: What every signed text of this service begins to say.
TAG = "countersign-signature/1"
#: A confirmation is good for the request that made it, not for a later one.
_CONFIRMATION_LIFETIME = timedelta(seconds=60)


class NotConfirmed(NotAllowed):
    """The signer's password was not confirmed for this signature."""

    def __init__(self) -> None:
        reason = "Signing takes your password again, for this signature."
        super().__init__([Blocker("password_required", reason)])


@dataclass(frozen=True)
class Confirmation:
    """Proof that a person has just given their password again."""

    person_id: int
    confirmed_at: datetime


def confirm(
    *, person: User, password: str, now: datetime, request: Any = None
) -> Confirmation:
    """Check the password again and return the proof that a signing service asks for.

    Raises WrongPassword; failures count towards the sign-in throttle.
    """
    confirm_password(user=person, password=password, request=request)
    return Confirmation(person_id=person.pk, confirmed_at=now)


def sign(
    *,
    version: Version,
    meaning: Meaning,
    statement: str,
    by: User,
    confirmation: Confirmation,
    now: datetime,
    in_force: Mapping[str, Any] | None = None,
) -> Signature:
    """Sign the version's digest for `by` and store the signature.

    `in_force` is what the decision rests on beside the version, as it is under the
    caller's locks: it is signed too, so that nobody can say afterwards that another
    audience, or another discussion, was signed. Takes the lock on the audit log's
    head: call it after every row lock, and append the act's events right after it.
    Raises NotConfirmed.
    """
    age = now - confirmation.confirmed_at
    if confirmation.person_id != by.pk or not timedelta(0) <= age <= (
        _CONFIRMATION_LIFETIME
    ):
        raise NotConfirmed
    payload = canonical_json(
        {
            **(in_force or {}),
            "tag": TAG,
            "notebook": version.notebook.slug,
            "number": version.number,
            "version": version.pk,
            "digest": version.digest,
            "person": by.username,
            "printed_name": by.printed_name,
            "meaning": meaning.value,
            "statement": statement,
            "signed_at": stamp(now),
            "previous_event_hash": head_hash(),
        }
    )
    return Signature.objects.create(
        version=version,
        person=by,
        meaning=meaning,
        printed_name=by.printed_name,
        signed_at=now,
        digest=version.digest,
        payload=payload,
        signature=sign_bytes(payload.encode("utf-8")),
        public_key=public_key(),
    )
