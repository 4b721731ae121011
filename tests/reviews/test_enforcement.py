"""Approval is enforced by the database: these tests go past every service."""

from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from guardian.shortcuts import assign_perm

from accounts.models import User
from gallery.access import EDIT
from gallery.models import Version
from reviews.models import Meaning, NotebookPolicy, ReviewPolicy, Signature
from tests.rows import (
    NOW,
    approve,
    notebook_row,
    peer_approve,
    review_row,
    set_status,
    sign_off_row,
    signature_row,
    version_row,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(ada: User) -> Version:
    return version_row(notebook_row(ada), ada)


@pytest.fixture
def in_review(version: Version) -> Version:
    set_status(version, "in_review")
    return version


def test_signed_reviews_and_a_signed_sign_off_approve(
    version: Version, ravi: User, petra: User, carol: User
) -> None:
    approve(version, carol, ravi, petra)
    version.refresh_from_db()
    assert version.status == "approved"


def test_an_author_cannot_review_their_version(in_review: Version, ada: User) -> None:
    with pytest.raises(DatabaseError, match="own work"):
        review_row(in_review, ada)


def test_whoever_wrote_another_version_cannot_review(
    ada: User, ravi: User, petra: User
) -> None:
    notebook = notebook_row(ada)
    version_row(notebook, ravi)
    second = version_row(notebook, petra)
    set_status(second, "in_review")
    with pytest.raises(DatabaseError, match="own work"):
        review_row(second, ravi)


def test_who_made_the_entry_cannot_review(ada: User, petra: User) -> None:
    version = version_row(notebook_row(ada), petra)
    set_status(version, "in_review")
    with pytest.raises(DatabaseError, match="own work"):
        review_row(version, ada)


def test_an_author_cannot_sign_off(
    version: Version, ada: User, ravi: User, petra: User
) -> None:
    peer_approve(version, ravi, petra)
    with pytest.raises(DatabaseError, match="own work"):
        sign_off_row(version, ada)


def test_an_author_cannot_insert_a_signature(in_review: Version, ada: User) -> None:
    with pytest.raises(DatabaseError, match="own work"):
        signature_row(in_review, ada, Meaning.PEER_REVIEWED)


def test_compliance_cannot_sign_before_the_peers(
    in_review: Version, carol: User
) -> None:
    with pytest.raises(DatabaseError, match="after the peers"):
        sign_off_row(in_review, carol)


def test_peers_cannot_review_a_draft(version: Version, ravi: User) -> None:
    with pytest.raises(DatabaseError, match="in review only"):
        review_row(version, ravi)


def test_one_person_cannot_sign_as_peer_and_as_compliance(
    version: Version, ravi: User, petra: User
) -> None:
    peer_approve(version, ravi, petra)
    sign_off_row(version, ravi)
    with pytest.raises(DatabaseError, match="one_deciding_signature_per_person"):
        signature_row(version, ravi, Meaning.COMPLIANCE_APPROVED)


def test_a_signature_names_the_digest_of_its_version(
    in_review: Version, ravi: User
) -> None:
    in_review.digest = "00" * 32
    with pytest.raises(DatabaseError, match="digest of its version"):
        signature_row(in_review, ravi, Meaning.PEER_REVIEWED)


def test_a_version_without_signed_reviews_is_not_peer_approved(
    in_review: Version, ravi: User
) -> None:
    review_row(in_review, ravi)
    with pytest.raises(DatabaseError, match="signed peer approvals"):
        set_status(in_review, "peer_approved")


def test_a_policy_of_three_peers_is_kept_by_the_database(
    version: Version, ravi: User, petra: User, carol: User
) -> None:
    policy = ReviewPolicy.objects.get(name="Three peers")
    NotebookPolicy.objects.create(
        notebook=version.notebook, policy=policy, assigned_at=NOW, assigned_by=carol
    )
    with pytest.raises(DatabaseError, match="2 of 3"):
        peer_approve(version, ravi, petra)


def test_a_version_without_a_signed_sign_off_is_not_approved(
    version: Version, ravi: User, petra: User, carol: User
) -> None:
    peer_approve(version, ravi, petra)
    sign_off_row(version, carol)
    with pytest.raises(DatabaseError, match="no signed sign-off"):
        set_status(
            version,
            "approved",
            approved_at=NOW,
            approval_expires_at=NOW.replace(year=2027),
        )


@pytest.mark.parametrize(
    "table", ["reviews_review", "reviews_signoff", "reviews_signature"]
)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET version_id = version_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
)
def test_decisions_and_signatures_are_append_only(table: str, statement: str) -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table))
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_a_signature_moved_to_another_version_is_refused(
    in_review: Version, ada: User, ravi: User
) -> None:
    signature = signature_row(in_review, ravi, Meaning.PEER_REVIEWED)
    other = version_row(in_review.notebook, ada, digest="cd" * 32)
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).update(version=other)
    with pytest.raises(DatabaseError, match="digest of its version"):
        Signature.objects.create(
            version=other,
            person=ravi,
            meaning=signature.meaning,
            printed_name=signature.printed_name,
            signed_at=NOW,
            digest=signature.digest,
            payload=signature.payload,
            signature=signature.signature,
            public_key=signature.public_key,
        )


@pytest.mark.parametrize("status", ["in_review", "peer_approved"])
def test_the_policy_stays_while_a_version_is_under_review(
    version: Version, ravi: User, petra: User, carol: User, status: str
) -> None:
    light = ReviewPolicy.objects.get(name="One peer")
    strict = ReviewPolicy.objects.get(name="Three peers")
    fields = {"assigned_at": NOW, "assigned_by": carol}
    if status == "peer_approved":
        peer_approve(version, ravi, petra)
    else:
        NotebookPolicy.objects.create(
            notebook=version.notebook, policy=strict, **fields
        )
        set_status(version, "in_review")
        with pytest.raises(DatabaseError, match="under review"), transaction.atomic():
            NotebookPolicy.objects.update(policy=light)
        with pytest.raises(DatabaseError, match="denied"), transaction.atomic():
            NotebookPolicy.objects.all().delete()
        return
    with pytest.raises(DatabaseError, match="under review"), transaction.atomic():
        NotebookPolicy.objects.create(notebook=version.notebook, policy=light, **fields)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO reviews_reviewpolicy VALUES (DEFAULT, 'Nobody', '', 1)",
        "UPDATE reviews_reviewpolicy SET peer_approvals = 1",
        "DELETE FROM reviews_reviewpolicy",
    ],
)
def test_the_runtime_role_makes_no_bars(db: None, statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_installation_that_asks_for_three_peers_is_kept_by_the_database(
    version: Version, ravi: User, petra: User, settings: Any
) -> None:
    settings.PEER_APPROVALS_REQUIRED = 3
    with pytest.raises(DatabaseError, match="2 of 3"):
        peer_approve(version, ravi, petra)


@pytest.mark.parametrize("through_a_group", [False, True])
def test_who_may_edit_cannot_review(
    in_review: Version, ravi: User, through_a_group: bool
) -> None:
    if through_a_group:
        group = Group.objects.create(name="Authors")
        ravi.groups.add(group)
        assign_perm(EDIT, group, in_review.notebook)
    else:
        assign_perm(EDIT, ravi, in_review.notebook)
    with pytest.raises(DatabaseError, match="own work"):
        review_row(in_review, ravi)
