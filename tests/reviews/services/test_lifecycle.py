"""Submit, withdraw, revoke, expire, and the policy of how many peers."""

from datetime import timedelta

import pytest
from django.conf import settings

from accounts.models import RoleAssignment, User
from accounts.policies import NotAllowed, NotNow
from accounts.roles import Role
from audit.models import Event
from gallery.access import Audience
from gallery.models import Version
from gallery.queries import CatalogFilter, catalog
from gallery.services import edit_notebook
from gallery.services.access import Audiences, apply_audiences
from gallery.workflow import UNDER_REVIEW, Status
from reviews.models import Meaning, NotebookPolicy, ReviewPolicy
from reviews.policies import peers_required
from reviews.services import (
    assign_policy,
    expire_approvals,
    revoke,
    submit,
    withdraw,
)
from reviews.services.lifecycle import InvalidReason
from reviews.signing import NotConfirmed
from tests.factories.gallery import NOW, confirmed, make_version
from tests.gallery import notebooks as files

pytestmark = pytest.mark.django_db


def status_of(version: Version) -> str:
    return Version.objects.get(pk=version.pk).status


def codes(refusal: pytest.ExceptionInfo[NotAllowed]) -> list[str]:
    return [blocker.code for blocker in refusal.value.blockers]


def revoked(version: Version, by: User, reason: str = "Wrong.") -> Version:
    return revoke(
        version=version, reason=reason, by=by, confirmation=confirmed(by), now=NOW
    )


def test_submitting_notes_when(ada: User) -> None:
    version = submit(version=make_version(), by=ada, now=NOW)
    assert (version.status, version.submitted_at) == (Status.IN_REVIEW, NOW)


@pytest.mark.parametrize("name", ["ravi", "carol", "adams", "otto", "iris", "nora"])
def test_only_an_author_submits(name: str, request: pytest.FixtureRequest) -> None:
    version = make_version()
    with pytest.raises(NotAllowed) as refusal:
        submit(version=version, by=request.getfixturevalue(name), now=NOW)
    assert "not_an_author" in codes(refusal)
    assert status_of(version) == Status.DRAFT


def test_another_author_does_not_submit_what_is_not_theirs(bill: User) -> None:
    RoleAssignment.objects.create(person=bill, role=Role.AUTHOR)
    version = make_version()
    with pytest.raises(NotAllowed) as refusal:
        submit(version=version, by=bill, now=NOW)
    assert codes(refusal) == ["not_a_contributor"]


def test_code_that_nobody_may_review_is_not_submitted(
    ada: User, ravi: User, petra: User, carol: User
) -> None:
    version = make_version()

    def open_to(*names: str) -> None:
        audience = Audience(everyone=False, people=names)
        everyone = Audience(everyone=True)
        apply_audiences(version.notebook, Audiences(everyone, audience))

    for names in ((), ("ravi", "carol"), ("ravi", "petra"), ("ada", "ravi", "carol")):
        open_to(*names)
        with pytest.raises(NotAllowed) as refusal:
            submit(version=version, by=ada, now=NOW)
        assert "nobody_can_review" in codes(refusal)
    open_to("ravi", "petra", "carol")
    submit(version=version, by=ada, now=NOW)
    assert status_of(version) == Status.IN_REVIEW


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.DRAFT}))
def test_only_a_draft_is_submitted(status: Status, ada: User) -> None:
    version = make_version(status)
    with pytest.raises(NotNow) as refusal:
        submit(version=version, by=ada, now=NOW)
    assert codes(refusal) == ["not_a_draft"]
    assert status_of(version) == status


@pytest.mark.parametrize("status", sorted(Status))
def test_only_what_is_under_review_is_withdrawn(status: Status, ada: User) -> None:
    version = make_version(status)
    if status in UNDER_REVIEW:
        withdraw(version=version, by=ada, now=NOW)
        assert status_of(version) == Status.WITHDRAWN
        return
    with pytest.raises(NotNow) as refusal:
        withdraw(version=version, by=ada, now=NOW)
    assert codes(refusal) == ["not_under_review"]
    assert status_of(version) == status


def test_a_reviewer_does_not_withdraw(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    with pytest.raises(NotAllowed):
        withdraw(version=version, by=ravi, now=NOW)
    assert status_of(version) == Status.IN_REVIEW


def test_another_compliance_officer_revokes_with_a_signed_reason(chen: User) -> None:
    version = revoked(make_version(Status.APPROVED), chen, " It counts twice. ")
    assert version.status == Status.REVOKED
    assert (version.end_reason, version.ended_at) == ("It counts twice.", NOW)
    assert version.signatures.get(person=chen).meaning == Meaning.REVOKED
    last = Event.objects.latest("seq")
    assert (last.action, last.data["reason"]) == ("version.revoked", "It counts twice.")


def test_whoever_signed_it_off_may_revoke_it(carol: User) -> None:
    assert revoked(make_version(Status.APPROVED), carol).status == Status.REVOKED


@pytest.mark.parametrize("name", ["ada", "ravi", "adams", "otto", "iris", "nora"])
def test_only_compliance_revokes(name: str, request: pytest.FixtureRequest) -> None:
    version = make_version(Status.APPROVED)
    with pytest.raises(NotAllowed) as refusal:
        revoked(version, request.getfixturevalue(name))
    assert codes(refusal) == ["not_a_compliance_officer"]
    assert status_of(version) == Status.APPROVED


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.APPROVED}))
def test_only_an_approval_is_revoked(status: Status, chen: User) -> None:
    version = make_version(status)
    with pytest.raises(NotNow):
        revoked(version, chen)
    assert status_of(version) == status


