"""Argon2 as the product uses it, with the least time and memory that it takes."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm and the same form of hash."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
