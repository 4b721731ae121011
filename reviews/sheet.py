"""What a signer has in front of them, and its fingerprint against stale pages."""

import hashlib

from audit.chain import canonical_json
from gallery.access import launch_audience
from gallery.models import Version


def sheet_fingerprint(version: Version) -> str:
    """Return a SHA-256 over everything that a decision on this version rests on.

    A form carries it; when it no longer matches, somebody changed the audience,
    decided or commented since the page was shown.
    """
    text = canonical_json(
        {
            "digest": version.digest,
            "status": version.status,
            "audience": launch_audience(version.notebook).as_dict(),
            "reviews": list(
                version.reviews.order_by("pk").values_list("pk", flat=True)
            ),
            "comments": list(
                version.comments.order_by("pk").values_list("pk", flat=True)
            ),
        }
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
