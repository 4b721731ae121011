"""Characters that a reader does not see, or sees as something else."""

import unicodedata

_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and marks by category, blank on screen all the same.
_BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATIONS = [(0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)]
# Categories: control, format, surrogate, private use, unassigned, line and paragraph separator.
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Emoji are put together with these, and ordinary text has hard spaces.
IN_TEXT = frozenset("\u200d\ufe0f\u00a0")
_LOOKALIKE_SCRIPTS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU")


def is_bidi(character: str) -> bool:
    """Return whether ``character`` changes the direction in which text is shown."""
    return character in _BIDI


def is_invisible(character: str) -> bool:
    """Return whether ``character`` leaves no mark of its own; space, tab and newline are not meant."""
    if character in " \t\n" or "!" <= character <= "~":
        return False
    if character in _BLANK or any(
        low <= ord(character) <= high for low, high in _VARIATIONS
    ):
        return True
    category = unicodedata.category(character)
    return category in _HIDDEN_CATEGORIES or category == "Zs"


def describe(character: str) -> str:
    """Return code point and name: ``U+202E RIGHT-TO-LEFT OVERRIDE``."""
    name = unicodedata.name(character, "") or _CONTROL_NAMES.get(
        ord(character), "CONTROL CHARACTER"
    )
    return f"U+{ord(character):04X} {name}"


_CONTROL_NAMES = {
    0x07: "BELL",
    0x08: "BACKSPACE",
    0x0B: "LINE TABULATION",
    0x0C: "FORM FEED",
    0x0D: "CARRIAGE RETURN",
    0x1B: "ESCAPE",
    0x7F: "DELETE",
    0x85: "NEXT LINE",
}


def shown(text: str, *, keep: frozenset[str] = frozenset()) -> str:
    """Return ``text`` with every invisible character but those in ``keep`` replaced by its code point: ⟨U+202E⟩."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"⟨U+{ord(each):04X}⟩" if is_invisible(each) and each not in keep else each
        for each in text
    )


def invisible_in(text: str) -> list[str]:
    """Return the invisible characters of ``text``, each once, in order."""
    if text.isascii() and text.isprintable():
        return []
    return list(dict.fromkeys(each for each in text if is_invisible(each)))


def lookalike(word: str) -> str:
    """Return why ``word`` may be read as another word, or nothing.

    Python itself reads ``ｅval`` as ``eval``; people read Cyrillic ``а`` as Latin ``a``.
    """
    if word.isascii():
        return ""
    read = unicodedata.normalize("NFKC", word)
    if read != word:
        return f"Python reads it as “{read}”"
    scripts = {
        unicodedata.name(each, "").partition(" ")[0] for each in word if each.isalpha()
    }
    others = sorted(scripts.intersection(_LOOKALIKE_SCRIPTS))
    if not others:
        return ""
    names = " and ".join(script.capitalize() for script in others)
    return (
        f"it mixes Latin and {names} letters"
        if "LATIN" in scripts
        else f"its letters are {names}"
    )


def hidden_in_words(text: str) -> str:
    """Return why this text is not taken, or nothing: it hides what it says.

    For what people write in a line or a few and others read beside a decision: a
    title whose direction is turned says another thing on the sheet that is signed.
    """
    hidden = [each for each in invisible_in(text) if each not in IN_TEXT]
    if not hidden:
        return ""
    return f"It holds a character that nobody sees: {describe(hidden[0])}. Take it out."


def plain_lines(text: str) -> str:
    """Return ``text`` with the line ends of browsers written as everywhere else."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
