"""Small parts that pages of every app draw: icons, seals, moments, words."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.permissions import Permission, has_permission
from gallery.models import Version

register = template.Library()

_MOMENT_FORMATS = {
    "full": "%-d %b %Y, %H:%M UTC",
    "date": "%-d %b %Y",
    "time": "%H:%M UTC",
}


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Draw an icon of `static/img/icons.svg`; without a label it is decoration."""
    address = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}"/></svg>',
            css,
            label,
            address,
        )
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', css, address
    )


@register.simple_tag
def when(moment: datetime | None, style: str = "full") -> SafeString | str:
    """Draw a moment in UTC that `local-time.js` turns into the reader's zone.

    `style` is `full`, `date` or `time`; no moment draws a dash.
    """
    if moment is None:
        return "–"
    utc = localtime(moment, UTC)
    return format_html(
        '<time datetime="{}" data-local="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        style,
        utc.strftime(_MOMENT_FORMATS[style]),
    )


@register.inclusion_tag("_seal.html")
def seal(
    version: Version, *, link: str = "", large: bool = False, words: bool = False
) -> dict[str, Any]:
    """Draw a version's seal: its form tells the state, beside the short digest.

    `link` is the address it leads to; `words` also writes the state out.
    """
    return {"version": version, "link": link, "large": large, "words": words}


@register.filter
def and_join(words: Iterable[object]) -> str:
    """Join words as a sentence does: `a`, `a and b`, `a, b and c`."""
    listed = [str(word) for word in words]
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} and {listed[-1]}"


@register.filter
def duration(milliseconds: int | None) -> str:
    """Write a duration in milliseconds as `840 ms`, `3.2 s` or `4 min 10 s`."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


@register.simple_tag(takes_context=True)
def may(context: template.Context, permission: str) -> bool:
    """Tell whether a role of the person signed in allows `permission`."""
    return has_permission(context["user"], Permission(permission))
