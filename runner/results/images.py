"""Pictures in outputs, made anew: only pixels pass, never the bytes that came."""

import base64
import binascii
import io
import warnings
import xml.etree.ElementTree as ElementTree

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 25_000_000
MAX_SIDE = 20_000
MAX_SVG_BYTES = 5_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")

_SVG = "{http://www.w3.org/2000/svg}"
_DEAD_ELEMENTS = {"script", "foreignobject", "iframe", "handler", "a", "animate", "set"}
_LINKS = {"href", "{http://www.w3.org/1999/xlink}href", "src"}


class BrokenImage(ValueError):
    """The bytes are no picture, or one that is too large to show."""


def picture_data_url(encoded: str) -> str:
    """Decode base64, decode the picture, and return it as a new data: address.

    Raises BrokenImage.
    """
    return _data_url(*made_anew(decoded(encoded)))


def svg_data_url(source: str) -> str:
    """Return drawing `source` as a data: address that only `<img>` may load.

    A browser runs no script and loads nothing for a drawing in `<img>`; what could
    is taken out all the same.  Raises BrokenImage.
    """
    return _data_url("image/svg+xml", to_safe_svg(source))


def made_anew(data: bytes) -> tuple[str, bytes]:
    """Return a picture's content type and new bytes, without any metadata.

    A photograph stays JPEG, all else becomes PNG; of an animation the first frame is
    kept.  Raises BrokenImage when Pillow cannot read it or it has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _require_modest(image)
                kind = "JPEG" if image.format == "JPEG" else "PNG"
                pixels = image.convert("RGB" if kind == "JPEG" else _mode(image))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,  # Pillow's word for a damaged PNG chunk
        EOFError,
        MemoryError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise BrokenImage from error
    pixels.info = {}
    target = io.BytesIO()
    pixels.save(target, kind, quality=88)
    return f"image/{kind.lower()}", target.getvalue()


def to_safe_svg(source: str) -> bytes:
    """Return the drawing without script, link, event handler, entity or outside file.

    Raises BrokenImage when it is not well-formed SVG.
    """
    if len(source) > MAX_SVG_BYTES:
        raise BrokenImage
    try:
        root = fromstring(source.encode(), forbid_entities=True, forbid_external=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise BrokenImage from error
    if root.tag != f"{_SVG}svg":
        raise BrokenImage
    for parent in list(root.iter()):
        for child in list(parent):
            if _local_name(child.tag) in _DEAD_ELEMENTS:
                parent.remove(child)
    for element in root.iter():
        _clean_attributes(element)
    return bytes(ElementTree.tostring(root, encoding="utf-8"))


def decoded(encoded: str) -> bytes:
    """Return the bytes behind base64 text, white space allowed.  Raises BrokenImage."""
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BrokenImage from error


def _data_url(content_type: str, data: bytes) -> str:
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def _require_modest(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BrokenImage


def _mode(image: Image.Image) -> str:
    if image.mode in {"L", "RGB"} and "transparency" not in image.info:
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def _local_name(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()


def _clean_attributes(element: ElementTree.Element) -> None:
    if element.tag == f"{_SVG}style" and _reaches_out(element.text or ""):
        element.text = ""
    for name, value in list(element.attrib.items()):
        handler = _local_name(name).startswith("on")
        outside = name in _LINKS and not value.startswith(("#", "data:image/png;"))
        if handler or outside or _reaches_out(value):
            del element.attrib[name]


def _reaches_out(css: str) -> bool:
    """Does a style or paint value name anything but a part of this drawing?"""
    squeezed = "".join(css.lower().split()).replace('"', "").replace("'", "")
    return (
        "\\" in squeezed
        or "@import" in squeezed
        or squeezed.count("url(") != squeezed.count("url(#")
    )
