"""What one run may use: the organisation's limits, and what a version asks for instead."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.policies import BadInput, FieldError
from gallery.declared import read_declared
from gallery.models import Version


class InvalidLimits(BadInput):
    """The limits that an author asks for are not limits, or more than is given."""


def _seconds(value: int) -> str:
    minutes, rest = divmod(value, 60)
    return f"{value} s" if rest else f"{minutes} min"


def _bytes(value: int) -> str:
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if value % size == 0:
            return f"{value // size} {unit}"
    return f"{value / 1_000_000:,.1f} MB"


def _count(value: int) -> str:
    return f"{value:,}"


#: What each limit is, and how its values are written; the order is that of pages.
WORDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "wall_clock_s": ("Longest run", _seconds),
    "cell_s": ("Longest cell", _seconds),
    "memory_bytes": ("Memory", _bytes),
    "processes": ("Processes", _count),
    "output_bytes_per_cell": ("Output of one cell", _bytes),
    "output_bytes": ("Output of the run", _bytes),
    "outputs": ("Outputs of the run", _count),
}


@dataclass(frozen=True)
class LimitInWords:
    """One limit of a version that is not every run's: `Memory`, `4 GiB`, `1 GiB`."""

    what: str
    asked: str
    usual: str


def clean_limits(value: Any) -> dict[str, int]:
    """Return the limits that are asked for instead of every run's, `{}` if none is.

    Accepts the object itself or its JSON text. Raises InvalidLimits.
    """
    try:
        value = read_declared(value)
    except ValueError as error:
        raise _invalid(["The limits are not valid JSON."]) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(['Write the limits as {"wall_clock_s": 1800}.'])
    problems = [
        problem for name in sorted(value) for problem in _problems(name, value[name])
    ]
    if problems:
        raise _invalid(problems)
    return {name: value[name] for name in WORDS if name in value}


def _problems(name: str, value: Any) -> Iterable[str]:
    if name not in WORDS:
        yield f"There is no limit {name!r}; there are {', '.join(WORDS)}."
        return
    low, high = settings.RUN_LIMIT_BOUNDS[name]
    if type(value) is not int or not low <= value <= high:
        yield f"{name} must be a whole number from {low} to {high}."


def _invalid(messages: Iterable[str]) -> InvalidLimits:
    return InvalidLimits(
        [FieldError("limits", "invalid_limits", message) for message in messages]
    )


def run_limits(version: Version) -> dict[str, int]:
    """Return what a run of this version may use.

    What was signed holds only up to the most that the organisation gives today.
    """
    asked = {
        name: min(value, settings.RUN_LIMIT_BOUNDS[name][1])
        for name, value in version.limits.items()
    }
    return {**settings.RUN_LIMITS, **asked}


def limits_in_words(version: Version) -> list[LimitInWords]:
    """Return what the version asks for beside what every run gets."""
    return [
        LimitInWords(
            what, words(version.limits[name]), words(settings.RUN_LIMITS[name])
        )
        for name, (what, words) in WORDS.items()
        if name in version.limits
    ]


def most_in_words() -> str:
    """Return the most that a version may ask for, under the names that it asks by."""
    return ", ".join(f"{name} {settings.RUN_LIMIT_BOUNDS[name][1]}" for name in WORDS)
