"""Markdown as HTML: math as its source, no link to follow, pictures only embedded."""

from collections.abc import Mapping
from html import escape
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from runner.results.plain import escaped

MAX_CHARS = 200_000
MAX_LATEX_BLOCKS = 200  # each is searched to the end of the text
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class _Renderer(IPythonRenderer):
    """What Markdown may become here; the sanitiser still goes over all of it."""

    def __init__(self, attachments: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.pictures = attachments

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{escape(code, quote=False)}</code></pre>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Show where a link leads instead of leading there."""
        if not text or text == url or not url.startswith(("http://", "https://")):
            return text or escape(url)
        return f"{text} <small>({escape(url)})</small>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        name = url.removeprefix("attachment:")
        if name != url:
            url = self._attached(name)
        return f'<img src="{escape(url)}" alt="{escape(text)}">'

    def _attached(self, name: str) -> str:
        bundle = self.pictures.get(name, {})
        for kind in _PICTURES:
            if kind in bundle:
                return f"data:{kind};base64,{bundle[kind]}"
        return ""

    def block_math(self, body: str) -> str:
        return f"<pre><code>{escape(body.strip())}</code></pre>\n"

    def inline_math(self, body: str) -> str:
        return f"<code>{escape(body)}</code>"

    def latex_environment(self, name: str, body: str) -> str:
        source = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return f"<pre><code>{escape(source)}</code></pre>\n"


def to_html(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Return `source` as HTML that is not yet harmless: clean it afterwards.

    Text of more than 200,000 characters, or 200 LaTeX blocks, is shown as written.
    """
    if len(source) > MAX_CHARS or source.count("\\begin{") > MAX_LATEX_BLOCKS:
        return f"<pre>{escaped(source)}</pre>"
    return MarkdownWithMath(renderer=_Renderer(attachments or {})).render(source)
