"""Plain text as HTML, in pieces that a parser reads in linear time."""

from html import escape

#: A parser's time grows with the square of the references (`&amp;`) in one text node:
#: a million of them in one took minutes, in pieces they take a second.
MAX_NODE_CHARS = 10_000


def escaped(text: str) -> str:
    """Return `text` escaped; a long one in spans, which look like nothing."""
    if len(text) <= MAX_NODE_CHARS:
        return escape(text, quote=False)
    return "".join(
        f"<span>{escape(text[at : at + MAX_NODE_CHARS], quote=False)}</span>"
        for at in range(0, len(text), MAX_NODE_CHARS)
    )
