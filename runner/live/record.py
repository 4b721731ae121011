"""What the record of a live session keeps of what its reader does: which control, and what it was set to.

An entry says by itself what it means: the control's name and its choices as they were then, since code
may change both, and a record is read when there is no kernel any more.
"""

import json
from typing import Any

from runner.live.frames import Json
from runner.live.inbound import WidgetEvent
from runner.live.mirror import Mirror
from runner.live.traits import SECRET

#: A value that is longer than this is told by its length.
MAX_VALUE_BYTES = 10_000
MAX_LABEL_CHARS = 200
#: Choices that are told by their names.
MAX_CHOSEN = 100
#: Trait that holds places in a list → the trait that holds the list.
_NAMES_OF = {"index": "_options_labels", "selected_index": "titles"}


def event_entry(event: WidgetEvent, mirror: Mirror, *, at_s: float) -> Json:
    """Return what is kept of an event, which happened `at_s` seconds after 1970."""
    withheld = (
        SECRET.get((event.module, event.model), frozenset()) & event.values.keys()
    )
    open_ = {
        name: value for name, value in event.values.items() if name not in withheld
    }
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
        "label": str(mirror.trait(event.comm_id, "description") or "")[
            :MAX_LABEL_CHARS
        ],
        "values": values,
        "chosen": _chosen(values, event.comm_id, mirror),
        "withheld": sorted(withheld),
        "size_bytes": {
            name: size for name, size in sizes.items() if name not in values
        },
    }


def _chosen(values: Json, comm_id: str, mirror: Mirror) -> dict[str, list[str]]:
    """Return, by trait, the names of the choices at the places that it holds."""
    chosen = {}
    for trait, value in values.items():
        labels = mirror.trait(comm_id, _NAMES_OF.get(trait, ""))
        if isinstance(labels, list):
            chosen[trait] = _at(labels, value if isinstance(value, list) else [value])
    return chosen


def _at(labels: list[Any], places: list[Any]) -> list[str]:
    return [
        str(labels[place])[:MAX_LABEL_CHARS]
        for place in places[:MAX_CHOSEN]
        if isinstance(place, int) and 0 <= place < len(labels)
    ]
