"""Auditors and operators hear of every signature that does not hold."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from gallery.workflow import Status
from tests.factories.gallery import make_version
from tests.forging import forge_approval

pytestmark = pytest.mark.django_db


def test_the_command_says_that_all_hold(ada: User) -> None:
    make_version(Status.APPROVED)
    make_version(Status.REVOKED, title="Revoked")
    make_version(Status.CHANGES_REQUESTED, title="Sent back")
    out = StringIO()
    call_command("verify_signatures", stdout=out)
    assert out.getvalue() == "All 8 signatures hold.\n"


def test_the_command_names_each_bad_row_and_ends_with_1(ada: User) -> None:
    make_version(Status.APPROVED)
    forged = forge_approval(make_version(title="Forged"))
    err = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_signatures", stderr=err)
    assert stop.value.code == 1
    said = err.getvalue()
    for signature in forged.signatures.all():
        assert (
            f"Signature {signature.pk} ({signature}): It was made with another key."
            in said
        )
    assert "The approval of Forged v1: No compliance officer's signature" in said
    assert said.count("Prescription trends") == 0


def test_the_verify_page_tells_auditors_in_words(
    ada: User, iris: User, client: Client
) -> None:
    client.force_login(iris)
    make_version(Status.APPROVED)
    page = client.post("/audit/verify/").content.decode()
    assert "Signatures hold." in page
    assert "3 electronic signatures checked" in page
    forge_approval(make_version(title="Forged"))
    page = client.post("/audit/verify/").content.decode()
    assert "Not all signatures hold." in page
    assert "The approval of Forged v1" in page
    assert "Unbroken." in page


def test_the_api_says_it_beside_the_chain(
    ada: User, iris: User, client: Client
) -> None:
    client.force_login(iris)
    forge_approval(make_version(title="Forged"))
    answer = client.get("/api/v1/audit/verify/").json()
    assert answer["is_whole"] is True
    assert answer["signatures"]["hold"] is False
    assert answer["signatures"]["checked"] == 3
    assert {"row", "message"} == set(answer["signatures"]["bad"][0])


def test_nobody_but_auditors_asks(carol: User, client: Client) -> None:
    client.force_login(carol)
    assert client.get("/api/v1/audit/verify/").status_code == 403
