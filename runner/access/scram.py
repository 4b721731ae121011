"""SCRAM-SHA-256 verifiers: what PostgreSQL stores in place of a password.

Computed here so that no password is ever part of a statement, which a log may keep.
Source: RFC 5803, RFC 7677; PostgreSQL `scram_build_secret`.
"""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
"""The protocol's minimum: the passwords are 256 random bits, which no stretching improves."""


def verifier(
    password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS
) -> str:
    """Return the SCRAM-SHA-256 verifier of an ASCII password."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    keys = f"{_text(stored_key)}:{_text(server_key)}"
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${keys}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
