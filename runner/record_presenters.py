"""What a reader did in a live session, in plain words, as far as whoever asks may see it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from accounts.models import User
from gallery.access import can_read_source
from gallery.queries import document
from runner.live.frames import Json
from runner.live.traits import CONTROLS, KNOWN_MODULES
from runner.models import Run
from runner.policies import sees_what_it_showed
from runner.results.record import RecordedEvents
from runner.results.widgets import in_words

_SUFFIX = "Model"
#: Controls by their names in ipywidgets; to whoever sees values, others are told by that name.
KINDS = {
    **dict.fromkeys(("IntSlider", "FloatSlider", "FloatLogSlider"), "Slider"),
    **dict.fromkeys(("IntRangeSlider", "FloatRangeSlider"), "Range slider"),
    **dict.fromkeys(("IntText", "FloatText"), "Number field"),
    **dict.fromkeys(("BoundedIntText", "BoundedFloatText"), "Number field"),
    "Checkbox": "Checkbox",
    "ToggleButton": "Switch",
    "ColorPicker": "Colour",
    "Combobox": "Text field with suggestions",
    "DatePicker": "Date",
    **dict.fromkeys(("Datetime", "NaiveDatetime"), "Date and time"),
    "Time": "Time",
    "Password": "Password",
    "Text": "Text field",
    "Textarea": "Text area",
    **dict.fromkeys(("ColorsInput", "FloatsInput", "IntsInput", "TagsInput"), "List"),
    "Dropdown": "Drop-down list",
    "RadioButtons": "Radio buttons",
    "Select": "List",
    "SelectMultiple": "List with several choices",
    "SelectionSlider": "Slider",
    "SelectionRangeSlider": "Range slider",
    "ToggleButtons": "Switches",
    "Accordion": "Foldable sections",
    "Stack": "Stacked sections",
    "Tab": "Tabs",
    "FileUpload": "File upload",
    "Play": "Player",
    "Button": "Button",
}
#: What happened to a trait of those controls; the value follows.
_DEEDS = {
    "value": "Set to",
    "index": "Chose",
    "selected_index": "Opened section",
    "playing": "Set playing to",
    "repeat": "Set repeating to",
    "error": "Reported as an error",
    "_view_count": "Number of places where it is shown",
}
#: Stand for names that code or a page chose, and that may be a row's.
OTHER_CONTROL = "A control of another kind"
OTHER_LIBRARY = "A control of another library"
OTHER_TRAIT = "a trait"
_CLICKS = {"click": "Pressed", "submit": "Entered"}


class Keeping(StrEnum):
    """What became of a value."""

    KEPT = "kept"
    NOT_KEPT = "not_kept"
    TOO_LONG = "too_long"
    NOT_YOURS = "not_yours"


#: Of a long value, a list shows the beginning.
MAX_SHOWN_CHARS = 160
#: A page may name the traits of other libraries' controls, at any length.
MAX_TRAIT_CHARS = 100
_UNTOLD = {
    Keeping.KEPT: "",
    Keeping.NOT_KEPT: "something that is not kept",
    Keeping.TOO_LONG: "something too long to be kept",
    Keeping.NOT_YOURS: "something that you may not see",
}


@dataclass(frozen=True)
class Change:
    """One thing that was changed: the trait, what happened to it, and to what it was set."""

    trait: str
    deed: str
    keeping: Keeping
    value: str = ""
    size_bytes: int | None = None

    @property
    def words(self) -> str:
        """The value in words, or why it is not told."""
        if len(self.value) > MAX_SHOWN_CHARS:
            return f"{self.value[:MAX_SHOWN_CHARS]}…"
        return self.value or _UNTOLD[self.keeping]


@dataclass(frozen=True)
class Done:
    """One thing that a reader did."""

    number: int
    at: datetime
    control: str
    kind: str
    label: str
    changes: list[Change]


@dataclass(frozen=True)
class Sight:
    """How much of a record somebody may see."""

    sees_values: bool
    #: The approved code, as far as they may read it.
    code: str = ""
    #: Control → its number, for whoever does not see what code calls it.
    numbers: Mapping[str, int] = field(default_factory=dict)

    def label(self, label: str) -> str:
        """Return a control's name, or nothing: code may have made it from a row.

        What stands in the approved code in quotes was no row.
        """
        is_code = f'"{label}"' in self.code or f"'{label}'" in self.code
        return label if self.sees_values or is_code else ""

    def control(self, comm_id: str) -> str:
        """Return what tells a control from others; code may choose its id."""
        return comm_id if self.sees_values else f"control {self.numbers[comm_id]}"

    def kind(self, module: str, model: str) -> str:
        """Name a kind of control in words; by the name that code chose only to whoever sees values."""
        name = model.removesuffix(_SUFFIX)
        if module == CONTROLS and name in KINDS:
            return KINDS[name]
        if self.sees_values:
            return name if module == CONTROLS else f"{name} ({module})"
        return OTHER_CONTROL if module in KNOWN_MODULES else OTHER_LIBRARY

    def trait(self, entry: Mapping[str, Any], trait: str) -> str:
        """Return the name of what was changed, if a page cannot have made it up."""
        if entry["method"] == "custom" or trait in _DEEDS:
            return trait
        if not self.sees_values:
            return OTHER_TRAIT
        is_long = len(trait) > MAX_TRAIT_CHARS
        return f"{trait[:MAX_TRAIT_CHARS]}…" if is_long else trait


def sight_of(user: User, run: Run) -> Sight:
    """Return how much of a session's record this person may see."""
    if sees_what_it_showed(user, run):
        return Sight(sees_values=True)
    numbers = numbers_of(RecordedEvents(run))
    if not can_read_source(user, run.version):
        return Sight(sees_values=False, numbers=numbers)
    cells = document(run.version)["cells"]
    code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    return Sight(sees_values=False, code=code, numbers=numbers)


