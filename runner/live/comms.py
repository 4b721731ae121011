"""Which widgets a kernel has made, as far as a reader may write to them."""

from dataclasses import dataclass
from typing import Any, TypeGuard

from runner.live.frames import Frame, Json

#: Comm targets of ipywidgets (its messaging protocol, versions 2.1 and 1.0).
WIDGET_TARGET = "jupyter.widget"
CONTROL_TARGET = "jupyter.widget.control"
#: A page opens one for each time that it connects.
MAX_CONTROLS = 16
#: What a kernel opens beyond these cannot be written to, nor what has longer names.
MAX_WIDGETS = 20_000
MAX_ID_CHARS, MAX_NAME_CHARS = 100, 200


@dataclass
class Widget:
    """One widget of the kernel's."""

    module: str
    model: str
    is_disabled: bool = False


class Comms:
    """What is open between a kernel and the pages of one session."""

    def __init__(self) -> None:
        self._widgets: dict[str, Widget] = {}
        self._controls: set[str] = set()

    def widget(self, comm_id: str) -> Widget | None:
        """Return the kernel's widget of this comm."""
        return self._widgets.get(comm_id)

    def is_control(self, comm_id: str) -> bool:
        """Tell whether a page opened it to ask for all widgets."""
        return comm_id in self._controls

    def open_control(self, comm_id: str) -> bool:
        """Remember a comm that a page opens; False when that cannot be."""
        is_new = comm_id not in self._widgets and comm_id not in self._controls
        if not is_new or len(self._controls) >= MAX_CONTROLS:
            return False
        self._controls.add(comm_id)
        return True

    def close_control(self, comm_id: str) -> bool:
        """Forget a comm that a page closes; False when it was not its own."""
        if comm_id not in self._controls:
            return False
        self._controls.remove(comm_id)
        return True

    def heard(self, frame: Frame) -> None:
        """Take from a message of the kernel which widgets there are."""
        comm_id, data = frame.content.get("comm_id"), frame.content.get("data")
        if not isinstance(comm_id, str) or frame.channel != "iopub":
            return
        data = data if isinstance(data, dict) else {}
        match frame.msg_type:
            case "comm_open":
                if frame.content.get("target_name") == WIDGET_TARGET:
                    self._know(comm_id, _object(data.get("state")))
            case "comm_msg" if comm_id in self._controls:
                self._know_all(_object(data.get("states")))
            case "comm_msg":
                self._changed(comm_id, _object(data.get("state")))
            case "comm_close":
                self._widgets.pop(comm_id, None)
                self._controls.discard(comm_id)

    def _know_all(self, states: Json) -> None:
        for comm_id, entry in states.items():
            entry = _object(entry)
            names = {
                "_model_name": entry.get("model_name"),
                "_model_module": entry.get("model_module"),
            }
            self._know(comm_id, {**_object(entry.get("state")), **names})

    def _know(self, comm_id: str, state: Json) -> None:
        if comm_id in self._controls or len(self._widgets) >= MAX_WIDGETS:
            return
        module, model = state.get("_model_module"), state.get("_model_name")
        if _is_name(module) and _is_name(model) and len(comm_id) <= MAX_ID_CHARS:
            disabled = state.get("disabled") is True
            self._widgets[comm_id] = Widget(module, model, disabled)

    def _changed(self, comm_id: str, state: Json) -> None:
        widget = self._widgets.get(comm_id)
        if widget is not None and "disabled" in state:
            widget.is_disabled = state["disabled"] is True


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= MAX_NAME_CHARS


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
