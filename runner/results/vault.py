"""Envelope encryption of results: AES-256-GCM under a key of its own per result.

A sealed result is

    magic 4 | key id 8 | nonce 12 | wrapped data key 48 | nonce 12 | ciphertext

A random data key encrypts the bytes; a master key wraps the data key.  Both carry
the `associated` text (run and kind) as authenticated data, so that a result which is
moved to another run, or another field of the same run, does not open.  Master keys
come as a list: the first seals, all of them open.  `rewrap` moves a sealed result to
the first key without touching the ciphertext.
"""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_BYTES = 64 * 1024 * 1024
KEY_BYTES = 32

_MAGIC = b"CSv1"
_ID_BYTES = 8
_NONCE_BYTES = 12
_WRAPPED_BYTES = KEY_BYTES + 16  # the data key and GCM's tag
_NONCE_AT = len(_MAGIC) + _ID_BYTES
_WRAPPED_AT = _NONCE_AT + _NONCE_BYTES
_BODY_AT = _WRAPPED_AT + _WRAPPED_BYTES
_OVERHEAD_BYTES = _BODY_AT + _NONCE_BYTES + 16


class VaultError(Exception):
    """A result could not be sealed or opened."""


class Tampered(VaultError):
    """The sealed bytes, or the run that they are said to belong to, were changed."""


class UnknownKey(VaultError):
    """No configured key opens this; add the old key back at the end of RESULT_KEYS."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"No key {key_id} among RESULT_KEYS")
        self.key_id = key_id


class TooLarge(VaultError):
    """More bytes than one result may have."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes, at most {MAX_BYTES}")
        self.size_bytes = size_bytes


def seal(data: bytes, *, keys: Sequence[bytes], associated: str) -> bytes:
    """Encrypt `data` under the first of `keys`, bound to the text `associated`.

    Raises TooLarge above 64 MiB, VaultError when there is no key.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(len(data))
    data_key = os.urandom(KEY_BYTES)
    nonce = os.urandom(_NONCE_BYTES)
    body = AESGCM(data_key).encrypt(nonce, data, _bind("data", associated))
    return _wrap(data_key, keys=keys, associated=associated) + nonce + body


def unseal(sealed: bytes, *, keys: Sequence[bytes], associated: str) -> bytes:
    """Return the bytes that were sealed with the same `associated` text.

    Raises Tampered or UnknownKey.
    """
    data_key = _unwrap(sealed, keys=keys, associated=associated)
    nonce, body = sealed[_BODY_AT:][:_NONCE_BYTES], sealed[_BODY_AT + _NONCE_BYTES :]
    try:
        return AESGCM(data_key).decrypt(nonce, body, _bind("data", associated))
    except InvalidTag:
        raise Tampered from None


def rewrap(sealed: bytes, *, keys: Sequence[bytes], associated: str) -> bytes:
    """Return `sealed` with its data key under the first of `keys`.

    Raises Tampered or UnknownKey.
    """
    if not needs_rewrap(sealed, keys=keys):
        return sealed
    data_key = _unwrap(sealed, keys=keys, associated=associated)
    return _wrap(data_key, keys=keys, associated=associated) + sealed[_BODY_AT:]


def needs_rewrap(sealed: bytes, *, keys: Sequence[bytes]) -> bool:
    """Is `sealed` under another key than the first?"""
    return sealed[len(_MAGIC) : _NONCE_AT] != _key_id(_first(keys))


def _wrap(data_key: bytes, *, keys: Sequence[bytes], associated: str) -> bytes:
    master = _first(keys)
    nonce = os.urandom(_NONCE_BYTES)
    header = _MAGIC + _key_id(master)
    bound = header + _bind("key", associated)
    return header + nonce + AESGCM(master).encrypt(nonce, data_key, bound)


def _unwrap(sealed: bytes, *, keys: Sequence[bytes], associated: str) -> bytes:
    if len(sealed) < _OVERHEAD_BYTES or not sealed.startswith(_MAGIC):
        raise Tampered
    header, nonce = sealed[:_NONCE_AT], sealed[_NONCE_AT:_WRAPPED_AT]
    key_id = header[len(_MAGIC) :]
    master = next((key for key in keys if _key_id(key) == key_id), None)
    if master is None:
        raise UnknownKey(key_id.hex())
    bound = header + _bind("key", associated)
    try:
        return AESGCM(master).decrypt(nonce, sealed[_WRAPPED_AT:_BODY_AT], bound)
    except InvalidTag:
        raise Tampered from None


def _first(keys: Sequence[bytes]) -> bytes:
    if not keys or len(keys[0]) != KEY_BYTES:
        message = "Set RESULT_KEYS to at least one key of 32 bytes"
        raise VaultError(message)
    return keys[0]


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"countersign-result-key/1\n" + key).digest()[:_ID_BYTES]


def _bind(part: str, associated: str) -> bytes:
    return f"countersign-vault/1\n{part}\n{associated}".encode()
