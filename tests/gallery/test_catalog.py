"""Who sees which notebook, and what the search finds for whom."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from gallery.access import (
    Audience,
    can_launch,
    can_read_source,
    launch_audience,
    visible_to,
)
from gallery.models import Notebook, Version
from gallery.queries import CatalogFilter, catalog, facets, visible_versions
from gallery.services.access import Audiences, apply_audiences
from tests.gallery.notebooks import code, markdown, notebook
from tests.gallery.uploads import create, first_version, upload
from tests.rows import approve, set_status

pytestmark = pytest.mark.django_db

EVERYONE = Audience(everyone=True)


@pytest.fixture
def draft(ada: User) -> Version:
    return first_version(create(ada))


@pytest.fixture
def approved(draft: Version, ravi: User, petra: User, carol: User) -> Version:
    approve(draft, carol, ravi, petra)
    draft.refresh_from_db()
    return draft


def names(user: User) -> list[str]:
    return [notebook.slug for notebook in visible_to(user)]


def test_a_draft_exists_for_its_author_alone(
    draft: Version, ada: User, ravi: User, carol: User, adams: User, iris: User
) -> None:
    assert names(ada) == ["prescription-trends"]
    for other in (ravi, carol, adams, iris):
        assert names(other) == []
        assert not can_read_source(other, draft)


def test_a_submitted_version_exists_for_reviewers_compliance_and_auditors(
    draft: Version,
    ravi: User,
    carol: User,
    iris: User,
    adams: User,
    otto: User,
    nora: User,
) -> None:
    set_status(draft, "in_review")
    for reader in (ravi, carol, iris):
        assert names(reader) == ["prescription-trends"]
    for other in (adams, otto, nora):
        assert names(other) == []


def test_an_approved_version_exists_for_everyone_with_a_persona(
    approved: Version, adams: User, bill: User, lena: User, helen: User
) -> None:
    for reader in (adams, bill, lena, helen):
        assert names(reader) == ["prescription-trends"]
        assert can_launch(reader, approved.notebook)
        assert not can_read_source(reader, approved)


def test_nobody_without_role_or_persona_sees_it(
    approved: Version, nora: User, otto: User
) -> None:
    assert names(nora) == names(otto) == []


def test_a_narrowed_audience_hides_the_notebook_from_others(
    approved: Version, adams: User, baker: User, bill: User
) -> None:
    group = Group.objects.create(name="cardiology")
    baker.groups.add(group)
    apply_audiences(
        approved.notebook,
        Audiences(
            launch=Audience(everyone=False, groups=("cardiology",), people=("adams",)),
            source=EVERYONE,
        ),
    )
    approved.notebook.refresh_from_db()
    assert names(adams) == names(baker) == ["prescription-trends"]
    assert names(bill) == []
    assert launch_audience(approved.notebook).as_dict() == {
        "everyone": False,
        "groups": ["cardiology"],
        "people": ["adams"],
    }


def test_a_narrowed_source_hides_the_code_from_other_reviewers(
    draft: Version, ravi: User, petra: User
) -> None:
    set_status(draft, "in_review")
    apply_audiences(
        draft.notebook,
        Audiences(launch=EVERYONE, source=Audience(everyone=False, people=("petra",))),
    )
    draft.notebook.refresh_from_db()
    draft.refresh_from_db()
    assert can_read_source(petra, draft)
    assert not can_read_source(ravi, draft)


def test_a_deactivated_person_launches_nothing(approved: Version, adams: User) -> None:
    adams.is_active = False
    adams.save()
    assert not can_launch(adams, approved.notebook)


def test_an_end_user_sees_the_approved_version_alone(
    approved: Version, ada: User, adams: User, ravi: User
) -> None:
    version = Version.objects.get(pk=approved.pk)
    assert list(visible_versions(adams, version.notebook)) == [version]
    assert list(visible_versions(ravi, version.notebook)) == [version]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prescription", True),
        ("trend", True),
        ("drugs", True),
        ("monthly", True),
        ("presciption trends", True),
        ("oncology", False),
    ],
)
def test_search_reads_title_description_tags_and_markdown(
    approved: Version, adams: User, text: str, found: bool
) -> None:
    assert bool(catalog(adams, CatalogFilter(q=text)).count()) is found


def test_search_reads_code_only_for_those_who_may_read_it(
    approved: Version, adams: User, ravi: User
) -> None:
    assert catalog(ravi, CatalogFilter(q="psycopg")).count() == 1
    assert catalog(adams, CatalogFilter(q="psycopg")).count() == 0


def test_strange_searches_find_nothing_and_break_nothing(adams: User) -> None:
    for text in ("'", "a & | !", "\\", "%", "((", '"unclosed', "💊", "x" * 5000):
        assert catalog(adams, CatalogFilter(q=text)).count() == 0


def test_facets_count_what_the_person_sees(ada: User, adams: User) -> None:
    create(ada)
    create(ada, title="Beds", tags=["wards"], department="cardiology")
    assert facets(ada).tags == [("drugs", 1), ("wards", 1)]
    assert facets(ada).states == [("draft", 2)]
    assert facets(adams).tags == []


def test_filters_narrow_the_catalog(ada: User) -> None:
    create(ada)
    shell = notebook(markdown("# Wards"), code("ls"), kernel="bash", language="bash")
    create(ada, title="Beds", tags=["wards"], upload=upload(shell))

    def found(**wanted: object) -> list[str]:
        return [each.slug for each in catalog(ada, CatalogFilter(**wanted))]

    assert found(tag="wards") == ["beds"]
    assert found(language="python") == ["prescription-trends"]
    assert found(state="approved") == []
    assert found(state="draft") == ["beds", "prescription-trends"]
    assert found(ordering="-title") == ["prescription-trends", "beds"]
    assert found(ordering="password") == ["beds", "prescription-trends"]
    assert found(mine=True) == ["beds", "prescription-trends"]


def test_a_draft_of_an_approved_notebook_is_no_state_for_its_readers(
    approved: Version, ada: User, adams: User
) -> None:
    create(ada, title="Second")
    assert Notebook.objects.count() == 2
    assert catalog(adams, CatalogFilter(state="draft")).count() == 0
