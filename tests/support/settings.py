"""The product's settings, but for one: here a password costs next to nothing to check.

A test signs hundreds of times, and what Argon2 is for, that each guess takes long, is
tested where it is set (`tests/accounts/test_hashing.py`), with the product's own settings.
"""

from config.settings import *  # noqa: F403, TID251

PASSWORD_HASHERS = ["tests.support.hashing.QuickArgon2"]
