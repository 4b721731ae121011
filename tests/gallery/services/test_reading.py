"""Reading code leaves an event, once for each look."""

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Event
from audit.presenters import sentence
from gallery.models import Version
from gallery.workflow import Status
from tests.factories.gallery import make_version, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(ada: User) -> Version:
    first = make_version(Status.APPROVED)
    return make_version(Status.IN_REVIEW, notebook=first.notebook)


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("/notebooks/{}/versions/2/", "version.viewed"),
        ("/notebooks/{}/versions/2/review/", "version.viewed"),
        ("/notebooks/{}/versions/2/sign-off/", "version.viewed"),
        ("/notebooks/{}/versions/2/diff/", "version.compared"),
        ("/notebooks/{}/versions/2/ipynb/", "version.downloaded"),
        ("/api/v1/notebooks/{}/versions/2/ipynb/", "version.downloaded"),
        ("/api/v1/notebooks/{}/versions/2/diff/", "version.compared"),
    ],
)
def test_each_look_at_code_is_one_event(
    version: Version, iris: User, client: Client, path: str, action: str
) -> None:
    client.force_login(iris)
    before = Event.objects.latest("seq").seq
    assert client.get(path.format(version.notebook.slug)).status_code == 200
    event = Event.objects.get(seq__gt=before)
    assert (event.action, event.actor, event.target_id) == (
        action,
        "iris",
        str(version.pk),
    )
    if action == "version.compared":
        assert sentence(event).endswith("with another version, number 1")


def test_who_may_not_read_leaves_no_event_of_reading(
    version: Version, client: Client
) -> None:
    client.force_login(person("adams"))
    before = Event.objects.latest("seq").seq
    slug = version.notebook.slug
    assert client.get(f"/notebooks/{slug}/versions/1/").status_code == 403
    assert client.get(f"/notebooks/{slug}/versions/1/ipynb/").status_code == 403
    assert not Event.objects.filter(seq__gt=before).exists()
