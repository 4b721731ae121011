"""What a reader may change of a widget: what its control is for, and nothing of how it looks or what it offers.

ipywidgets lets a front end write every synchronised trait of every widget: the bounds of a slider, the
entries of a list, the text of a heading.  Approved code takes such values for its own, so a reader who
could set them would steer the code where nobody reviewed it.
"""

from typing import Any

CONTROLS = "@jupyter-widgets/controls"
BASE = "@jupyter-widgets/base"
OUTPUT = "@jupyter-widgets/output"
#: Modules whose widgets are known here; of all others every trait may be written, or none.
KNOWN_MODULES = frozenset({CONTROLS, BASE, OUTPUT})

_VALUE = (
    "BoundedFloatText BoundedIntText Checkbox ColorPicker Combobox DatePicker Datetime FloatLogSlider "
    "FloatRangeSlider FloatSlider FloatText IntRangeSlider IntSlider IntText NaiveDatetime Password "
    "Text Textarea Time ToggleButton ColorsInput FloatsInput IntsInput TagsInput"
)
_INDEX = (
    "Dropdown RadioButtons Select SelectMultiple SelectionRangeSlider SelectionSlider "
    "ToggleButtons"
)
_SELECTED_INDEX = "Accordion Stack Tab"
WRITABLE: dict[tuple[str, str], frozenset[str]] = {
    **{(CONTROLS, f"{name}Model"): frozenset({"value"}) for name in _VALUE.split()},
    **{(CONTROLS, f"{name}Model"): frozenset({"index"}) for name in _INDEX.split()},
    **{
        (CONTROLS, f"{name}Model"): frozenset({"selected_index"})
        for name in _SELECTED_INDEX.split()
    },
    (CONTROLS, "FileUploadModel"): frozenset({"value", "error"}),
    (CONTROLS, "PlayModel"): frozenset({"value", "playing", "repeat"}),
    # What is shown inside of it is collected by the kernel host, so that no page can say what it was.
    (OUTPUT, "OutputModel"): frozenset(),
}
#: How many views of a widget a page shows; every front end counts them.
COUNTED = frozenset({"_view_count"})
#: Events that are no trait.
_EVENTS: dict[tuple[str, str], tuple[dict[str, Any], ...]] = {
    (CONTROLS, "ButtonModel"): ({"event": "click"},),
    (CONTROLS, "TextModel"): ({"event": "submit"},),
    (CONTROLS, "ComboboxModel"): ({"event": "submit"},),
    (CONTROLS, "PasswordModel"): ({"event": "submit"},),
}


#: Traits whose values no record keeps.
SECRET: dict[tuple[Any, Any], frozenset[str]] = {
    (CONTROLS, "PasswordModel"): frozenset({"value"}),
}


def writable(module: str, model: str) -> frozenset[str] | None:
    """Return the traits of a widget that a reader may change; None for a widget that is not known here."""
    if module not in KNOWN_MODULES:
        return None
    return WRITABLE.get((module, model), frozenset()) | COUNTED


def is_event(module: str, model: str, content: Any) -> bool:
    """Tell whether a widget sends this by itself when a reader uses it; whatever is unknown here may."""
    return module not in KNOWN_MODULES or content in _EVENTS.get((module, model), ())
