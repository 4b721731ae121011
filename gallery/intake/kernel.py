"""Which kernel a notebook asks for, and which language that kernel speaks."""

import re
from dataclasses import dataclass
from typing import Any

from gallery.intake.errors import InvalidNotebook
from gallery.intake.notes import Notes

# The kernel that runs decides the language, not what the file says of it: a file that says "python" of
# the bash kernel would have its parameters written in the wrong language's quotes.
_LANGUAGES = {
    "python3": "python",
    "python": "python",
    "bash": "bash",
    "ir": "r",
    "sos": "sos",
}
_DISPLAY_NAMES = {"python3": "Python 3 (ipykernel)", "bash": "Bash", "ir": "R"}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LANGUAGE = re.compile(r"[\w+#. -]{1,40}")
_EXTENSIONS = {"python": ".py", "bash": ".sh", "r": ".r", "julia": ".jl"}


@dataclass(frozen=True)
class Kernel:
    """A kernelspec's name, what to call it, and its language in lower case."""

    name: str
    display_name: str
    language: str

    def metadata(self) -> dict[str, Any]:
        """Return the notebook metadata that names this kernel, and nothing of the author's installation."""
        language_info = {"name": self.language}
        if self.language in _EXTENSIONS:
            language_info["file_extension"] = _EXTENSIONS[self.language]
        spec = {
            "name": self.name,
            "display_name": self.display_name,
            "language": self.language,
        }
        return {"kernelspec": spec, "language_info": language_info}


def read_kernel(metadata: dict[str, Any], notes: Notes) -> Kernel:
    """Return the kernel named in ``metadata``; python3 when none is named and no other language is.

    Raises InvalidNotebook when the name is none that a kernel can have.
    """
    spec = _object(metadata, "kernelspec")
    said = _language(spec.get("language")) or _language(
        _object(metadata, "language_info").get("name")
    )
    extra = set(spec) - {"name", "display_name", "language"}
    if extra:
        notes.add("kernel_details", len(extra))
    name = spec.get("name") or _usual_kernel(said, notes)
    if said == "python" and name not in _LANGUAGES:
        # Conda and virtualenv users name kernels after their own folders; no server has those.
        notes.add("own_kernel")
        name = "python3"
    if not _NAME.fullmatch(name):
        raise InvalidNotebook(
            "This notebook names a kernel that cannot exist. Choose its kernel in Jupyter and save it."
        )
    return Kernel(
        name=name,
        display_name=_DISPLAY_NAMES.get(name, name),
        language=_LANGUAGES.get(name) or said or "python",
    )


def _usual_kernel(language: str, notes: Notes) -> str:
    usual = next(
        (kernel for kernel, spoken in _LANGUAGES.items() if spoken == language), None
    )
    if usual is None:
        notes.add("kernel_assumed")
    return usual or "python3"


def _object(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    value = metadata.get(key)
    return value if isinstance(value, dict) else {}


def _language(value: Any) -> str:
    return (
        value.lower() if isinstance(value, str) and _LANGUAGE.fullmatch(value) else ""
    )
