"""Which versions are opened as live pages: those that were signed as using widgets."""

from gallery.findings.widgets import CODE
from gallery.models import Version


def is_interactive(version: Version) -> bool:
    """Tell whether the version's readers can use its widgets."""
    return any(finding.get("code") == CODE for finding in version.findings)
