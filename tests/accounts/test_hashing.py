"""What the product keeps of a password, with its own settings."""

import runpy
from typing import Any

import pytest
from django.contrib.auth.hashers import (
    check_password,
    identify_hasher,
    is_password_usable,
    make_password,
)

from tests.support.environment import REPOSITORY


@pytest.fixture
def as_deployed(settings: Any) -> None:
    """The hashers of the product, not those of its tests."""
    read = runpy.run_path(str(REPOSITORY / "config/settings.py"))
    settings.PASSWORD_HASHERS = read["PASSWORD_HASHERS"]


@pytest.mark.security
@pytest.mark.usefixtures("as_deployed")
def test_a_password_is_kept_as_an_expensive_argon2_hash() -> None:
    """OWASP asks for 19 MiB and two passes at the least; Django asks for more."""
    kept = make_password("a sentence that only I know")
    assert is_password_usable(kept)
    hasher = identify_hasher(kept)
    told = hasher.decode(kept)
    assert (hasher.algorithm, told["variety"]) == ("argon2", "argon2id")
    assert told["memory_cost"] >= 19 * 1024
    assert told["time_cost"] >= 2
    assert check_password("a sentence that only I know", kept)
    assert not check_password("a sentence that only I knew", kept)


@pytest.mark.security
@pytest.mark.usefixtures("as_deployed")
def test_a_hash_that_became_too_cheap_is_made_anew_when_its_person_signs_in() -> None:
    cheap = make_password("sentence", hasher="pbkdf2_sha256")
    made = []
    assert check_password("sentence", cheap, setter=made.append)
    assert made == ["sentence"]
