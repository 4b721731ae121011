"""From uploaded bytes to text."""

import json

from gallery.intake.errors import NotText, NullCharacter, TooLarge


def decode(data: bytes, *, max_bytes: int) -> str:
    """Return the text of ``data``: UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises TooLarge, NotText, NullCharacter.
    """
    if len(data) > max_bytes:
        raise TooLarge(
            f"This file has {len(data):,} bytes; the limit is {max_bytes:,}. "
            "Clear its outputs, or move large data out of it, and upload it again.",
            size_bytes=len(data),
            max_bytes=max_bytes,
        )
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding, "strict")
    except UnicodeDecodeError as error:
        raise NotText(
            "This file is not text in UTF-8, UTF-16 or UTF-32, so it cannot be a notebook. "
            "Save it again from Jupyter and upload that file.",
            encoding=encoding,
            position=error.start,
        ) from None
    if "\0" in text:
        raise NullCharacter(
            "This file holds a NUL character, which no notebook needs. Remove it and upload it again."
        )
    return text