def numbers_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the number of each control of a record, in the order of their first use."""
    used = dict.fromkeys(entry["comm_id"] for entry in entries)
    return {comm_id: number for number, comm_id in enumerate(used, start=1)}


def done(entry: Mapping[str, Any], *, sight: Sight) -> Done:
    """Return one entry of the record in words."""
    return Done(
        number=entry["number"],
        at=datetime.fromtimestamp(entry["at"], UTC),
        control=sight.control(entry["comm_id"]),
        kind=sight.kind(entry["module"], entry["model"]),
        label=sight.label(entry["label"]),
        changes=list(_changes(entry, sight)),
    )


def _changes(entry: Mapping[str, Any], sight: Sight) -> Iterator[Change]:
    values: Json = entry["values"]
    for trait in sorted([*values, *entry["withheld"], *entry["size_bytes"]]):
        name = sight.trait(entry, trait)
        deed = _deed(entry, trait, name)
        if trait in entry["withheld"]:
            yield Change(name, deed, Keeping.NOT_KEPT)
        elif trait in entry["size_bytes"]:
            size_bytes = entry["size_bytes"][trait]
            yield Change(name, deed, Keeping.TOO_LONG, size_bytes=size_bytes)
        elif _is_click(entry, trait):
            yield Change(name, deed, Keeping.KEPT)
        elif not sight.sees_values:
            yield Change(name, deed, Keeping.NOT_YOURS)
        else:
            yield Change(name, deed, Keeping.KEPT, _value(entry, trait))


def _is_click(entry: Mapping[str, Any], trait: str) -> bool:
    """Tell whether this is an event of ipywidgets' own, which holds no value."""
    return entry["method"] == "custom" and entry["module"] in KNOWN_MODULES


def _deed(entry: Mapping[str, Any], trait: str, name: str) -> str:
    if _is_click(entry, trait):
        event = cast("Json", entry["values"][trait])["event"]
        return _CLICKS.get(event, str(event))
    if entry["method"] == "custom":
        return "Sent a message of its own"
    if entry["module"] in KNOWN_MODULES:
        return _DEEDS.get(trait, f"Set {name} to")
    return f"Set {name} to"


def _value(entry: Mapping[str, Any], trait: str) -> str:
    if trait in entry["chosen"]:
        return ", ".join(entry["chosen"][trait]) or "none"
    value = entry["values"][trait]
    if trait == "selected_index" and isinstance(value, int):
        return str(value + 1)
    return in_words(entry["model"], value) or "nothing"
