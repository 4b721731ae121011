"""Ed25519 signatures with the installation's key (settings.SIGNING_KEY)."""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings


def sign(data: bytes) -> bytes:
    """The signature over `data`, 64 bytes."""
    return _private_key().sign(data)


def is_signed(data: bytes, signature: bytes, *, public_key: bytes) -> bool:
    """Whether `signature` over `data` was made with the key of `public_key`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def public_key() -> bytes:
    """The public half of the installation's key, 32 bytes."""
    return _private_key().public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """A short name for a public key: 16 hex digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.SIGNING_KEY)
