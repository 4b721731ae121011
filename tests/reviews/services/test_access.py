"""Who may launch and who may read the code; widening what was signed is signed."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import RoleAssignment, User
from accounts.policies import NotAllowed
from accounts.roles import Role
from audit.models import Event
from gallery.access import (
    Audience,
    can_launch,
    can_read_source,
    launch_audience,
    source_audience,
)
from gallery.models import Notebook, Version
from gallery.services.access import Audiences, InvalidAudience, read_audience
from gallery.workflow import Status
from reviews.models import Meaning
from reviews.services import change_access
from reviews.signing import Confirmation, NotConfirmed
from tests.factories.gallery import NOW, confirmed, make_version

pytestmark = pytest.mark.django_db

EVERYONE = Audience(everyone=True)


def named(*people: str, groups: tuple[str, ...] = ()) -> Audience:
    return Audience(everyone=False, people=people, groups=groups)


def change(
    notebook: Notebook,
    by: User,
    launch: Audience = EVERYONE,
    source: Audience = EVERYONE,
    confirmation: Confirmation | None = None,
) -> Notebook:
    return change_access(
        notebook=notebook,
        audiences=Audiences(launch=launch, source=source),
        by=by,
        confirmation=confirmation,
        now=NOW,
    )


@pytest.fixture
def narrow(ada: User, adams: User, baker: User) -> Notebook:
    """An approved notebook that adams alone may launch."""
    notebook = make_version(Status.APPROVED).notebook
    return change(notebook, ada, named("adams"))


def test_an_author_narrows_an_approved_notebook_without_a_signature(
    narrow: Notebook, adams: User, baker: User
) -> None:
    assert launch_audience(narrow) == named("adams")
    assert can_launch(adams, narrow)
    assert not can_launch(baker, narrow)
    last = Event.objects.latest("seq")
    assert (last.action, last.data["launch"], last.data["signed"]) == (
        "access.changed",
        ["adams"],
        False,
    )


def test_an_author_does_not_widen_what_compliance_signed(
    narrow: Notebook, ada: User
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        change(narrow, ada, named("adams", "baker"), confirmation=confirmed(ada))
    codes = [blocker.code for blocker in refusal.value.blockers]
    assert codes == ["widening_needs_compliance", "own_work"]
    assert launch_audience(narrow) == named("adams")


def test_compliance_widens_with_a_signature_that_names_the_audience(
    narrow: Notebook, carol: User, baker: User
) -> None:
    change(narrow, carol, named("adams", "baker"), confirmation=confirmed(carol))
    assert can_launch(baker, narrow)
    signature = narrow.versions.get().signatures.get(meaning=Meaning.AUDIENCE_WIDENED)
    assert signature.person == carol
    assert "adams, baker" in signature.payload


def test_compliance_does_not_widen_without_the_password(
    narrow: Notebook, carol: User, baker: User
) -> None:
    with pytest.raises(NotConfirmed):
        change(narrow, carol, named("adams", "baker"))
    assert launch_audience(narrow) == named("adams")
    assert not can_launch(baker, narrow)


def test_an_author_who_is_also_compliance_does_not_widen_their_own(
    narrow: Notebook, ada: User
) -> None:
    RoleAssignment.objects.create(person=ada, role=Role.COMPLIANCE_OFFICER)
    with pytest.raises(NotAllowed) as refusal:
        change(narrow, ada, EVERYONE, confirmation=confirmed(ada))
    assert [blocker.code for blocker in refusal.value.blockers] == ["own_work"]


def test_a_group_is_wider_than_one_of_its_members(
    narrow: Notebook, ada: User, adams: User
) -> None:
    group = Group.objects.create(name="Cardiology")
    adams.groups.add(group)
    with pytest.raises(NotAllowed):
        change(narrow, ada, named(groups=("Cardiology",)))


def test_exchanging_one_person_for_another_is_widening(
    narrow: Notebook, ada: User
) -> None:
    with pytest.raises(NotAllowed):
        change(narrow, ada, named("baker"))


def test_an_author_sets_a_drafts_audience_as_they_like(ada: User, adams: User) -> None:
    notebook = make_version().notebook
    change(notebook, ada, named("adams"))
    change(notebook, ada, EVERYONE)
    assert launch_audience(notebook) == EVERYONE


@pytest.mark.parametrize("name", ["ravi", "adams", "otto", "iris", "nora"])
def test_access_is_set_by_authors_and_compliance_alone(
    name: str, request: pytest.FixtureRequest
) -> None:
    notebook = make_version(Status.IN_REVIEW).notebook
    with pytest.raises(NotAllowed):
        change(notebook, request.getfixturevalue(name), named())
    assert launch_audience(notebook) == EVERYONE


def test_naming_who_reads_the_code_shuts_everybody_else_out(
    ada: User, ravi: User, petra: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    change(version.notebook, ada, source=named("petra"))
    version = Version.objects.select_related("notebook").get(pk=version.pk)
    assert source_audience(version.notebook) == named("petra")
    assert can_read_source(petra, version)
    assert not can_read_source(ravi, version)


def test_setting_what_is_set_records_nothing(ada: User) -> None:
    notebook = make_version().notebook
    before = Event.objects.count()
    change(notebook, ada)
    assert Event.objects.count() == before


def test_an_audience_is_read_from_each_of_its_forms(adams: User) -> None:
    Group.objects.create(name="Cardiology")
    both = named("adams", groups=("Cardiology",))
    assert read_audience("launch", None) == EVERYONE
    assert read_audience("launch", "everyone") == EVERYONE
    assert read_audience("launch", {"everyone": True}) == EVERYONE
    assert read_audience("launch", ["adams", "Cardiology", "adams"]) == both
    assert (
        read_audience("launch", {"groups": ["Cardiology"], "people": ["adams"]}) == both
    )
    assert read_audience("launch", []) == named()


@pytest.mark.parametrize(
    "value",
    [
        "adams",
        7,
        ["nobody"],
        {"people": ["nobody"]},
        {"groups": "Cardiology"},
        {"persons": []},
        [["adams"]],
        ["ad\x00ams"],
        {"groups": ["\ud800"]},
    ],
)
def test_a_malformed_audience_or_an_unknown_name_is_refused(
    value: object, adams: User
) -> None:
    with pytest.raises(InvalidAudience) as refusal:
        read_audience("launch", value)
    assert refusal.value.errors[0].field == "launch"


def test_a_closed_account_joins_no_audience(adams: User) -> None:
    adams.is_active = False
    adams.save()
    with pytest.raises(InvalidAudience):
        read_audience("launch", ["adams"])


def test_more_names_than_an_event_holds_are_refused_in_words(ada: User) -> None:
    version = make_version()
    crowd = tuple(f"person-of-the-night-shift-{number}" for number in range(200))
    User.objects.bulk_create([User(username=name) for name in crowd])
    with pytest.raises(InvalidAudience) as refusal:
        change(version.notebook, ada, named(*crowd))
    assert refusal.value.errors[0].code == "too_many"
    assert launch_audience(version.notebook) == EVERYONE
