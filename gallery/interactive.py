"""Which versions are opened as live pages, which cannot do without, and what is not kept: as was signed."""

from gallery.findings import sensitive, waiting, widgets
from gallery.models import Version


def is_interactive(version: Version) -> bool:
    """Tell whether the version's readers can use its widgets."""
    return was_found(version, widgets.CODE)


def waits_for_reader(version: Version) -> bool:
    """Tell whether a cell of every run of the version waits for what a reader does."""
    return was_found(version, waiting.CODE)


def values_not_kept(version: Version) -> str:
    """Return the sentence that was signed about values which no record keeps, or nothing."""
    return next(
        (
            str(finding["message"])
            for finding in version.findings
            if finding.get("code") == sensitive.CODE
        ),
        "",
    )


def was_found(version: Version, code: str) -> bool:
    """Tell whether the version was signed with such a finding."""
    return any(finding.get("code") == code for finding in version.findings)
