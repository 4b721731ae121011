"""Whether the record of a live page leaves out what controls are set to: whoever signs has to know."""

from collections.abc import Iterator
from typing import Any

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding
from gallery.intake.sensitive import sensitive_widgets

CODE = "values_not_kept"


def check_sensitive(
    notebook: dict[str, Any], checked: CheckedNotebook
) -> Iterator[Finding]:
    """Yield what is not kept, and the names that the code does not give to any control."""
    declared = sensitive_widgets(notebook)
    if not declared:
        return
    names = [] if declared is True else declared
    which = ", ".join(f"“{name}”" for name in names) or "any control"
    message = (
        f"What readers set {which} to is not kept, as the notebook declares: its record tells that "
        "a control was used and when, but not for what."
    )
    yield Finding(CODE, "warning", message)
    code = "\n".join(cell.source for cell in checked.cells if cell.cell_type == "code")
    for name in names:
        if f'"{name}"' not in code and f"'{name}'" not in code:
            yield Finding("unknown_control", "warning", _unknown(name))


def _unknown(name: str) -> str:
    return (
        f"“{name}” is declared to be sensitive, and no code says this name in quotes: values of a "
        "control that is called otherwise are kept."
    )
