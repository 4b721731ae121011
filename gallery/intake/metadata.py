"""The metadata that has a meaning in Countersign, and nothing else.

An allow-list: what is not named here is removed, because metadata is where editors, tools and earlier
runs leave times, paths, people, widget state and, through those, patient data. The digest reads
notebooks through the same functions, so that what an execution adds never changes it.
"""

import re
from collections.abc import Callable
from typing import Any

from gallery.intake.notes import Notes
from gallery.intake.sensitive import BLOCK, declaration

_WORD = re.compile(r"[\w.+/ -]{1,100}")
_TAG = re.compile(r"[^,\s\x00-\x1f\x7f](?:[^,\x00-\x1f\x7f]{0,98}[^,\s\x00-\x1f\x7f])?")

_KINDS = {
    "widgets": "widgets",
    "signature": "signature",
    **dict.fromkeys(
        [
            "papermill",
            "execution",
            "ExecuteTime",
            "executionInfo",
            "timing",
            "execution_count",
        ],
        "execution",
    ),
    **dict.fromkeys(
        [
            "collapsed",
            "scrolled",
            "autoscroll",
            "vscode",
            "pycharm",
            "toc",
            "toc-autonumbering",
            "toc-showcode",
            "toc-showmarkdowntxt",
            "heading_collapsed",
            "hide_output",
            "editable",
            "deletable",
            "trusted",
            "celltoolbar",
            "init_cell",
            "notify",
            "hidden",
            "code_folding",
            "notebookId",
        ],
        "editor",
    ),
    **dict.fromkeys(["gallery", "countersign", "nbgallery", "commons"], "gallery"),
    **dict.fromkeys(
        ["kernel_info", "connection_file", "kernel_id", "interpreter", "environment"],
        "kernel_details",
    ),
}

_VIEW_NUMBERS = {
    "row",
    "col",
    "width",
    "height",
    "cellMargin",
    "cellHeight",
    "defaultCellHeight",
    "maxColumns",
    "numColumns",
}
_VIEW_WORDS = {"name", "type"}


def notebook_metadata(metadata: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Return what of a notebook's own metadata is kept; kernel and language are left to ``kernel``.

    Raises InvalidDeclaration.
    """
    keepers: dict[str, Callable[[Any], Any]] = {
        "parameterise": _parameterise,
        "extensions": _extensions,
        "voila": _voila,
        BLOCK: declaration,
    }
    skipped = {"kernelspec", "language_info", "orig_nbformat"}
    return _kept(
        {k: v for k, v in metadata.items() if k not in skipped}, keepers, notes
    )


def cell_metadata(metadata: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Return what of a cell's metadata is kept: tags, hidden source, slides, dashboard layout, raw format."""
    keepers: dict[str, Callable[[Any], Any]] = {
        "tags": lambda value: _tags(value, notes),
        "jupyter": _jupyter,
        "slideshow": _slideshow,
        "extensions": _extensions,
        "format": _word,
        "raw_mimetype": _word,
    }
    return _kept(metadata, keepers, notes)


def _kept(
    metadata: dict[str, Any], keepers: dict[str, Callable[[Any], Any]], notes: Notes
) -> dict[str, Any]:
    result = {}
    for key, value in metadata.items():
        kept = keepers[key](value) if key in keepers else None
        if kept:
            result[key] = kept
        if kept != value and value not in ({}, [], None) and key != "tags":
            notes.add(
                _KINDS.get(key, "editor" if key == "jupyter" else "other_metadata")
            )
    return result


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _tags(value: Any, notes: Notes) -> list[str]:
    """Sorted and without repetition: tags are a set, whatever order an editor wrote them in."""
    if not isinstance(value, list):
        return []
    tags = [tag for tag in value if isinstance(tag, str) and _TAG.fullmatch(tag)]
    if len(tags) < len(value):
        notes.add("tags", len(value) - len(tags))
    return sorted(set(tags))


def _jupyter(value: Any) -> dict[str, Any]:
    hidden = isinstance(value, dict) and value.get("source_hidden") is True
    return {"source_hidden": True} if hidden else {}


def _slideshow(value: Any) -> dict[str, Any]:
    slide = _word(value.get("slide_type")) if isinstance(value, dict) else None
    return {"slide_type": slide} if slide and slide != "-" else {}


def _voila(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {key: value[key] for key in ("template", "theme") if _word(value.get(key))}


def _extensions(value: Any) -> dict[str, Any]:
    layout = value.get("jupyter_dashboards") if isinstance(value, dict) else None
    if not isinstance(layout, dict):
        return {}
    kept: dict[str, Any] = {}
    if type(layout.get("version")) is int:
        kept["version"] = layout["version"]
    if _word(layout.get("activeView")):
        kept["activeView"] = layout["activeView"]
    if isinstance(layout.get("views"), dict):
        kept["views"] = {
            name: _view(view) for name, view in layout["views"].items() if _word(name)
        }
    return {"jupyter_dashboards": kept} if kept else {}


def _view(view: Any) -> dict[str, Any]:
    if not isinstance(view, dict):
        return {}
    kept: dict[str, Any] = {
        key: view[key] for key in _VIEW_NUMBERS if type(view.get(key)) is int
    }
    kept.update({key: view[key] for key in _VIEW_WORDS if _word(view.get(key))})
    if isinstance(view.get("hidden"), bool):
        kept["hidden"] = view["hidden"]
    return kept


_PARAMETER_TEXTS = {"display_name", "help", "unit", "widget", "type", "format"}
_PARAMETER_NUMBERS = {"minimum", "maximum", "minLength", "maxLength", "order"}


def _parameterise(value: Any) -> dict[str, Any]:
    """Titles, help and bounds of parameters, in the form that nbparameterise started."""
    if not isinstance(value, dict):
        return {}
    return {
        name: _parameter(entry)
        for name, entry in value.items()
        if name.isidentifier() and isinstance(entry, dict)
    }


def _parameter(entry: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in entry.items():
        text = key in _PARAMETER_TEXTS and isinstance(value, str) and len(value) <= 1000
        number = key in _PARAMETER_NUMBERS and type(value) in (int, float)
        choices = key == "choices" and _is_scalar_list(value)
        flag = key == "required" and isinstance(value, bool)
        if text or number or choices or flag:
            kept[key] = value
    return kept


def _is_scalar_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 1000
        and all(type(i) in (str, int, float, bool) for i in value)
    )
