"""The allow-list that every byte of a rendered notebook passes, last of all."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import nh3

from runner.results.images import (
    BrokenImage,
    PictureBudget,
    PictureTooLarge,
    decoded,
    picture_data_url,
    svg_data_url,
)
from runner.results.nesting import is_tangled
from runner.results.styles import safe_style

#: Text, lists and tables; nothing that loads, submits, plays, embeds or scripts.
_TAG_NAMES = (
    "abbr b bdi blockquote br caption code col colgroup dd del details div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp small "
    "span strong sub summary sup table tbody td tfoot th thead tr u ul var img"
)
TAGS = set(_TAG_NAMES.split())
#: Gone with everything in them; all else that is not allowed leaves its text behind.
_EMPTIED_NAMES = (
    "applet audio canvas embed frame frameset head iframe math noembed noframes "
    "noscript object picture script select style svg template textarea title video "
    "xmp"
)
_EMPTIED_TAGS = set(_EMPTIED_NAMES.split())
_ATTRIBUTES = {
    "*": {"class", "style", "dir"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start"},
}
_WORDS = {
    "dir": {"ltr", "rtl", "auto"},
    "align": {"left", "right", "center"},
    "scope": {"row", "col", "rowgroup", "colgroup"},
}
_WHOLE_NUMBERS = {"width", "height", "colspan", "rowspan", "start"}
_MAX_NUMBER = 10_000
_MAX_ALT_CHARS = 300
_DATA_HEAD = re.compile(r"\s*data:image/([a-z0-9.+-]+)\s*;\s*base64", re.IGNORECASE)
_KEPT_PICTURE = re.compile(r"<img\b[^>]*\bsrc=")
_IMAGE_URL = re.compile(r"data:image/(?:png|jpeg|svg\+xml);base64,[A-Za-z0-9+/]+=*")
_OUTPUT_CLASSES = frozenset({"dataframe"})
#: The words of our own template; outputs are cleaned without them beforehand.
_OWN_CLASS = re.compile(r"cs-[a-z]+(?:-[a-z0-9]+)*")

AttributeFilter = Callable[[str, str, str], str | None]


@dataclass
class Cleaned:
    """Harmless HTML, and what had to be left out of it."""

    html: str
    lost_pictures: int = 0
    large_pictures: int = 0
    tangled: bool = False


def clean_output(html: str, budget: PictureBudget | None = None) -> Cleaned:
    """Return what may stay of HTML that a notebook made; its pictures take of `budget`.

    It is well-formed afterwards, so that it cannot close the box that it is put in,
    and it has none of our own classes, so that it cannot pass for our words.
    """
    result = Cleaned("", tangled=is_tangled(html))
    if result.tangled:
        return result

    budget = budget or PictureBudget()

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            try:
                return _picture(value, budget)
            except PictureTooLarge:
                result.large_pictures += 1
                return None
        return _attribute(name, value, own=False)

    result.html = _clean(html, attribute, {})
    kept = len(_KEPT_PICTURE.findall(result.html))
    lost = result.html.count("<img") - kept
    result.lost_pictures = lost - result.large_pictures
    return result


def clean_document(html: str) -> str:
    """Return the whole rendered notebook through the same list, as the last step."""

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return value if _IMAGE_URL.fullmatch(value) else None
        return _attribute(name, value, own=True)

    return _clean(
        html,
        attribute,
        {
            "div": {
                "tabindex": {"0"},
                "role": {"region"},
                "aria-label": {"Output", "Text"},
            }
        },
    )


def _clean(
    html: str, attribute: AttributeFilter, values: dict[str, dict[str, set[str]]]
) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags=_EMPTIED_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        tag_attribute_values=values,
        strip_comments=True,
        link_rel=None,
        url_schemes={"data"},
    )


def _picture(url: str, budget: PictureBudget) -> str | None:
    head, _, encoded = url.partition(",")
    kind = _DATA_HEAD.fullmatch(head)
    if not kind:
        return None
    try:
        if kind[1].lower() == "svg+xml":
            drawing = decoded(encoded).decode(errors="replace")
            return svg_data_url(drawing, budget)
        return picture_data_url(encoded, budget)
    except BrokenImage:
        return None


def _attribute(name: str, value: str, *, own: bool) -> str | None:
    if name == "class":
        return _classes(value, own=own)
    if name == "style":
        return safe_style(value) or None
    if name in _WHOLE_NUMBERS:
        number = value if value.isascii() and value.isdigit() and len(value) < 6 else ""
        return number if number and int(number) <= _MAX_NUMBER else None
    if name in _WORDS:
        return value.lower() if value.lower() in _WORDS[name] else None
    return value[:_MAX_ALT_CHARS]


def _classes(value: str, *, own: bool) -> str | None:
    kept = [
        word
        for word in value.split()
        if word in _OUTPUT_CLASSES or (own and _OWN_CLASS.fullmatch(word))
    ]
    return " ".join(kept) or None
