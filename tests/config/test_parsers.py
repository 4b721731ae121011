"""JSON bodies are read strictly, and an odd one is 400, never 500."""

import pytest

from accounts.models import User
from config.parsers import MAX_BYTES
from gallery.workflow import Status
from tests.api import V1, as_person, is_problem
from tests.factories.gallery import make_version

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b'{"body": NaN}', 400),
        (b'{"body": "a", "body": "b"}', 400),
        (b'{"body": "\\ud800"}', 400),
        (b'{"body": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"body": "' + b"x" * MAX_BYTES + b'"}', 413),
        (b'{"body": "fine"}', 201),
    ],
)
def test_a_json_body_is_understood_or_refused(
    body: bytes, status: int, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/comments/"
    answer = as_person(ravi).post(path, body, content_type="application/json")
    assert answer.status_code == status
    assert status == 201 or is_problem(answer, status)


def test_another_media_type_is_415(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{V1}/notebooks/{version.notebook.slug}/versions/1/comments/"
    answer = as_person(ravi).post(path, "body=x", content_type="text/plain")
    assert is_problem(answer, 415)


def test_a_broken_multipart_body_is_400(ada: User) -> None:
    answer = as_person(ada).post(
        f"{V1}/notebooks/", b"nonsense", content_type="multipart/form-data"
    )
    assert is_problem(answer, 400)


def test_another_method_is_405(ada: User) -> None:
    assert is_problem(as_person(ada).delete(f"{V1}/notebooks/"), 405)