@pytest.mark.parametrize("reason", ["", "  ", "\x00", "x" * 501])
def test_a_revocation_needs_its_reason(reason: str, chen: User) -> None:
    version = make_version(Status.APPROVED)
    with pytest.raises(InvalidReason):
        revoked(version, chen, reason)
    assert status_of(version) == Status.APPROVED


def test_a_revocation_needs_the_password_of_who_revokes(
    chen: User, carol: User
) -> None:
    version = make_version(Status.APPROVED)
    with pytest.raises(NotConfirmed):
        revoke(
            version=version,
            reason="Wrong.",
            by=chen,
            confirmation=confirmed(carol),
            now=NOW,
        )
    assert status_of(version) == Status.APPROVED


def test_an_approval_ends_at_its_last_moment_and_not_before() -> None:
    version = make_version(Status.APPROVED)
    end = NOW + timedelta(days=settings.APPROVAL_VALID_DAYS)
    assert expire_approvals(now=end - timedelta(microseconds=1)) == 0
    assert status_of(version) == Status.APPROVED
    assert expire_approvals(now=end) == 1
    assert status_of(version) == Status.EXPIRED
    assert Event.objects.latest("seq").actor == ""


def test_expiring_twice_expires_once() -> None:
    make_version(Status.APPROVED)
    late = NOW + timedelta(days=settings.APPROVAL_VALID_DAYS + 1)
    assert [expire_approvals(now=late), expire_approvals(now=late)] == [1, 0]


@pytest.fixture
def strict(db: None) -> ReviewPolicy:
    return ReviewPolicy.objects.get(name="Three peers")


def test_compliance_chooses_how_many_peers_a_notebook_needs(
    strict: ReviewPolicy, carol: User
) -> None:
    notebook = make_version().notebook
    assert peers_required(notebook) == settings.PEER_APPROVALS_REQUIRED
    assign_policy(notebook=notebook, policy=strict, by=carol, now=NOW)
    assert peers_required(notebook) == 3
    assert Event.objects.latest("seq").data["peer_approvals"] == 3


@pytest.mark.parametrize("status", [Status.IN_REVIEW, Status.PEER_APPROVED])
def test_the_bar_is_not_moved_while_a_review_is_open(
    status: Status, strict: ReviewPolicy, carol: User
) -> None:
    notebook = make_version(status).notebook
    with pytest.raises(NotNow) as refusal:
        assign_policy(notebook=notebook, policy=strict, by=carol, now=NOW)
    assert codes(refusal) == ["review_open"]
    assert not NotebookPolicy.objects.exists()


def test_nobody_sets_the_bar_for_their_own_work(
    strict: ReviewPolicy, ada: User
) -> None:
    RoleAssignment.objects.create(person=ada, role=Role.COMPLIANCE_OFFICER)
    with pytest.raises(NotAllowed) as refusal:
        assign_policy(notebook=make_version().notebook, policy=strict, by=ada, now=NOW)
    assert codes(refusal) == ["own_work"]


def test_a_peer_does_not_set_the_bar(strict: ReviewPolicy, ravi: User) -> None:
    with pytest.raises(NotAllowed) as refusal:
        assign_policy(notebook=make_version().notebook, policy=strict, by=ravi, now=NOW)
    assert codes(refusal) == ["not_a_compliance_officer"]


def test_words_of_a_draft_are_found_once_it_is_submitted_by_who_may_read_it(
    ravi: User, adams: User
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    unsaid = files.notebook(files.markdown("# Merger"), files.code("acquisition = 1"))
    draft = make_version(notebook=notebook, data=files.as_bytes(unsaid))

    def found(by: User, text: str) -> bool:
        return catalog(by, CatalogFilter(q=text)).exists()

    assert not found(ravi, "merger") and not found(ravi, "acquisition")
    assert not found(adams, "merger")
    edit_notebook(
        notebook=notebook,
        title=notebook.title,
        description=notebook.description,
        tags=["counts"],
        department="",
        by=draft.created_by,
        now=NOW,
    )
    assert not found(ravi, "acquisition") and not found(adams, "merger")
    submit(version=draft, by=draft.created_by, now=NOW)
    assert found(ravi, "acquisition") and not found(adams, "merger")


def test_the_words_of_an_approved_version_replace_those_of_the_older(
    adams: User,
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    said = files.notebook(files.markdown("# Merger"), files.code("x = 1"))
    make_version(Status.APPROVED, notebook=notebook, data=files.as_bytes(said))
    assert catalog(adams, CatalogFilter(q="merger")).exists()
