"""Unprivileged user ids for kernels: one per concurrent run, recycled only when nobody owns it."""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Unused by systemd's table of user ids and by every common distribution.
FIRST_UID = 60600
POOL_SIZE = 100
LOCK_DIR = Path("/run/countersign-kernel-uids")


class NoFreeUid(Exception):
    """Every id of the pool is in use."""


def owns_a_process(uid: int) -> bool:
    """Whether anything runs as ``uid``, in whatever namespace below ours, or waits to be reaped."""
    try:
        os.getpriority(os.PRIO_USER, uid)
    except ProcessLookupError:
        return False
    return True


def _is_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _usable(uid: int) -> bool:
    return not _is_account(uid) and not owns_a_process(uid)


def _lock(path: Path) -> int | None:
    descriptor = os.open(
        path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def number_in_template(uid: int) -> int:
    """How the user namespace of a template numbers a user id of the pool."""
    return uid - FIRST_UID + 1


def template_map(own: int) -> str:
    """A template's map of user ids: root inside is ``own``, the others are those of kernels.

    In the format of user_namespaces(7): first id inside, first id outside, how many.
    """
    rows = [
        (0, own, 1),
        (1, FIRST_UID, own - FIRST_UID),
        (number_in_template(own + 1), own + 1, FIRST_UID + POOL_SIZE - own - 1),
    ]
    return "".join(
        f"{inside} {outside} {count}\n" for inside, outside, count in rows if count
    )


@contextmanager
def leased_uid(lock_dir: Path = LOCK_DIR) -> Iterator[int]:
    """A user id that no other run on this machine has, held by a file lock.

    The lock dies with this process, so a killed host leaves nothing to clean.

    Raises:
        NoFreeUid: the pool is exhausted.
    """
    lock_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for uid in range(FIRST_UID, FIRST_UID + POOL_SIZE):
        descriptor = _lock(lock_dir / str(uid))
        if descriptor is None:
            continue
        try:
            if _usable(uid):
                yield uid
                return
        finally:
            os.close(descriptor)
    raise NoFreeUid
