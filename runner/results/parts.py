"""One part of what a run under way shows, and how it is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from runner.results import vault


@dataclass(frozen=True)
class LivePart:
    """A harmless piece of what one cell shows; with `replaces`, all of it anew."""

    cell: int
    html: bytes = field(repr=False)
    replaces: bool = False


def seal_part(
    part: LivePart, *, run_id: UUID, sequence: int, keys: Sequence[bytes]
) -> bytes:
    """Return the part's bytes sealed, bound to its run and its place in it."""
    return vault.seal(part.html, keys=keys, associated=_bound_to(run_id, sequence))


def unseal_part(
    sealed: bytes, *, run_id: UUID, sequence: int, keys: Sequence[bytes]
) -> bytes:
    """Return the bytes of a part.  Raises vault.VaultError."""
    return vault.unseal(sealed, keys=keys, associated=_bound_to(run_id, sequence))


def _bound_to(run_id: UUID, sequence: int) -> str:
    return f"{run_id}/live/{sequence}"
