"""Writes of the review: submit, review, sign off, revoke, comment, audience."""

from reviews.services.access import change_access
from reviews.services.comments import add_comment, resolve_comment
from reviews.services.decisions import record_review, record_sign_off
from reviews.services.lifecycle import (
    assign_policy,
    expire_approvals,
    revoke,
    submit,
    withdraw,
)
from reviews.services.membership import change_groups

__all__ = [
    "add_comment",
    "assign_policy",
    "change_access",
    "change_groups",
    "expire_approvals",
    "record_review",
    "record_sign_off",
    "resolve_comment",
    "revoke",
    "submit",
    "withdraw",
]
