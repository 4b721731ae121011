"""The page of a live session: words, places for what cells show, and what brings them to life.

It holds no cell's source and, but for the address of its own channel, no secret. What cells show
comes through that channel; the scripts are Voilà's prebuilt front end, the environment's widgets
and our plugin (`frontend/live.js`), all from /assets/.
"""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gallery.layouts import read_layout
from gallery.parameters.names import INJECTED_TAG, has_tag
from runner.kernelhost.cells import executes
from runner.results.arrangement import arranged
from runner.results.document import THEMES
from runner.results.images import PictureBudget
from runner.results.outputs import words
from runner.sessions.assets import PREFIX, Extension, assets

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Place:
    """Where one cell's words stand, or what it will show."""

    index: int
    #: Words, as harmless HTML.
    html: str = ""
    #: 1, 2, 3, … among the cells that readers count; 0 for one that they do not.
    number: int = 0
    is_code: bool = False
    #: The layout does not show it; the page tells only that it failed.
    is_hidden: bool = False


def render_page(
    *,
    title: str,
    base_url: str,
    kernel_id: str,
    kernel_name: str,
    environment: str,
    environment_lock_sha256: str,
    notebook: Mapping[str, Any],
    theme: str,
) -> bytes:
    """Return the page (HTML, UTF-8) for the notebook as it is executed, in nbformat 4.

    `base_url` is the absolute address of the session's channel, with its last slash;
    `theme` is one of THEMES, or the page follows the reader's system.

    Raises MissingAssets when the environment or the front end is not installed here.
    """
    installed = assets()
    extensions = installed.extensions(environment, environment_lock_sha256)
    layout = read_layout(notebook)
    places = {place.index: place for place in _places(notebook["cells"], layout.hidden)}
    page = _template().render(
        title=title,
        theme=theme if theme in THEMES else "",
        base_url=base_url,
        own=f"{_origin_of(base_url)}{installed.own}",
        voila=f"{_origin_of(base_url)}{installed.voila}",
        preloads=[_origin_of(base_url) + each for each in installed.preloads],
        config=_config(base_url, kernel_id, kernel_name, extensions, installed.voila),
        places=[(places[each.cell], each) for each in arranged(layout, places)],
        total=max((place.number for place in places.values()), default=0),
    )
    return page.encode()


def page_policy(*, base_url: str, kernel_id: str) -> str:
    """Return the Content-Security-Policy of the page at `base_url`.

    It runs the scripts under /assets/ and those that they make (`blob:`, as which some
    widgets come), none that stands in what a notebook shows. It speaks with its own
    session and nobody else. Styles may stand anywhere: the front end writes them so.
    """
    origin = _origin_of(base_url)
    files = f"{origin}{PREFIX}"
    model = f"{base_url}api/kernels/{kernel_id}"
    socket = f"{model.replace('http', 'ws', 1)}/channels"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {files} blob:",
            f"style-src {files} 'unsafe-inline'",
            f"img-src {files} data: blob:",
            f"font-src {files} data:",
            "media-src data: blob:",
            f"connect-src {model} {socket}",
            "worker-src 'none'",
            "frame-src 'none'",
            "object-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
            "sandbox allow-scripts allow-forms",
            f"frame-ancestors {settings.APPLICATION_ORIGIN}",
        )
    )


def _places(
    cells: Sequence[Mapping[str, Any]], hidden: Container[int]
) -> Iterator[_Place]:
    pictures, number = PictureBudget(), 0
    for index, cell in enumerate(cells):
        is_hidden = index in hidden
        if cell.get("cell_type") == "code":
            if not executes(cell, live=True):
                continue
            is_counted = not has_tag(cell, INJECTED_TAG)
            number += is_counted
            counted = number if is_counted else 0
            yield _Place(index, number=counted, is_code=True, is_hidden=is_hidden)
        elif cell.get("cell_type") == "markdown" and not is_hidden:
            yield _Place(index, html=_words(cell, pictures))


def _words(cell: Mapping[str, Any], pictures: PictureBudget) -> str:
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else str(source)
    return words(text, pictures, cell.get("attachments")).html


def _config(
    base_url: str,
    kernel_id: str,
    kernel_name: str,
    extensions: Sequence[Extension],
    voila: str,
) -> str:
    """Return what JupyterLab's parts read from the page, as JSON that ends no script."""
    origin = _origin_of(base_url)
    config = {
        "appName": "Countersign",
        "baseUrl": base_url,
        "wsUrl": base_url.replace("http", "ws", 1),
        "appUrl": "voila/",
        "fullStaticUrl": f"{origin}{voila}".rstrip("/"),
        "fullLabextensionsUrl": f"{origin}{PREFIX}".rstrip("/"),
        "kernelId": kernel_id,
        "kernelName": kernel_name,
        "jupyterLabTheme": "light",
        "progressiveRendering": False,
        # As text: so the front end takes its own copy of MathJax, not one from elsewhere.
        "mathjaxConfig": "null",
        "fullMathjaxUrl": "null",
        "federated_extensions": [
            # One folder holds all extensions, the front end thinks; ours are in three.
            {"name": each.name, "load": _up(each.name) + each.load, **dict(each.parts)}
            for each in extensions
        ],
        "extensionConfig": {},
    }
    return json.dumps(config).replace("<", "\\u003c")


def _up(name: str) -> str:
    return "../" * (name.count("/") + 1)


def _origin_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("live.html.j2")
