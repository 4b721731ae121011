"""Co-authors edit and never decide; a narrowed review is for the named peers."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from accounts.policies import BadInput, NotAllowed
from accounts.roles import Role
from accounts.services import set_roles
from audit.models import Event
from audit.presenters import sentence
from gallery.access import Audience, can_edit, co_authors, contributors
from gallery.models import Notebook, Version
from gallery.services import Upload, add_version
from gallery.services.access import Audiences
from gallery.workflow import Status
from reviews.policies import review_blockers, sign_off_blockers, submit_blockers
from reviews.queries import waiting_for
from reviews.services import change_access, record_review
from reviews.services.decisions import Decision
from tests.factories.gallery import (
    NOW,
    confirmed,
    ipynb,
    make_notebook,
    make_version,
    person,
    review,
)

pytestmark = pytest.mark.django_db

EVERYONE = Audience(everyone=True)


def change(
    notebook: Notebook,
    by: User,
    *,
    edit: tuple[str, ...] | None = None,
    review: Audience | None = None,
) -> Notebook:
    return change_access(
        notebook=notebook,
        audiences=Audiences(EVERYONE, EVERYONE, review=review, edit=edit),
        by=by,
        confirmation=None,
        now=NOW,
    )


def codes(blockers: list[object]) -> list[str]:
    return [blocker.code for blocker in blockers]  # type: ignore[attr-defined]


def test_a_co_author_is_a_contributor_before_any_upload(ada: User, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    change(version.notebook, ada, edit=("ravi",))
    assert co_authors(version.notebook) == ("ravi",)
    assert can_edit(ravi, version.notebook)
    assert ravi.pk in contributors(version.notebook)
    assert codes(review_blockers(ravi, version)) == ["own_work"]
    assert not waiting_for(ravi).exists()
    with pytest.raises(NotAllowed, match="worked on this notebook"):
        record_review(
            version=version,
            decision=Decision("approve"),
            by=ravi,
            confirmation=confirmed(ravi),
            now=NOW,
        )


def test_a_co_author_does_not_sign_off(ada: User, carol: User) -> None:
    version = make_version(Status.PEER_APPROVED)
    change(version.notebook, ada, edit=("carol",))
    assert codes(sign_off_blockers(carol, version)) == ["own_work"]


def test_a_co_author_with_the_role_uploads(ada: User, petra: User) -> None:
    notebook = make_notebook()
    set_roles(person=petra, roles=[Role.AUTHOR.value], by=None, now=NOW)
    petra = User.objects.get(pk=petra.pk)
    upload = Upload(data=ipynb("2"))
    with pytest.raises(NotAllowed):
        add_version(notebook=notebook, upload=upload, by=petra, now=NOW)
    change(notebook, ada, edit=("petra",))
    assert add_version(notebook=notebook, upload=upload, by=petra, now=NOW).number == 2


def test_who_is_taken_off_again_may_review(ada: User, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    change(version.notebook, ada, edit=("ravi",))
    change(version.notebook, ada, edit=())
    assert review_blockers(ravi, version) == []


def test_who_made_the_notebook_stays_its_author(ada: User, carol: User) -> None:
    notebook = make_notebook()
    change(notebook, carol, edit=())
    assert can_edit(ada, notebook)
    assert co_authors(notebook) == ()


def test_somebody_who_signed_the_version_under_review_is_not_taken_in(
    ada: User, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    review(version, ravi)
    with pytest.raises(BadInput, match="has signed version 1") as refused:
        change(version.notebook, ada, edit=("ravi",))
    assert refused.value.errors[0].field == "edit"
    assert co_authors(version.notebook) == ()


def test_a_reader_names_nobody(ada: User, adams: User) -> None:
    with pytest.raises(NotAllowed):
        change(make_version(Status.APPROVED).notebook, adams, edit=("adams",))


def test_every_change_is_an_event_in_words(ada: User) -> None:
    notebook = make_notebook()
    person("ravi"), person("petra")
    before = Event.objects.count()
    named = Audience(everyone=False, people=("petra",))
    change(notebook, ada, edit=("ravi",), review=named)
    change(notebook, ada, edit=("ravi",), review=named)
    assert Event.objects.count() == before + 1
    event = Event.objects.latest("seq")
    assert (event.data["edit"], event.data["review"]) == (["ravi"], ["petra"])
    assert "may review: petra; co-authors: ravi" in sentence(event)


def test_what_is_not_named_stays(ada: User) -> None:
    notebook = make_notebook()
    person("ravi")
    change(notebook, ada, edit=("ravi",))
    narrow = Audience(everyone=False, people=("ravi",))
    change_access(
        notebook=notebook,
        audiences=Audiences(EVERYONE, narrow),
        by=ada,
        confirmation=None,
        now=NOW,
    )
    assert co_authors(notebook) == ("ravi",)


@pytest.fixture
def named(ada: User, petra: User) -> Version:
    version = make_version(Status.IN_REVIEW)
    group = Group.objects.create(name="Statistics")
    petra.groups.add(group)
    change(
        version.notebook, ada, review=Audience(everyone=False, groups=("Statistics",))
    )
    return Version.objects.select_related("notebook").get(pk=version.pk)


def test_a_narrowed_review_is_open_to_the_named_alone(
    named: Version, ravi: User, petra: User
) -> None:
    assert review_blockers(petra, named) == []
    assert codes(review_blockers(ravi, named)) == ["not_a_named_reviewer"]
    assert waiting_for(petra).get() == named
    assert not waiting_for(ravi).exists()


def test_narrowing_lets_neither_the_author_nor_somebody_without_the_role_review(
    named: Version, ada: User, adams: User
) -> None:
    both = Audience(everyone=False, people=("ada", "adams"))
    change(named.notebook, ada, review=both)
    named = Version.objects.select_related("notebook").get(pk=named.pk)
    assert "own_work" in codes(review_blockers(ada, named))
    assert "not_a_reviewer" in codes(review_blockers(adams, named))


def test_too_few_named_reviewers_are_said_before_the_submission(
    ada: User, petra: User
) -> None:
    version = make_version()
    change(version.notebook, ada, review=Audience(everyone=False, people=("petra",)))
    version = Version.objects.select_related("notebook").get(pk=version.pk)
    assert codes(submit_blockers(ada, version)) == ["nobody_can_review"]
    change(version.notebook, ada, review=EVERYONE)
    version = Version.objects.select_related("notebook").get(pk=version.pk)
    assert submit_blockers(ada, version) == []
