"""Pictures in outputs, made anew: only pixels pass, never the bytes that came."""

import base64
import binascii
import io
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 25_000_000
MAX_SIDE = 20_000
MAX_SVG_BYTES = 5_000_000
#: What one picture, and all pictures of one result, may be once made anew: small files
#: can hold large pictures, and a page has to be made, sealed and opened.
MAX_BYTES = 4_000_000
MAX_BYTES_OF_ALL = 12_000_000
MAX_PIXELS_OF_ALL = 80_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")

_SVG = "{http://www.w3.org/2000/svg}"
_DEAD_ELEMENTS = {"script", "foreignobject", "iframe", "handler", "a", "animate", "set"}
_LINKS = {"href", "{http://www.w3.org/1999/xlink}href", "src"}


class BrokenImage(ValueError):
    """The bytes are no picture."""


class PictureTooLarge(ValueError):
    """The picture, or the result with it, would be larger than a page may be."""


@dataclass
class PictureBudget:
    """What the pictures of one result may still take."""

    pixels: int = MAX_PIXELS_OF_ALL
    size_bytes: int = MAX_BYTES_OF_ALL

    @property
    def next_bytes(self) -> int:
        """How many bytes the next picture may have."""
        return min(MAX_BYTES, self.size_bytes)

    def take_pixels(self, image: Image.Image) -> None:
        """Count a picture before it is decoded.  Raises PictureTooLarge."""
        width, height = image.size
        pixels = width * height
        if max(width, height) > MAX_SIDE or pixels > min(MAX_PIXELS, self.pixels):
            raise PictureTooLarge
        self.pixels -= pixels

    def take_bytes(self, data: bytes) -> None:
        """Count a picture that was made anew.  Raises PictureTooLarge."""
        if len(data) > self.next_bytes:
            raise PictureTooLarge
        self.size_bytes -= len(data)


class _Bounded(io.BytesIO):
    """Takes so many bytes and no more, so that an encoder stops where it is enough."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.limit:
            raise PictureTooLarge
        return super().write(data)


def picture_data_url(encoded: str, budget: PictureBudget) -> str:
    """Decode base64, decode the picture, and return it as a new data: address.

    Raises BrokenImage, PictureTooLarge.
    """
    return _data_url(*made_anew(decoded(encoded), budget))


def svg_data_url(source: str, budget: PictureBudget) -> str:
    """Return drawing `source` as a data: address that only `<img>` may load.

    A browser runs no script and loads nothing for a drawing in `<img>`; what could
    is taken out all the same.  Raises BrokenImage, PictureTooLarge.
    """
    drawing = to_safe_svg(source)
    budget.take_bytes(drawing)
    return _data_url("image/svg+xml", drawing)


def made_anew(data: bytes, budget: PictureBudget) -> tuple[str, bytes]:
    """Return a picture's content type and new bytes, without any metadata.

    A photograph becomes JPEG, all else PNG, or JPEG when that would be too large; of an
    animation the first frame is kept.  Raises BrokenImage when Pillow cannot read it,
    PictureTooLarge when nothing is left of the budget for it.
    """
    pixels = _pixels(data, budget)
    if _is_photograph(data):
        encoded = "image/jpeg", _encoded(pixels, "JPEG", budget)
    else:
        try:
            encoded = "image/png", _encoded(pixels, "PNG", budget)
        except PictureTooLarge:
            encoded = "image/jpeg", _encoded(pixels, "JPEG", budget)
    budget.take_bytes(encoded[1])
    return encoded


def _is_photograph(data: bytes) -> bool:
    """Was it compressed with losses already: JPEG, or the plain kind of WebP?"""
    return data.startswith(b"\xff\xd8") or data[8:16] == b"WEBPVP8 "


def _pixels(data: bytes, budget: PictureBudget) -> Image.Image:
    """Return the picture without anything that was beside it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                budget.take_pixels(image)
                pixels = image.convert(_mode(image))
    except PictureTooLarge:
        raise
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
    return pixels


def _encoded(pixels: Image.Image, kind: str, budget: PictureBudget) -> bytes:
    """Return the picture's bytes; what is see-through becomes white where it must."""
    if kind == "JPEG" and pixels.mode == "RGBA":
        paper = Image.new("RGB", pixels.size, "white")
        paper.paste(pixels, mask=pixels.getchannel("A"))
        pixels = paper
    target = _Bounded(budget.next_bytes)
    pixels.save(target, kind, quality=88)
    return target.getvalue()


def to_safe_svg(source: str) -> bytes:
    """Return the drawing without script, link, event handler, entity or outside file.

    Raises BrokenImage when it is not well-formed SVG, PictureTooLarge.
    """
    if len(source) > MAX_SVG_BYTES:
        raise PictureTooLarge
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
