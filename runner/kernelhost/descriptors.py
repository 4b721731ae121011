"""Descriptors that the host hands to the processes that it starts."""

from __future__ import annotations

import os
from typing import Self


def memory_file(name: str, content: bytes) -> int:
    """A descriptor that reads ``content`` from its start and has no name in any file system."""
    descriptor = os.memfd_create(name.rpartition("/")[2], os.MFD_CLOEXEC)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class Descriptors:
    """Descriptors to hand over, and our ends of pipes; all are closed at the end of the context."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self._kept: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.handed_over()
        while self._kept:
            os.close(self._kept.pop())

    def give(self, name: str, content: bytes) -> int:
        """A memory file to hand over."""
        return self.add(memory_file(name, content))

    def add(self, descriptor: int) -> int:
        """Hand over an open descriptor."""
        self.given.append(descriptor)
        return descriptor

    def pipe_from(self) -> tuple[int, int]:
        """A pipe that the other side writes: our end and its end."""
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        return self.keep(ours), self.add(theirs)

    def pipe_to(self) -> tuple[int, int]:
        """A pipe that the other side reads: our end and its end."""
        theirs, ours = os.pipe2(os.O_CLOEXEC)
        return self.keep(ours), self.add(theirs)

    def keep(self, descriptor: int) -> int:
        """Close a descriptor of ours at the end too."""
        self._kept.append(descriptor)
        return descriptor

    def take(self, descriptor: int) -> int:
        """Leave one of ours open; it belongs to the caller now."""
        self._kept.remove(descriptor)
        return descriptor

    def handed_over(self) -> None:
        """Close our copies of what the other side has."""
        while self.given:
            os.close(self.given.pop())
