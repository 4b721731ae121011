"""Creating and changing catalog entries."""

import threading

import pytest
from django.db import connections

from accounts.models import User
from accounts.policies import BadInput, NotAllowed, NotNow
from audit.models import Event
from gallery.models import Notebook, Version
from gallery.services import create_notebook, edit_notebook
from gallery.services.versions import RefusedUpload
from gallery.workflow import Status
from tests.factories.gallery import make_version
from tests.gallery.uploads import NOW, create, upload


@pytest.mark.django_db
def test_an_author_gets_a_notebook_with_a_draft(ada: User) -> None:
    made = create(ada)
    version = made.versions.get()
    assert (version.number, version.status) == (1, "draft")
    assert made.slug == "prescription-trends"
    assert version.parameters["properties"]["drug"]["type"] == "string"
    assert version.environment == "python-analytics"
    assert version.tables_read[0]["table"] == "clinic.prescriptions"


@pytest.mark.django_db
def test_both_acts_leave_an_event(ada: User) -> None:
    create(ada)
    actions = Event.objects.order_by("seq").values_list("action", flat=True)
    assert list(actions)[-2:] == ["notebook.created", "version.uploaded"]


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["ravi", "carol", "adams", "otto", "iris", "nora"])
def test_only_authors_create(request: pytest.FixtureRequest, who: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        create(request.getfixturevalue(who))
    assert [blocker.code for blocker in refused.value.blockers] == ["not_an_author"]


@pytest.mark.django_db
def test_a_title_taken_gets_another_address(ada: User) -> None:
    assert [create(ada).slug, create(ada).slug] == [
        "prescription-trends",
        "prescription-trends-2",
    ]


@pytest.mark.django_db
def test_a_notebook_named_like_a_page_keeps_off_its_address(ada: User) -> None:
    assert create(ada, title="New").slug == "new-2"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"description": "x" * 2001}, "description"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": [str(number) for number in range(13)]}, "tags"),
    ],
)
def test_a_bad_entry_names_its_field(
    ada: User, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        create(ada, **fields)
    assert field in [error.field for error in refused.value.errors]
    assert not Notebook.objects.exists()


@pytest.mark.django_db
def test_a_refused_file_leaves_nothing(ada: User) -> None:
    upload_ = upload()
    broken = type(upload_)(data=b"not a notebook")
    with pytest.raises(RefusedUpload) as refused:
        create(ada, upload=broken)
    assert refused.value.errors[0].field == "file"
    assert not Notebook.objects.exists()
    assert not Event.objects.filter(action="notebook.created").exists()


@pytest.mark.django_db
def test_an_author_changes_the_entry_and_not_the_code(ada: User) -> None:
    made = create(ada)
    digest = made.versions.get().digest
    changed = edit_notebook(
        notebook=made,
        title="Trends",
        description="Counts",
        tags=["a", "A"],
        department="cardiology",
        by=ada,
        now=NOW,
    )
    assert (changed.title, changed.tags) == ("Trends", ["a"])
    assert Version.objects.get().digest == digest


@pytest.mark.django_db
def test_somebody_else_does_not_change_the_entry(ada: User, petra: User) -> None:
    made = create(ada)
    with pytest.raises(NotAllowed):
        edit_notebook(
            notebook=made,
            title="Mine",
            description="",
            tags=[],
            department="",
            by=petra,
            now=NOW,
        )


def test_two_uploads_of_one_title_at_once_both_get_an_address(
    committed_db: None, ada: User
) -> None:
    barrier, failures = threading.Barrier(2), []

    def make() -> None:
        barrier.wait()
        try:
            create_notebook(
                title="Same", description="", tags=[], upload=upload(), by=ada, now=NOW
            )
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(Notebook.objects.values_list("slug", flat=True)) == ["same", "same-2"]


def edit(notebook: Notebook, by: User, **changes: object) -> Notebook:
    present = {
        name: getattr(notebook, name)
        for name in ("title", "description", "tags", "department")
    }
    return edit_notebook(notebook=notebook, by=by, now=NOW, **{**present, **changes})


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["title", "description", "tags", "department"])
def test_each_changed_field_is_named_in_the_event(ada: User, field: str) -> None:
    made = create(ada)
    edit(made, ada, **{field: ["new"] if field == "tags" else "New"})
    assert Event.objects.latest("seq").data["changed"] == [field]


@pytest.mark.django_db
def test_nothing_changed_is_no_event(ada: User) -> None:
    made = create(ada)
    before = Event.objects.count()
    edit(made, ada)
    assert Event.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["title", "description"])
def test_what_was_signed_stays_while_the_version_is_approved(
    ada: User, field: str
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    with pytest.raises(NotNow, match="was signed with this title") as refused:
        edit(notebook, ada, **{field: "Reads nothing about patients"})
    assert refused.value.blockers[0].code == "entry_signed"
    changed = edit(notebook, ada, tags=["new"], department="Cardiology")
    assert (changed.tags, changed.department) == (["new"], "Cardiology")


@pytest.mark.django_db
def test_a_page_that_sends_other_line_ends_changes_nothing(ada: User) -> None:
    notebook = make_version(Status.APPROVED, description="One\nTwo").notebook
    assert edit(notebook, ada, description="One\r\nTwo\r\n").description == "One\nTwo"


@pytest.mark.django_db
def test_after_a_revocation_the_entry_may_change(ada: User) -> None:
    notebook = make_version(Status.REVOKED).notebook
    assert edit(notebook, ada, title="Better").title == "Better"


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["title", "description", "tags", "department"])
@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\x07", "\ufeff"])
def test_words_that_hide_something_are_refused(
    ada: User, field: str, hidden: str
) -> None:
    text = f"Reads{hidden}all"
    with pytest.raises(BadInput) as refused:
        create(ada, **{field: [text] if field == "tags" else text})
    error = refused.value.errors[0]
    assert (error.field, error.code) == (field, "hidden_character")
    assert f"U+{ord(hidden):04X}" in error.message


@pytest.mark.django_db
def test_other_languages_and_emoji_are_words(ada: User) -> None:
    made = create(
        ada, title="Überblick 处方 وصفة 👩\u200d⚕\ufe0f", description="a\tb\nc"
    )
    assert made.title.startswith("Überblick")
