"""Approvals that somebody with the application's database role inserts: rows, no key."""

from accounts.models import User
from gallery.models import Version
from reviews.models import Meaning, Review, Signature, SignOff
from tests.factories.gallery import NOW, person
from tests.rows import set_status


def forge_signature(version: Version, by: User, meaning: Meaning) -> None:
    """Insert a signature row that nobody signed."""
    Signature.objects.create(
        version=version,
        person=by,
        meaning=meaning,
        printed_name=by.printed_name,
        signed_at=NOW,
        digest=version.digest,
        payload="",
        signature=b"",
        public_key=b"",
    )


def forge_approval(version: Version) -> Version:
    """Do all that the application's database role can do, without the key."""
    set_status(version, "in_review")
    for name in ("ravi", "petra"):
        peer = person(name)
        Review.objects.create(
            version=version, decision="approve", reviewed_at=NOW, reviewed_by=peer
        )
        forge_signature(version, peer, Meaning.PEER_REVIEWED)
    set_status(version, "peer_approved")
    carol = person("carol")
    SignOff.objects.create(
        version=version,
        decision="approve",
        audience={"everyone": True},
        signed_at=NOW,
        signed_by=carol,
    )
    forge_signature(version, carol, Meaning.COMPLIANCE_APPROVED)
    set_status(
        version,
        "approved",
        approved_at=NOW,
        approval_expires_at=NOW.replace(year=2126),
    )
    version.refresh_from_db()
    return version
