"""Why an uploaded file is refused: one exception class per reason, each with a stable code and a message for people."""

from typing import Any


class IntakeError(ValueError):
    """An uploaded file that Countersign will not store.

    ``code`` is stable and meant for programs, ``message`` is meant for the person who uploads,
    ``detail`` holds JSON scalars that say where and how much.
    """

    code = "intake_refused"

    def __init__(self, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        self.detail: dict[str, Any] = detail


class TooLarge(IntakeError):
    """The file, or the document made from it, is over the size limit."""

    code = "too_large"


class NotText(IntakeError):
    """The bytes are not text in UTF-8, UTF-16 or UTF-32."""

    code = "not_text"


class NullCharacter(IntakeError):
    """The text holds U+0000, which databases and tools treat differently."""

    code = "null_character"


class NotJson(IntakeError):
    """The text is not JSON."""

    code = "not_json"


class TooDeep(IntakeError):
    """Objects and lists are nested deeper than allowed."""

    code = "too_deep"


class DuplicateKey(IntakeError):
    """One object names a key twice, so that two readers may see two notebooks."""

    code = "duplicate_key"


class LoneSurrogate(IntakeError):
    """A string holds half of a surrogate pair, which is not a character."""

    code = "lone_surrogate"


class NotANumber(IntakeError):
    """NaN or an infinity, which JSON does not have."""

    code = "not_a_number"


class NumberTooLarge(IntakeError):
    """A number that other readers of JSON would round or refuse."""

    code = "number_too_large"


class NotANotebook(IntakeError):
    """JSON, but not an object with a notebook's parts."""

    code = "not_a_notebook"


class UnknownFormat(IntakeError):
    """A notebook format other than 3 and 4."""

    code = "unknown_format"


class InvalidNotebook(IntakeError):
    """The notebook breaks the schema of its format."""

    code = "invalid_notebook"


class TooManyCells(IntakeError):
    """More cells than a person can review."""

    code = "too_many_cells"


class CellTooLarge(IntakeError):
    """One cell is larger than allowed, outputs not counted."""

    code = "cell_too_large"


class TooMuchMetadata(IntakeError):
    """The metadata that would be kept is larger than allowed."""

    code = "too_much_metadata"


class InvalidDeclaration(IntakeError):
    """What the notebook declares to be sensitive cannot be understood."""

    code = "invalid_declaration"
