"""Sealed results open with their key, for their run, unchanged, or not at all."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.results import vault

OLD, NEW, OTHER = os.urandom(32), os.urandom(32), os.urandom(32)
RUN = "5f0c0000-0000-0000-0000-000000000001/html"


def test_seal_and_unseal_give_the_same_bytes():
    sealed = vault.seal(b"patient 17", keys=[NEW], associated=RUN)
    assert vault.unseal(sealed, keys=[NEW], associated=RUN) == b"patient 17"


def test_sealed_bytes_do_not_contain_what_was_sealed():
    assert b"patient 17" not in vault.seal(
        b"patient 17" * 9, keys=[NEW], associated=RUN
    )


def test_equal_results_do_not_look_equal_when_sealed():
    first, second = (vault.seal(b"x", keys=[NEW], associated=RUN) for _ in range(2))
    assert first != second


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(position: int, bit: int):
    sealed = bytearray(vault.seal(b"patient 17", keys=[NEW], associated=RUN))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises((vault.Tampered, vault.UnknownKey)):
        vault.unseal(bytes(sealed), keys=[NEW], associated=RUN)


@given(length=st.integers(min_value=0))
def test_any_shortened_result_is_noticed(length: int):
    sealed = vault.seal(b"patient 17", keys=[NEW], associated=RUN)
    with pytest.raises(vault.Tampered):
        vault.unseal(sealed[: length % len(sealed)], keys=[NEW], associated=RUN)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "5f0c0000-0000-0000-0000-000000000002/html",
        "5f0c0000-0000-0000-0000-000000000001/notebook",
        "",
    ],
)
def test_a_result_moved_to_another_run_or_part_does_not_open(elsewhere: str):
    sealed = vault.seal(b"patient 17", keys=[NEW], associated=RUN)
    with pytest.raises(vault.Tampered):
        vault.unseal(sealed, keys=[NEW], associated=elsewhere)


def test_the_data_key_of_one_result_does_not_open_another():
    """Swap the wrapped keys of two results of the same run and part."""
    first, second = (vault.seal(b"x", keys=[NEW], associated=RUN) for _ in range(2))
    swapped = first[: vault._BODY_AT] + second[vault._BODY_AT :]
    with pytest.raises(vault.Tampered):
        vault.unseal(swapped, keys=[NEW], associated=RUN)


def test_after_rotation_old_results_open_and_new_ones_use_the_new_key():
    old = vault.seal(b"old", keys=[OLD], associated=RUN)
    assert vault.unseal(old, keys=[NEW, OLD], associated=RUN) == b"old"
    new = vault.seal(b"new", keys=[NEW, OLD], associated=RUN)
    assert vault.unseal(new, keys=[NEW], associated=RUN) == b"new"


def test_a_key_that_is_gone_is_named():
    sealed = vault.seal(b"x", keys=[OLD], associated=RUN)
    with pytest.raises(vault.UnknownKey) as refusal:
        vault.unseal(sealed, keys=[NEW, OTHER], associated=RUN)
    assert len(refusal.value.key_id) == 16


def test_rewrap_moves_a_result_to_the_new_key_and_keeps_its_ciphertext():
    old = vault.seal(b"x", keys=[OLD], associated=RUN)
    moved = vault.rewrap(old, keys=[NEW, OLD], associated=RUN)
    assert vault.unseal(moved, keys=[NEW], associated=RUN) == b"x"
    assert moved[vault._BODY_AT :] == old[vault._BODY_AT :]
    assert vault.rewrap(moved, keys=[NEW], associated=RUN) == moved


def test_rewrap_refuses_another_run():
    old = vault.seal(b"x", keys=[OLD], associated=RUN)
    with pytest.raises(vault.Tampered):
        vault.rewrap(old, keys=[NEW, OLD], associated="another/html")


def test_a_result_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vault, "MAX_BYTES", 3)
    with pytest.raises(vault.TooLarge):
        vault.seal(b"1234", keys=[NEW], associated=RUN)


@pytest.mark.parametrize("keys", [[], [b"short"]])
def test_nothing_is_sealed_without_a_proper_key(keys: list[bytes]):
    with pytest.raises(vault.VaultError):
        vault.seal(b"x", keys=keys, associated=RUN)
