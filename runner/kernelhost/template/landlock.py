"""Landlock: the kernel refuses every file that no rule names, however this process reaches it.

A layer behind the mounts: a rule is about the file itself, so neither a descriptor that leaked
nor a mount that should not be there opens anything else. It can be tightened, never undone.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from . import linux

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on every architecture
ASK_VERSION = 1
PATH_BENEATH = 1
RULESET = (
    "=QQQ"  # rights on files, on ports, scopes; an older kernel wants the unknown zero
)
RULE = "=Qi"

#: The first version could not allow to rename from one directory to another.
OLDEST_ABI = 2
#: The version that judges requests to devices, the one with scopes, the one that writes a log.
DEVICES_ABI, SCOPES_ABI, LOG_ABI = 5, 6, 7

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
MAKE_CHAR = 1 << 6
MAKE_BLOCK = 1 << 11
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15
#: How many rights on files a version knows; those behind the last one know no further.
KNOWN_RIGHTS = {2: 14, 3: 15, 4: 15, 5: 16}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

#: No abstract socket and no signal reaches a process that is not confined with this one.
SCOPES = 1 << 0 | 1 << 1
#: A refused path may hold a value of the run; the machine's log is no place for it.
QUIET = 1 << 0

LIST = READ_DIR
READ = LIST | READ_FILE | EXECUTE
USE = LIST | READ_FILE | WRITE_FILE | TRUNCATE
#: What a rule allows, by the word that the order has for it.
RIGHTS = {
    "list": LIST,
    "read": READ,
    "use": USE,
    "terminal": USE | IOCTL_DEV,
    "keep": ((1 << 16) - 1) & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV),
}


def abi() -> int:
    """The version that this machine's kernel has; 0 when it has none that is of use."""
    try:
        version = linux.syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:
        return 0
    return version if version >= OLDEST_ABI else 0


def restrict(rules: Iterable[tuple[str, str]]) -> None:
    """Leave this process, and all that it starts, what the rules name; without Landlock, everything.

    A rule is a path with all below it, and a word of ``RIGHTS``.

    Raises:
        OSError: the kernel has Landlock and refused a rule.
    """
    version = abi()
    if not version:
        return
    known = (1 << KNOWN_RIGHTS.get(version, max(KNOWN_RIGHTS.values()))) - 1
    scopes = SCOPES if version >= SCOPES_ABI else 0
    attributes = struct.pack(RULESET, known, 0, scopes)
    ruleset = linux.syscall(CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path, word in rules:
            _add(ruleset, path, RIGHTS[word] & known)
        linux.syscall(RESTRICT_SELF, ruleset, QUIET if version >= LOG_ABI else 0)
    finally:
        os.close(ruleset)


def _add(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        rule = struct.pack(RULE, rights, place)
        linux.syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
