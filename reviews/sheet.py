"""What a signer has in front of them, and its fingerprint against stale pages."""

import hashlib
from typing import Any

from audit.chain import canonical_json
from gallery.access import launch_audience, source_audience
from gallery.models import Version
from reviews.policies import peers_required


def in_force(version: Version) -> dict[str, Any]:
    """Return what the sheet shows beside the version, in the words that are signed.

    Parameters, packages and manifest are part of the version's digest.
    """
    return {
        "title": version.notebook.title,
        "description": version.notebook.description,
        "audience": launch_audience(version.notebook).as_dict(),
        "source": source_audience(version.notebook).as_dict(),
        "peer_approvals_required": peers_required(version.notebook),
    }


def sheet_fingerprint(version: Version) -> str:
    """Return a SHA-256 over everything that a decision on this version rests on.

    A form carries it; when it no longer matches, somebody changed the entry or an
    audience, decided or commented since the page was shown.
    """
    text = canonical_json(
        {
            **in_force(version),
            "digest": version.digest,
            "status": version.status,
            "reviews": list(
                version.reviews.order_by("pk").values_list("pk", flat=True)
            ),
            "comments": list(
                version.comments.order_by("pk").values_list("pk", flat=True)
            ),
        }
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
