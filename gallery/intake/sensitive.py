"""What an author declares to be sensitive: controls whose values no record of a live page keeps.

It stands in the notebook's metadata, as `countersign.sensitive_widgets`: true for every control, or a list of
their descriptions. So it is signed with the version. What cannot be understood is refused, because an
author who meant to declare something would else believe that it is in force.
"""

from typing import Any

from gallery.intake.errors import InvalidDeclaration

BLOCK, KEY = "countersign", "sensitive_widgets"
MAX_NAMES, MAX_NAME_CHARS = 100, 200


def declaration(block: Any) -> dict[str, Any]:
    """Return what is kept of the block `countersign`: a declaration that is understood.

    Raises InvalidDeclaration.
    """
    if not isinstance(block, dict):
        return {}
    for key in block:
        if key.startswith("sensitive") and key != KEY:
            raise InvalidDeclaration(
                f"“{key[:60]}” means nothing here: write “{BLOCK}.{KEY}”.", key=key[:60]
            )
    return {KEY: _names(block[KEY])} if KEY in block else {}


def sensitive_widgets(notebook: dict[str, Any]) -> bool | list[str]:
    """Return True where every control is sensitive, else the descriptions of those that are."""
    found: bool | list[str] = notebook.get("metadata", {}).get(BLOCK, {}).get(KEY, [])
    return found


def _names(value: Any) -> bool | list[str]:
    if value is True:
        return True
    names = value if isinstance(value, list) else []
    if not 0 < len(names) <= MAX_NAMES or not all(map(_is_name, names)):
        raise InvalidDeclaration(
            f"“{BLOCK}.{KEY}” in the notebook's metadata is true, for every control, or a list of 1 to "
            f"{MAX_NAMES} descriptions of controls, each of at most {MAX_NAME_CHARS} characters."
        )
    return names


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= MAX_NAME_CHARS
