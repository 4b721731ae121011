"""Widgets as a live session or a run left them, as outputs that need no script and no kernel.

The state is `metadata.widgets` of the executed notebook (ipywidgets' "Widget state JSON", version 2).
Boxes become what is in them, output widgets what they showed, controls what they were set to.  Of other
libraries' widgets the picture or HTML is shown that some send along for where they cannot live.  What has
no such form stays a widget's output, of which the page says that it is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from runner.live.traits import WRITABLE

Output = Mapping[str, Any]

VIEW_MIME = "application/vnd.jupyter.widget-view+json"
STATE_MIME = "application/vnd.jupyter.widget-state+json"
#: How many widgets and outputs in them are shown of a notebook, and how deeply they may stand in each other.
MAX_PIECES, MAX_DEPTH = 5_000, 30
TOO_MANY = "There are more widgets than a page shows; the others are left out."
MAX_TEXT_CHARS = 100_000
FIRST_DRAWN = (
    "This is how it was first drawn. What was changed on the live page is not in it."
)

_CONTROLS, _OUTPUT = "@jupyter-widgets/controls", "@jupyter-widgets/output"
_REFERENCE = "IPY_MODEL_"
_PICTURES = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg"}
#: What a widget may send along that needs no script, the best first.
_STILL = (*_PICTURES.values(), "image/svg+xml", "text/html")
_BOXES = frozenset({"BoxModel", "GridBoxModel", "HBoxModel", "VBoxModel"})
_TITLED = frozenset({"AccordionModel", "StackModel", "TabModel"})
#: Stands for what a control was set to where no record keeps it.
UNKEPT = "(kept to whoever typed it)"
_SILENT = frozenset({"ButtonModel", "FileUploadModel", "PlayModel"})


def saved_widgets(notebook: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the notebook keeps of its widgets, by id; empty when it keeps nothing."""
    found: Any = notebook
    for name in ("metadata", "widgets", STATE_MIME, "state"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


@dataclass
class Resting:
    """The widgets of one notebook at rest, as ``saved_widgets`` returns them."""

    saved: Mapping[str, Any]
    #: How many more widgets, and outputs in them, are looked at in the whole notebook.
    left: int = field(default_factory=lambda: MAX_PIECES)
    is_cut: bool = False

    def of(self, output: Output) -> Iterator[Output]:
        """Yield what an output shows when its widget is at rest; itself when it shows none."""
        yield from self._at_rest(output, 0)

    def _at_rest(self, output: Output, depth: int) -> Iterator[Output]:
        model_id = _model_id(output)
        if model_id not in self.saved:
            yield output
        elif still := self._still(model_id, output):
            yield from still
        else:
            yield from self.outputs(model_id, depth)

    def _still(self, model_id: str, output: Output) -> list[Output]:
        """Return what an output shows of a widget that is not known here, if it shows anything."""
        entry = self.saved[model_id]
        module = entry.get("model_module") if isinstance(entry, Mapping) else None
        kind = next((kind for kind in _STILL if kind in output["data"]), None)
        if module in {_CONTROLS, _OUTPUT} or kind is None:
            return []
        data = {kind: output["data"][kind]}
        return [{**output, "data": data}, _html(f"<p><em>{FIRST_DRAWN}</em></p>")]

    def outputs(self, model_id: str, depth: int = 0) -> Iterator[Output]:
        found = self.saved.get(model_id)
        entry: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        state = entry.get("state")
        if self._is_full():
            yield from self._cut()
        elif isinstance(state, Mapping) and depth <= MAX_DEPTH:
            yield from self._shown(model_id, entry, state, depth)

    def _shown(
        self,
        model_id: str,
        entry: Mapping[str, Any],
        state: Mapping[str, Any],
        depth: int,
    ) -> Iterator[Output]:
        module, model = entry.get("model_module"), str(entry.get("model_name"))
        if (module, model) == (_OUTPUT, "OutputModel"):
            for output in _list(state.get("outputs")):
                if self._is_full():
                    yield from self._cut()
                    return
                if isinstance(output, Mapping):
                    yield from self._at_rest(output, depth + 1)
        elif module != _CONTROLS:
            yield _view(model_id)
        elif model in _BOXES or model in _TITLED:
            yield from self._children(state, depth, is_titled=model in _TITLED)
        elif model == "ImageModel":
            yield _picture(entry, state) or _view(model_id)
        elif model not in _SILENT:
            yield _html(_words(model, state))

    def _is_full(self) -> bool:
        self.left -= 1
        return self.left < 0

    def _cut(self) -> Iterator[Output]:
        """Yield, once, that the rest is left out."""
        if not self.is_cut:
            self.is_cut = True
            yield _html(f"<p><em>{TOO_MANY}</em></p>")

    def _children(
        self, state: Mapping[str, Any], depth: int, *, is_titled: bool
    ) -> Iterator[Output]:
        titles = _list(state.get("titles")) if is_titled else []
        for place, child in enumerate(_list(state.get("children"))):
            if place < len(titles):
                yield _html(f"<h4>{_text(titles[place])}</h4>")
            if isinstance(child, str) and child.startswith(_REFERENCE):
                yield from self.outputs(child.removeprefix(_REFERENCE), depth + 1)


def _model_id(output: Output) -> str:
    """Return which widget an output is a view of; nothing when it is none."""
    data = output.get("data")
    view = data.get(VIEW_MIME) if isinstance(data, Mapping) else None
    model_id = view.get("model_id") if isinstance(view, Mapping) else None
    return model_id if isinstance(model_id, str) else ""


def _words(model: str, state: Mapping[str, Any]) -> str:
    """Return HTML of what a control says or was set to; cleaned like all of a notebook's."""
    if model in {"HTMLModel", "HTMLMathModel"}:
        value = str(state.get("value", ""))[:MAX_TEXT_CHARS]
    else:
        value = _text(_setting(model, state))
    description = _text(state.get("description") or "")
    return f"<p><strong>{description}</strong> {value}</p>" if description else value


def _setting(model: str, state: Mapping[str, Any]) -> Any:
    used = WRITABLE.get((_CONTROLS, model), frozenset())
    if model == "PasswordModel" or not used <= state.keys():
        return UNKEPT
    if "_options_labels" in state:
        labels = _list(state["_options_labels"])
        chosen = state.get("index")
        places = chosen if isinstance(chosen, list) else [chosen]
        return [
            labels[at] for at in places if isinstance(at, int) and 0 <= at < len(labels)
        ]
    return in_words(model, state.get("value"))


def in_words(model: str, value: Any) -> str:
    """Return what a control was set to as plain text, as a result shows it."""
    said = _SAID.get(model)
    return _plain(said(value) if said and value is not None else value)


def _range(value: Any) -> Any:
    ends = _list(value)
    return f"{ends[0]} to {ends[1]}" if len(ends) == 2 else value


def _moment(value: Any) -> Any:
    """Return a date or time, whose months ipywidgets counts from 0."""
    if not isinstance(value, Mapping):
        return value
    names = ("year", "month", "date")
    day = [value[name] + (name == "month") for name in names if _is_int(value, name)]
    clock = [value[name] for name in ("hours", "minutes") if _is_int(value, name)]
    parts = "-".join(f"{part:02}" for part in day), ":".join(f"{p:02}" for p in clock)
    return " ".join(filter(None, parts))


def _files(value: Any) -> Any:
    """Return the names of uploaded files."""
    return [
        each.get("name") if isinstance(each, Mapping) else each for each in _list(value)
    ]


def _is_int(value: Mapping[str, Any], name: str) -> bool:
    return isinstance(value.get(name), int)


_SAID: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("FloatRangeSliderModel", "IntRangeSliderModel"), _range),
    **dict.fromkeys(
        ("DatePickerModel", "DatetimeModel", "NaiveDatetimeModel", "TimeModel"), _moment
    ),
    "FileUploadModel": _files,
}


def _text(value: Any) -> str:
    return escape(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return "" if value is None else str(value)[:MAX_TEXT_CHARS]


def _picture(entry: Mapping[str, Any], state: Mapping[str, Any]) -> Output | None:
    kind = _PICTURES.get(str(state.get("format")))
    for buffer in _list(entry.get("buffers")):
        if kind and isinstance(buffer, Mapping) and buffer.get("path") == ["value"]:
            return {"output_type": "display_data", "data": {kind: buffer.get("data")}}
    return None


def _html(source: str) -> Output:
    return {"output_type": "display_data", "data": {"text/html": source}}


def _view(model_id: str) -> Output:
    return {"output_type": "display_data", "data": {VIEW_MIME: {"model_id": model_id}}}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
