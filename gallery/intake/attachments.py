"""Images attached to Markdown cells, saved afresh.

An attachment can carry anything: another file behind an image, a name in a PNG's text chunk, a script
in an SVG. Kept are raster images that the cell shows, decoded and encoded again as PNG, which leaves
the picture and nothing else. The same picture gives the same bytes.
"""

import base64
import binascii
import io
import urllib.parse
from typing import Any

from PIL import Image

from gallery.intake.notes import Notes

_IMAGES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_MAX_PIXELS = 16_000_000


def clean_attachments(
    attachments: Any, source: str, notes: Notes
) -> dict[str, dict[str, str]]:
    """Return the images among ``attachments`` that ``source`` shows, as ``{name: {"image/png": base64}}``."""
    if not isinstance(attachments, dict):
        return {}
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items():
        picture = _picture(bundle) if _is_shown(name, source) else None
        if picture is None:
            notes.add("attachments_removed")
        else:
            kept[name] = {"image/png": base64.b64encode(picture).decode("ascii")}
            notes.add("attachments_kept")
    return kept


def _is_shown(name: str, source: str) -> bool:
    return (
        f"attachment:{name}" in source
        or f"attachment:{urllib.parse.quote(name)}" in source
    )


def _picture(bundle: Any) -> bytes | None:
    if not isinstance(bundle, dict):
        return None
    for mime, image_format in _IMAGES.items():
        data = bundle.get(mime)
        if isinstance(data, list) and all(isinstance(line, str) for line in data):
            data = "".join(data)
        if isinstance(data, str):
            return _encoded_afresh(data, image_format)
    return None


def _encoded_afresh(data: str, image_format: str) -> bytes | None:
    """Return the picture as PNG bytes, or None when ``data`` is no picture of ``image_format``."""
    try:
        raw = base64.b64decode(data, validate=False)
        with Image.open(io.BytesIO(raw), formats=[image_format]) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.load()
            pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (
        binascii.Error,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
    ):
        return None
    afresh = io.BytesIO()
    plain = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    plain.save(afresh, format="PNG")
    return afresh.getvalue()
