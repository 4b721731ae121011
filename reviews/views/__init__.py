"""Pages of the review, by what people do there."""

from reviews.views.access import access
from reviews.views.comments import comment, resolve_comment
from reviews.views.decisions import review, sign_off
from reviews.views.lifecycle import revoke, submit, withdraw
from reviews.views.membership import membership
from reviews.views.policy import policy
from reviews.views.queue import queue

__all__ = [
    "access",
    "comment",
    "membership",
    "policy",
    "queue",
    "resolve_comment",
    "review",
    "revoke",
    "sign_off",
    "submit",
    "withdraw",
]
