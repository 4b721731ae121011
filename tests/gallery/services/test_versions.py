"""Adding versions: numbers, digests, what is stored and what is not."""

import json
import threading

import pytest
from django.db import connections

from accounts.models import User
from accounts.policies import BadInput, NotAllowed, TooLarge
from gallery.environments import UnknownEnvironment
from gallery.models import Version
from gallery.services import Upload, add_version
from gallery.services.manifest import InvalidManifest
from tests.gallery.notebooks import as_bytes, code, notebook
from tests.gallery.uploads import NOW, TRENDS, create, first_version, upload


@pytest.mark.django_db
def test_the_next_version_gets_the_next_number(ada: User) -> None:
    made = create(ada)
    second = add_version(notebook=made, upload=upload(), by=ada, now=NOW)
    assert second.number == 2
    assert second.status == "draft"


@pytest.mark.django_db
def test_equal_bytes_are_a_new_draft_with_the_same_digest(ada: User) -> None:
    made = create(ada)
    second = add_version(notebook=made, upload=upload(), by=ada, now=NOW)
    assert second.digest == first_version(made).digest
    assert second.pk != first_version(made).pk


@pytest.mark.django_db
def test_one_byte_of_code_is_another_digest(ada: User) -> None:
    made = create(ada)
    changed = json.loads(as_bytes(TRENDS))
    changed["cells"][2]["source"] += " "
    second = add_version(notebook=made, upload=upload(changed), by=ada, now=NOW)
    assert second.digest != first_version(made).digest


@pytest.mark.django_db
def test_a_manifest_is_part_of_the_digest(ada: User) -> None:
    made = create(ada)
    second = add_version(
        notebook=made,
        upload=upload(manifest='{"tables": {"clinic.prescriptions": ["drug"]}}'),
        by=ada,
        now=NOW,
    )
    assert second.digest != first_version(made).digest
    assert second.manifest == {"tables": {"clinic.prescriptions": ["drug"]}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "manifest",
    [
        "not json",
        "[" * 100_000,
        "[]",
        "{}",
        '{"tables": {}}',
        '{"tables": {"patients": ["a"]}}',
        '{"tables": {"clinic.patients": []}}',
        '{"tables": {"clinic.patients": ["a; DROP"]}}',
        '{"tables": {"clinic.patients": ["a"]}, "more": 1}',
    ],
)
def test_a_malformed_manifest_is_refused(ada: User, manifest: str) -> None:
    with pytest.raises(InvalidManifest):
        create(ada, upload=upload(manifest=manifest))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nowhere", "../python-analytics", "Python"])
def test_an_unknown_environment_is_refused(ada: User, name: str) -> None:
    with pytest.raises(UnknownEnvironment):
        create(ada, upload=upload(environment=name))


@pytest.mark.django_db
def test_a_kernel_without_an_environment_is_refused(ada: User) -> None:
    julia = notebook(code("1"), kernel="julia-1.10", language="julia")
    with pytest.raises(BadInput, match="julia"):
        create(ada, upload=upload(julia))


@pytest.mark.django_db
def test_a_bash_notebook_gets_the_bash_environment(ada: User) -> None:
    shell = notebook(code("echo hello"), kernel="bash", language="bash")
    version = first_version(create(ada, upload=upload(shell)))
    assert (version.environment, version.language) == ("bash", "bash")


@pytest.mark.django_db
def test_a_file_over_the_limit_is_too_large(ada: User, settings: object) -> None:
    settings.NOTEBOOK_MAX_BYTES = 100
    with pytest.raises(TooLarge):
        create(ada)


@pytest.mark.django_db
def test_outputs_of_the_upload_are_stored_nowhere(ada: User) -> None:
    canary = "CANARY-93151"
    loud = json.loads(as_bytes(TRENDS))
    loud["cells"][2]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": canary}
    ]
    loud["metadata"]["widgets"] = {"state": {"x": canary}}
    version = first_version(create(ada, upload=upload(loud)))
    row = Version.objects.filter(pk=version.pk).values().get()
    assert canary not in str({**row, "document": bytes(row["document"])})
    assert version.removed


@pytest.mark.django_db
def test_only_contributors_add_versions(ada: User, petra: User, ravi: User) -> None:
    made = create(ada)
    for outsider in (petra, ravi):
        with pytest.raises(NotAllowed):
            add_version(notebook=made, upload=upload(), by=outsider, now=NOW)
    assert made.versions.count() == 1


def test_uploads_at_once_get_numbers_without_gaps(
    committed_db: None, ada: User
) -> None:
    made = create(ada)
    barrier = threading.Barrier(4)

    def add(number: int) -> None:
        barrier.wait()
        document = notebook(code(f"x = {number}"))
        add_version(
            notebook=made, upload=Upload(data=as_bytes(document)), by=ada, now=NOW
        )
        connections.close_all()

    threads = [threading.Thread(target=add, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = made.versions.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]


@pytest.mark.django_db
def test_a_table_outside_the_manifest_is_a_finding(ada: User) -> None:
    declared = upload(manifest='{"tables": {"clinic.patients": ["zip"]}}')
    version = first_version(create(ada, upload=declared))
    said = " ".join(finding["message"] for finding in version.findings)
    assert "clinic.prescriptions" in said
