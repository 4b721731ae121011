"""Which versions are opened as live pages, and what of that is not kept: as was signed."""

from gallery.findings import sensitive
from gallery.findings.widgets import CODE
from gallery.models import Version


def is_interactive(version: Version) -> bool:
    """Tell whether the version's readers can use its widgets."""
    return any(finding.get("code") == CODE for finding in version.findings)


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
