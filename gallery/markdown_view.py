"""Markdown cells rendered for reading: no script, no style, no picture from elsewhere."""

import mistune
import nh3

from gallery.characters import IN_TEXT, shown

_RENDERER = mistune.HTMLRenderer(escape=True, allow_harmful_protocols=["attachment:"])
_MARKDOWN = mistune.create_markdown(
    renderer=_RENDERER, plugins=["table", "strikethrough"]
)
_TAGS = {
    *(
        [
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "p",
            "br",
            "hr",
            "strong",
            "em",
            "del",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "a",
            "img",
        ]
    ),
    *(["table", "thead", "tbody", "tr", "th", "td"]),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt"},
    "th": {"align"},
    "td": {"align"},
}
_MAX_RENDERED = 50_000
_PICTURE = "data:image/png;base64,"


def render_markdown(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """Return ``source`` as sanitised HTML; pictures are those attached to the cell, and no others.

    Text longer than 50,000 characters is not rendered and gives an empty string.
    """
    if len(source) > _MAX_RENDERED:
        return ""
    try:
        rendered = str(_MARKDOWN(shown(source, keep=IN_TEXT)))
    except RecursionError:
        return ""
    pictures = {
        f"attachment:{name}": _PICTURE + bundle.get("image/png", "")
        for name, bundle in attachments.items()
    }
    inner = {
        name.replace(" ", "%20"): picture for name, picture in pictures.items()
    } | pictures

    def allowed(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src":
            return inner.get(value)
        if attribute == "href" and not value.lower().startswith(
            ("https://", "http://", "mailto:", "#")
        ):
            return None
        return value

    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=allowed,
        url_schemes={"http", "https", "mailto", "attachment", "data"},
        link_rel="noopener noreferrer",
    )
