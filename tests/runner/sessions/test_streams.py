"""What goes through the queue is sealed for one session and one place of it."""

import os
from uuid import uuid4

import pytest

from runner.sessions import streams
from runner.sessions.streams import EVERYBODY, BadEntry, Entry, Said, Sealer

pytestmark = pytest.mark.security
RUN = uuid4()
ENTRY = Entry(Said.FRAME, "0123456789abcdef", b"Mrs Alder, 81")
FIRST = streams.out_place(1)


@pytest.fixture
def key(settings) -> bytes:
    settings.RESULT_KEYS = (os.urandom(32),)
    return settings.RESULT_KEYS[0]


@pytest.fixture
def sealed(key) -> dict[bytes, bytes]:
    return Sealer(RUN).seal(ENTRY, place=FIRST)


def refuses(sealer: Sealer, fields: dict[bytes, bytes], place: str = FIRST) -> bool:
    with pytest.raises(BadEntry):
        sealer.open(fields, place=place)
    return True


@pytest.mark.parametrize("said", Said)
@pytest.mark.parametrize("body", [b"", b"\0", b"x" * 1_000_000])
def test_what_is_opened_is_what_was_sealed(key, said: Said, body: bytes) -> None:
    entry = Entry(said, EVERYBODY, body)
    sealer = Sealer(RUN)
    assert sealer.open(sealer.seal(entry, place="in"), place="in") == entry


def test_nothing_of_it_can_be_read(sealed) -> None:
    stored = b"".join(sealed.values())
    assert not any(part in stored for part in (b"Alder", b"0123456789", RUN.bytes))


def test_the_same_is_never_sealed_the_same(key) -> None:
    sealer = Sealer(RUN)
    assert len({sealer.seal(ENTRY, place="in")[b"e"] for _ in range(50)}) == 50


def test_another_session_cannot_open_it(sealed) -> None:
    assert refuses(Sealer(uuid4()), sealed)


@pytest.mark.parametrize(
    "place", ["in", "out", streams.out_place(2), streams.out_place(11), ""]
)
def test_it_says_nothing_in_another_place(sealed, place: str) -> None:
    assert refuses(Sealer(RUN), sealed, place)


def test_what_a_page_said_cannot_be_shown_to_it(key) -> None:
    said = Sealer(RUN).seal(ENTRY, place="in")
    assert refuses(Sealer(RUN), said, FIRST)


def test_no_byte_of_it_can_be_changed(sealed) -> None:
    data = sealed[b"e"]
    for index in range(len(data)):
        flipped = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        assert refuses(Sealer(RUN), {b"e": flipped})


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 12, b"x" * 27, b"x" * 28])
def test_what_is_too_short_is_refused(key, data: bytes) -> None:
    assert refuses(Sealer(RUN), {b"e": data})


def test_what_has_no_such_field_is_refused(sealed) -> None:
    assert refuses(Sealer(RUN), {b"f": sealed[b"e"]})
    assert refuses(Sealer(RUN), {})


def test_another_key_cannot_open_it(sealed, settings) -> None:
    settings.RESULT_KEYS = (os.urandom(32),)
    assert refuses(Sealer(RUN), sealed)


def test_a_new_key_leaves_what_was_sealed_readable(sealed, key, settings) -> None:
    settings.RESULT_KEYS = (os.urandom(32), key)
    rotated = Sealer(RUN)
    assert rotated.open(sealed, place=FIRST) == ENTRY
    anew = rotated.seal(ENTRY, place=FIRST)
    settings.RESULT_KEYS = (key,)
    assert refuses(Sealer(RUN), anew)


def test_the_key_of_a_session_is_not_the_one_of_results(sealed, key) -> None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data = sealed[b"e"]
    with pytest.raises(InvalidTag):
        AESGCM(key).decrypt(data[:12], data[12:], FIRST.encode())


def test_ids_of_pages_differ_and_have_their_length() -> None:
    ids = {streams.new_connection_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(each) for each in ids} == {streams.CONNECTION_ID_CHARS}
    assert EVERYBODY not in ids


def test_the_number_of_an_entry_is_read_from_its_id() -> None:
    assert streams.number_of(b"17-0") == 17
