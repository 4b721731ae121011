"""What the record of a live session keeps: what its reader does, and what its pages are told.

An entry says by itself what it means: a control's name and its choices as they were then, since code
may change both, and a record is read when there is no kernel any more.
"""

import base64
import json
from collections.abc import Hashable, Sequence
from typing import Any

from runner.live.frames import Frame, Json
from runner.live.inbound import WidgetEvent
from runner.live.mirror import placed
from runner.live.withheld import Withheld, without_words

#: A value that is longer than this is told by its length.
MAX_VALUE_BYTES = 10_000
MAX_LABEL_CHARS = 200
#: Choices that are told by their names.
MAX_CHOSEN = 100
#: Marks the place from which on changes were not kept.
CUT = "cut"
#: Trait that holds places in a list → the trait that holds the list.
_NAMES_OF = {"index": "_options_labels", "selected_index": "titles"}


def event_entry(
    event: WidgetEvent, state: Json, withheld: Withheld, *, at_s: float
) -> Json:
    """Return what is kept of an event, which happened `at_s` seconds after 1970.

    `state` is the widget as it was before.
    """
    names = withheld.among(event.values, comm_id=event.comm_id, state=state)
    open_ = {name: value for name, value in event.values.items() if name not in names}
    sizes = {name: len(json.dumps(value)) for name, value in open_.items()}
    values = {
        name: value for name, value in open_.items() if sizes[name] <= MAX_VALUE_BYTES
    }
    return {
        "at": at_s,
        "comm_id": event.comm_id,
        "module": event.module,
        "model": event.model,
        "method": event.method,
        "label": str(state.get("description") or "")[:MAX_LABEL_CHARS],
        "values": values,
        "chosen": _chosen(values, state),
        "withheld": sorted(names),
        "size_bytes": {
            name: size for name, size in sizes.items() if name not in values
        },
    }


def cell_entry(change: Json) -> Json:
    """Return what is kept of a change of a cell, as a screen says it."""
    output = change.get("output")
    return {
        "cell": change
        if output is None
        else {**change, "output": without_words(output)}
    }


def widget_entry(told: Frame, state: Json, withheld: Withheld) -> Json | None:
    """Return what is kept of a kernel's message that pages were told; None for nothing.

    `state` is the widget as it is then.  What says nothing of a widget's state is not kept.
    """
    data = told.content.get("data")
    changed = data.get("state") if isinstance(data, dict) else None
    is_change = told.msg_type == "comm_msg" and isinstance(changed, dict)
    if not is_change and told.msg_type not in {"comm_open", "comm_close"}:
        return None
    comm_id = str(told.content.get("comm_id"))
    given = data if isinstance(data, dict) else {}
    paths, buffers = _buffers(given, told.buffers, comm_id, state, withheld)
    kept = withheld.kept(
        changed if isinstance(changed, dict) else {}, comm_id=comm_id, state=state
    )
    content = {**told.content, "data": {"state": kept, "buffer_paths": paths}}
    return {
        "widget": {"msg_type": told.msg_type, "content": content, "buffers": buffers}
    }


def _buffers(
    data: Json,
    buffers: tuple[bytes, ...],
    comm_id: str,
    state: Json,
    withheld: Withheld,
) -> tuple[list[Any], list[str]]:
    """Return the paths and the bytes, as text, of the buffers that are kept."""
    given = placed(data.get("buffer_paths"), buffers)
    traits = {str(path[0]) for path in given}
    names = withheld.among(traits, comm_id=comm_id, state=state)
    kept = {path: each for path, each in given.items() if path[0] not in names}
    texts = [base64.b64encode(each).decode() for each in kept.values()]
    return [list(path) for path in kept], texts


def _chosen(values: Json, state: Json) -> dict[str, list[str]]:
    """Return, by trait, the names of the choices at the places that it holds."""
    chosen = {}
    for trait, value in values.items():
        labels = state.get(_NAMES_OF.get(trait, ""))
        if isinstance(labels, list):
            chosen[trait] = _at(labels, value if isinstance(value, list) else [value])
    return chosen


def _at(labels: list[Any], places: list[Any]) -> list[str]:
    return [
        str(labels[place])[:MAX_LABEL_CHARS]
        for place in places[:MAX_CHOSEN]
        if isinstance(place, int) and 0 <= place < len(labels)
    ]


def lasting(changes: Sequence[Json]) -> list[Json]:
    """Return the changes of which something is left when their step ends, in order.

    A replay shows the page between steps: of what moved meanwhile, where it came to rest.
    """
    later: set[Hashable] = set()
    kept = []
    for change in reversed(changes):
        step, places = change["step"], _places(change)
        if later.isdisjoint((step, *place) for place in places):
            kept.append(change)
        if places and change.get("cell", {}).get("change") != "append":
            later.add((step, *places[0]))
    return kept[::-1]


def _places(change: Json) -> list[tuple[Hashable, ...]]:
    """Return what a change writes, then what that is part of; nothing where that cannot be told."""
    if "widget" in change:
        return _places_of_widget(change["widget"])
    if "cell" not in change:
        return []
    kind, cell = change["cell"]["change"], ("cell", change["cell"]["cell"])
    if kind in {"append", "clear"}:
        return [cell]
    if kind == "set":
        return [(*cell, "output", change["cell"]["index"]), cell]
    return [(*cell, "state")]


def _places_of_widget(widget: Json) -> list[tuple[Hashable, ...]]:
    data = widget["content"]["data"]
    if widget["msg_type"] != "comm_msg" or data["buffer_paths"]:
        return []
    return [("widget", widget["content"]["comm_id"], frozenset(data["state"]))]
