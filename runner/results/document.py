"""The page around a rendered result: style sheet, fonts, and whose rights it shows.

`rendering.render` makes the harmless content, which is what is stored; the page is
put around it when somebody looks, so that old results get today's style sheet and the
policy can name that sheet by its hash.  The page refers to nothing outside itself.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

TEMPLATES = Path(__file__).parent / "templates"
VENDOR = Path(__file__).parents[2] / "static" / "vendor"
#: A live page and what it leaves are laid out by one sheet.
LAYOUT = Path(__file__).parents[1] / "sessions" / "frontend" / "layout.css"
#: Family, weight, file: the same type as the pages that frame a result.
FONTS = (
    ("IBM Plex Sans", 400, "ibm-plex-sans-5.3.0/ibm-plex-sans-latin-400-normal.woff2"),
    ("IBM Plex Sans", 600, "ibm-plex-sans-5.3.0/ibm-plex-sans-latin-600-normal.woff2"),
    ("IBM Plex Mono", 400, "ibm-plex-mono-5.3.0/ibm-plex-mono-latin-400-normal.woff2"),
)

THEMES = ("light", "dark")
#: Stands where content will be; a title cannot hold it, because it is escaped.
_HERE = b"<!--content-->"


@dataclass(frozen=True)
class Signed:
    """One signature under the version: who, as what, when."""

    name: str
    meaning: str
    at: datetime


@dataclass(frozen=True)
class ResultHeader:
    """Whose truth a result shows; stands above it in print and in downloads."""

    title: str
    version_number: int
    short_digest: str
    person: str
    persona: str
    purpose: str
    data_read_at: datetime | None
    rows_read: int | None
    parameters: list[tuple[str, str]] = field(default_factory=list)
    signatures: list[Signed] = field(default_factory=list)
    incident: str = ""
    #: How the run ended when it did not succeed, as a sentence.
    problem: str = ""
    #: Previews read invented people.
    is_notional: bool = False
    #: The run had fewer layers of confinement than Countersign asks for.
    is_degraded: bool = False

    @property
    def read_nothing(self) -> bool:
        """Did it read the data and get no row, so that empty is not the whole truth?"""
        return self.rows_read == 0


def compose(
    content: bytes,
    *,
    title: str,
    header: ResultHeader | None = None,
    theme: str = "",
) -> bytes:
    """Return a whole HTML page (UTF-8) around what `render` returned.

    Without `header` for the frame, where the application's page shows it; with it for
    print and download.  `theme` is one of THEMES, or follows the reader's system.
    """
    page = _template().render(
        title=title,
        style=_stylesheet(),
        header=header,
        theme=theme if theme in THEMES else "",
        content=content.decode(),
    )
    return page.encode()


def around(*, title: str, theme: str = "") -> tuple[bytes, bytes]:
    """Return the page before and after its content, for content that comes later."""
    head, tail = compose(_HERE, title=title, theme=theme).split(_HERE)
    return head, tail


@cache
def stylesheet_hash() -> str:
    """Return the style sheet's hash as a CSP source, `'sha256-…'`."""
    digest = hashlib.sha256(_stylesheet().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _stylesheet() -> str:
    faces = "".join(_font_face(*font) for font in FONTS)
    sheets = (TEMPLATES / "result.css", LAYOUT)
    return faces + "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def _font_face(family: str, weight: int, path: str) -> str:
    encoded = base64.b64encode((VENDOR / path).read_bytes()).decode()
    return (
        f'@font-face{{font-family:"{family}";font-weight:{weight};'
        f'src:url(data:font/woff2;base64,{encoded}) format("woff2")}}\n'
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    return environment.get_template("document.html.j2")


def _moment(at: datetime) -> str:
    """Say when, in UTC: a page without scripts cannot know its reader's zone."""
    there = at.astimezone(UTC)
    return f"{there.day} {there:%B %Y, %H:%M} UTC"
