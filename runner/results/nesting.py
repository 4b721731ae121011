"""Refuse HTML whose nesting would keep the parser busy for minutes.

A tree builder looks up the chain of open elements at most tags, so its time grows
with tags × depth.  Few tags are harmless at any depth, and so are many at a modest
one; what is left are outputs that nobody could read anyway.
"""

import re
from collections import Counter
from html.parser import HTMLParser

MAX_TAGS_AT_ANY_DEPTH = 10_000
MAX_DEPTH = 256
MAX_NESTING_TAGS = 1_000

_TAG = re.compile(r"</?[a-zA-Z]")
#: Closed by what follows them, or never open: they do not add to the depth.
_FLAT_NAMES = (
    "area base br col colgroup dd dt embed hr img input li link meta option p param "
    "source tbody td tfoot th thead tr track wbr"
)
_FLAT = frozenset(_FLAT_NAMES.split())
#: What may add to the depth: every opening tag but the flat ones.
_NESTING_TAG = re.compile(
    rf"<(?!(?:{'|'.join(sorted(_FLAT))})\b)[a-zA-Z]", re.IGNORECASE
)
#: What follows one of these is read differently by different parsers.
_OTHER_GRAMMAR = re.compile(
    r"<(?:frameset|iframe|math|noembed|noframes|noscript|plaintext|select|svg|template"
    r"|textarea|title|xmp)\b",
    re.IGNORECASE,
)


def is_tangled(html: str) -> bool:
    """Has `html` more tags than are harmless at any depth, and is it that deep?"""
    if len(_TAG.findall(html)) <= MAX_TAGS_AT_ANY_DEPTH:
        return False
    if len(_NESTING_TAG.findall(html)) <= MAX_NESTING_TAGS:
        return False  # a long table: many tags, next to no depth
    if _OTHER_GRAMMAR.search(html):
        return True
    depth = _Depth()
    depth.feed(html)
    return depth.deepest > MAX_DEPTH


class _Depth(HTMLParser):
    """Counts open elements; a closing tag counts only for an open element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: Counter[str] = Counter()
        self.depth = self.deepest = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _FLAT:
            self.open[tag] += 1
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """`<div/>` opens a div all the same."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.open[tag]:
            self.open[tag] -= 1
            self.depth -= 1
