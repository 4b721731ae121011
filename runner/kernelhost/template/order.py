"""What the host asks of a template: one confined process. Nothing in it is secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Order:
    """One process and its confinement, as plain values.

    ``tmpfs`` holds (target, size in bytes, mode); ``files`` holds (target, mode), whose
    contents come as descriptors in the same order; ``rules`` holds (path, what Landlock allows
    there); ``limits`` holds (name of the resource, value); ``data`` names the directory of the run's data
    sockets; ``user`` is whose process it becomes, as the template numbers users; None when there is no
    other.  ``groups`` counts the control groups that it enters by itself, whose descriptors come
    before those of ``files``.
    """

    command: tuple[str, ...]
    uid_inside: int
    user: int | None
    hostname: str
    chdir: str
    tmpfs: tuple[tuple[str, int, int], ...]
    files: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, str], ...]
    limits: tuple[tuple[str, int], ...]
    data: str | None
    data_target: str
    groups: int

    def to_json(self) -> bytes:
        """For :meth:`from_json` on the other side."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Order:
        """Read what :meth:`to_json` wrote."""
        given = json.loads(text)
        for name in ("tmpfs", "files", "rules", "limits"):
            given[name] = tuple(tuple(item) for item in given[name])
        return cls(**{**given, "command": tuple(given["command"])})
