"""A signature says who, when, what and on which bytes; it cannot be moved or changed."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts.models import User
from accounts.services import WrongPassword
from audit.models import Event
from audit.signing import public_key
from gallery.models import Version
from gallery.workflow import Status
from reviews.models import Meaning, Signature
from reviews.signing import confirm
from reviews.verification import signature_problems
from tests.factories.gallery import NOW, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(ada: User) -> Version:
    return make_version(Status.APPROVED)


@pytest.fixture
def signature(approved: Version) -> Signature:
    return approved.signatures.get(meaning=Meaning.COMPLIANCE_APPROVED)


def problems(signature: Signature) -> list[str]:
    return signature_problems(signature, trusted_key=public_key())


def test_every_signature_of_an_approval_holds(approved: Version) -> None:
    assert approved.signatures.count() == 3
    assert [problems(each) for each in approved.signatures.all()] == [[], [], []]


def test_a_signature_prints_name_time_and_meaning_and_chains_to_the_log(
    signature: Signature, carol: User
) -> None:
    signed = json.loads(signature.payload)
    assert signed["printed_name"] == signature.printed_name == "Carol Jensen"
    assert signed["meaning"] == "compliance_approved"
    assert signed["digest"] == signature.version.digest
    assert signed["signed_at"] == "2026-03-02T09:00:00.000000Z"
    following = Event.objects.get(previous_hash=signed["previous_event_hash"])
    assert following.action == "sign_off.recorded"


def test_a_renamed_signer_keeps_the_name_that_was_signed(
    signature: Signature, carol: User
) -> None:
    User.objects.filter(pk=carol.pk).update(display_name="Carol Smith")
    again = Signature.objects.get(pk=signature.pk)
    assert again.printed_name == "Carol Jensen"
    assert problems(again) == []


def test_a_changed_text_is_found(signature: Signature) -> None:
    signature.payload = signature.payload.replace('"statement":""', '"statement":"OK"')
    assert "The signed text was changed." in problems(signature)


def test_a_changed_signature_is_found(signature: Signature) -> None:
    forged = bytearray(signature.signature)
    forged[0] ^= 1
    signature.signature = bytes(forged)
    assert "The signed text was changed." in problems(signature)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("meaning", Meaning.PEER_REVIEWED),
        ("printed_name", "Chen Wei"),
        ("digest", "0" * 64),
    ],
)
def test_a_changed_column_is_found(
    field: str, value: str, signature: Signature
) -> None:
    setattr(signature, field, value)
    if field == "digest":
        signature.version.digest = value
    assert any(field.replace("_", " ") in problem for problem in problems(signature))


def test_a_signature_moved_to_another_version_is_found(
    signature: Signature, approved: Version
) -> None:
    other = make_version(Status.IN_REVIEW, title="Another")
    assert other.digest == approved.digest
    signature.version = other
    assert "The record's version is not what was signed." in problems(signature)


def test_a_signature_given_to_another_person_is_found(
    signature: Signature, chen: User
) -> None:
    signature.person = chen
    assert "The record's person is not what was signed." in problems(signature)


def test_another_audience_beside_the_signature_is_found(
    signature: Signature,
) -> None:
    assert json.loads(signature.payload)["audience"]["everyone"] is True
    signature.payload = signature.payload.replace('"everyone":true', '"everyone":false')
    assert "The record's audience is not what was signed." in problems(signature)


def test_a_signature_by_another_key_is_found(signature: Signature) -> None:
    stranger = Ed25519PrivateKey.generate()
    signature.signature = stranger.sign(signature.payload.encode())
    signature.public_key = stranger.public_key().public_bytes_raw()
    found = problems(signature)
    assert "It was made with another key." in found
    assert "The signed text was changed." in found


def test_the_right_password_confirms(ravi: User) -> None:
    confirmation = confirm(person=ravi, password="countersign", now=NOW)
    assert (confirmation.person_id, confirmation.confirmed_at) == (ravi.pk, NOW)


@pytest.mark.parametrize("password", ["", "wrong", "Countersign", " countersign"])
def test_a_wrong_password_confirms_nothing_and_is_recorded(
    password: str, ravi: User
) -> None:
    with pytest.raises(WrongPassword):
        confirm(person=ravi, password=password, now=NOW)
    assert Event.objects.latest("seq").action == "session.password_refused"
