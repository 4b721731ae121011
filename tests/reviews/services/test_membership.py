"""Joining a group is joining a signed audience: named, with a reason, and shown."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from accounts.policies import NotAllowed
from accounts.services import set_groups
from audit.models import Event
from audit.presenters import sentence
from gallery.access import Audience, can_launch
from gallery.models import Version
from gallery.services.access import Audiences
from gallery.workflow import Status
from reviews.membership import audience_signature, came_in_since
from reviews.services import change_access, change_groups
from reviews.services.membership import ReasonNeeded
from tests.factories.gallery import NOW, confirmed, make_notebook, make_version

pytestmark = [pytest.mark.django_db, pytest.mark.security]

LATER = NOW + timedelta(hours=1)
EVERYONE = Audience(everyone=True)


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="cardiology")


@pytest.fixture
def version(group: Group, ada: User) -> Version:
    """A version that compliance signed for the group alone."""
    return approved_for(group, ada)


def approved_for(group: Group, ada: User, title: str = "Trends") -> Version:
    notebook = make_notebook(title=title)
    narrow = Audience(everyone=False, groups=(group.name,))
    change_access(
        notebook=notebook,
        audiences=Audiences(narrow, EVERYONE),
        by=ada,
        confirmation=None,
        now=NOW,
    )
    return make_version(Status.APPROVED, notebook=notebook)


def join(person: User, group: Group, by: User, reason: str = "New on the ward") -> None:
    change_groups(person=person, groups=[group], reason=reason, by=by, now=LATER)


def event() -> Event:
    return Event.objects.filter(action="person.joined_group").latest("seq")


def test_joining_names_what_it_opens_and_why(
    version: Version, group: Group, adams: User, otto: User
) -> None:
    assert not can_launch(adams, version.notebook)
    join(adams, group, otto)
    assert can_launch(adams, version.notebook)
    assert event().data["opens"] == [version.notebook.slug]
    assert event().data["reason"] == "New on the ward"
    said = sentence(event())
    assert said.endswith(
        f"into the group cardiology, which opens {version.notebook.slug}, "
        'giving as reason "New on the ward"'
    )


@pytest.mark.parametrize("reason", ["", "  ", "\x00"])
def test_without_a_reason_nobody_comes_into_a_signed_audience(
    version: Version, group: Group, adams: User, otto: User, reason: str
) -> None:
    with pytest.raises(ReasonNeeded):
        join(adams, group, otto, reason)
    assert not adams.groups.exists()
    assert not Event.objects.filter(action="person.joined_group").exists()


def test_a_group_that_opens_nothing_is_joined_without_a_reason(
    group: Group, ada: User, adams: User, otto: User
) -> None:
    make_notebook()
    join(adams, group, otto, "")
    assert adams.groups.get() == group
    assert "opens" not in event().data


def test_staying_and_leaving_need_no_reason(
    version: Version, group: Group, adams: User, otto: User
) -> None:
    join(adams, group, otto)
    join(adams, group, otto, "")
    change_groups(person=adams, groups=[], reason="", by=otto, now=LATER)
    assert not adams.groups.exists()


@pytest.mark.parametrize("who", ["carol", "ada", "adams"])
def test_only_operators_put_people_into_groups(
    version: Version,
    group: Group,
    adams: User,
    who: str,
    request: pytest.FixtureRequest,
) -> None:
    with pytest.raises(NotAllowed):
        join(adams, group, request.getfixturevalue(who))


def test_many_notebooks_fit_into_the_event(
    group: Group, adams: User, otto: User
) -> None:
    names = [f"{number:02}-{'x' * 77}" for number in range(45)]
    set_groups(
        person=adams, groups=[group], opens={"cardiology": names}, by=otto, now=NOW
    )
    assert event().data["opens"] == names[:30]
    assert event().data["opens_count"] == 45


def test_compliance_sees_who_came_in_since_the_signature_and_is_still_in(
    version: Version, group: Group, adams: User, baker: User, helen: User, otto: User
) -> None:
    helen.groups.add(group)  # was in when it was signed
    join(adams, group, otto)
    join(baker, group, otto)
    signature = audience_signature(version)
    assert signature is not None
    assert signature.person.username == "carol"
    (came,) = came_in_since(signature, version.notebook)
    assert (came.group, came.people) == (
        "cardiology",
        (
            f"{adams.printed_name} (New on the ward)",
            f"{baker.printed_name} (New on the ward)",
        ),
    )
    change_groups(person=baker, groups=[], reason="", by=otto, now=LATER)
    (came,) = came_in_since(signature, version.notebook)
    assert came.people == (f"{adams.printed_name} (New on the ward)",)


def test_a_later_signature_answers_for_those_who_came_before_it(
    version: Version, group: Group, adams: User, otto: User, carol: User
) -> None:
    join(adams, group, otto)
    wider = Audience(everyone=False, groups=(group.name,), people=("baker",))
    after = LATER + timedelta(hours=1)
    change_access(
        notebook=version.notebook,
        audiences=Audiences(wider, EVERYONE),
        by=carol,
        confirmation=confirmed(carol, after),
        now=after,
    )
    signature = audience_signature(version)
    assert signature is not None
    assert came_in_since(signature, version.notebook) == []
