"""The groups of a person: what each opens is read before it is saved."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from gallery.models import Version
from tests.pages import as_reader, text
from tests.reviews.services.test_membership import approved_for, join

pytestmark = pytest.mark.django_db
PATH = "/groups/people/adams/"


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="cardiology")


@pytest.fixture
def version(group: Group, ada: User) -> Version:
    return approved_for(group, ada)


def test_the_page_says_what_each_group_opens_before_anything_is_saved(
    version: Version, adams: User, otto: User
) -> None:
    Group.objects.create(name="Choir")
    page = text(as_reader(otto).get(PATH))
    assert "cardiology Opens 1 approved notebook: Trends (version 2)" in page
    assert page.count("Opens 1 approved notebook") == 1


def test_a_missing_reason_is_asked_for_and_the_choice_stays(
    version: Version, group: Group, adams: User, otto: User
) -> None:
    client = as_reader(otto)
    page = client.post(PATH, {"groups": [group.pk], "reason": ""})
    assert page.status_code == 400
    assert "Compliance reads it." in text(page)
    assert f'value="{group.pk}" id="group-{group.pk}" checked' in page.content.decode()
    assert not adams.groups.exists()
    sent = {"groups": [group.pk], "reason": "New on the ward"}
    saved = client.post(PATH, sent, follow=True)
    assert saved.redirect_chain == [("/people/adams/", 302)]
    assert "cardiology Change the groups" in text(saved)


def test_nobody_keeps_their_own_groups(group: Group, otto: User) -> None:
    client = as_reader(otto)
    sent = {"groups": [group.pk], "reason": "I like hearts"}
    assert client.post("/groups/people/otto/", sent).status_code == 403
    assert not otto.groups.exists()


@pytest.mark.parametrize("who", ["carol", "ada"])
def test_the_access_page_says_who_came_in_since_the_signature(
    version: Version,
    group: Group,
    adams: User,
    otto: User,
    who: str,
    request: pytest.FixtureRequest,
) -> None:
    client = as_reader(request.getfixturevalue(who))
    path = f"/notebooks/{version.notebook.slug}/access/"
    assert "came in" not in text(client.get(path))
    join(adams, group, otto)
    assert (
        "1 person came in through the group cardiology since the signature of Carol "
        f"Jensen on 2 Mar 2026 : {adams.printed_name} (New on the ward)."
        in text(client.get(path))
    )
