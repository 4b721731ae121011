"""Small parts that pages of every app draw: icons, seals, moments, words."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.permissions import Permission, has_permission
from gallery.limits import limits_in_words
from gallery.models import Version
from gallery.parameters.annotations import non_null
from gallery.parameters.options import labels_of
from gallery.presenters import parameter_order, parameter_title, value_in_words
from gallery.workflow import Status

register = template.Library()

_MOMENT_FORMATS = {
    "full": "%-d %b %Y, %H:%M UTC",
    "date": "%-d %b %Y",
    "time": "%H:%M UTC",
    "second": "%H:%M:%S UTC",
}
_KINDS = {
    "integer": "Whole number",
    "number": "Number",
    "string": "Text",
    "boolean": "Yes or no",
    "date": "Date",
    "date-time": "Date and time",
    "array": "List",
}
_LANGUAGES = {"python": "Python", "r": "R", "bash": "Bash", "julia": "Julia"}


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

    `style` is `full`, `date`, `time` or `second`; no moment draws a dash.
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


@register.inclusion_tag("gallery/_limits.html")
def limits(version: Version) -> dict[str, Any]:
    """List what a version asks for beside the limits of every run."""
    return {"limits": limits_in_words(version)}


@register.simple_tag(takes_context=True)
def may(context: template.Context, permission: str) -> bool:
    """Tell whether a role of the person signed in allows `permission`."""
    return has_permission(context["user"], Permission(permission))


@register.filter
def of(mapping: Mapping[Any, Any], key: object) -> Any:
    """Look `key` up; None when it is not there."""
    return mapping.get(key)


@register.filter
def state_words(state: str) -> str:
    """Write a version's state in words."""
    return dict(Status.choices).get(state, state)


@register.filter
def language_words(language: str) -> str:
    """Write a kernel's language as its name is written."""
    return _LANGUAGES.get(language.lower(), language.capitalize())


@register.filter
def as_json(value: object) -> str:
    """Write a value as indented JSON text (escaped by the template)."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@register.filter
def ordered_parameters(schema: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return each parameter's title and schema, in the order of the form."""
    properties = schema.get("properties", {}).items()
    ordered = sorted(properties, key=lambda item: parameter_order(item[1]))
    return [(parameter_title(name, each), each) for name, each in ordered]


@register.filter
def parameter_words(schema: Mapping[str, Any]) -> str:
    """Describe one parameter's JSON Schema: `Whole number, default 30, 1 to 365`."""
    words = [_KINDS.get(_kind(schema), "Value")]
    labels = labels_of(dict(schema))
    for choices, lead in ((schema, "One of"), (schema.get("items", {}), "Any of")):
        if "enum" in choices:
            shown = [value_in_words(each, labels) for each in choices["enum"]]
            words = [f"{lead} {and_join(shown)}"]
    if "default" in schema:
        words.append(f"default {_value_words(schema['default'], labels)}")
    if "minimum" in schema or "maximum" in schema:
        words.append(f"{schema.get('minimum', '…')} to {schema.get('maximum', '…')}")
    if "multipleOf" in schema:
        words.append(f"in steps of {schema['multipleOf']}")
    return ", ".join(words)


def _kind(schema: Mapping[str, Any]) -> str:
    schema = non_null(dict(schema))
    kind = schema.get("format") or schema.get("type", "")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "")
    return str(kind)


def _value_words(value: object, labels: Mapping[Any, str]) -> str:
    if isinstance(value, list):
        return and_join([value_in_words(each, labels) for each in value]) or "empty"
    return value_in_words(value, labels)
