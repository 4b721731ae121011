"""Messages of a page and of a kernel, as small as they can be."""

from typing import Any

from runner.live.comms import CONTROL_TARGET, WIDGET_TARGET, Comms
from runner.live.frames import Frame
from runner.live.traits import CONTROLS, OUTPUT

HEADER = {
    "msg_id": "m-1",
    "session": "s-1",
    "username": "",
    "date": "2026-03-02T10:00:00.000Z",
    "msg_type": "",
    "version": "5.3",
}
SLIDER, BUTTON, DISABLED, HEADING, OUTPUTS, MAP = (
    "slider",
    "button",
    "disabled",
    "heading",
    "outputs",
    "map",
)
WIDGETS: dict[str, tuple[str, str, dict[str, Any]]] = {
    SLIDER: (CONTROLS, "IntSliderModel", {"value": 3, "max": 10}),
    BUTTON: (CONTROLS, "ButtonModel", {"disabled": False}),
    DISABLED: (CONTROLS, "TextModel", {"value": "", "disabled": True}),
    HEADING: (CONTROLS, "HTMLModel", {"value": "<b>Dose</b>"}),
    OUTPUTS: (OUTPUT, "OutputModel", {"outputs": []}),
    MAP: ("jupyter-leaflet", "LeafletMapModel", {"zoom": 3}),
}


def header(msg_type: str, **fields: Any) -> dict[str, Any]:
    return {**HEADER, "msg_type": msg_type, **fields}


def asked(msg_type: str, content: dict[str, Any] | None = None, **fields: Any) -> Frame:
    """A message of a page."""
    return Frame(
        fields.pop("channel", "shell"),
        fields.pop("header", header(msg_type)),
        content=content or {},
        **fields,
    )


def update(comm_id: str, state: Any, **fields: Any) -> Frame:
    """A page's new values of a widget."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    data.update(fields.pop("data", {}))
    return asked("comm_msg", {"comm_id": comm_id, "data": data}, **fields)


def custom(comm_id: str, content: Any, **fields: Any) -> Frame:
    """A page's event of a widget."""
    data = {"method": "custom", "content": content}
    return asked("comm_msg", {"comm_id": comm_id, "data": data}, **fields)


def told(msg_type: str, content: dict[str, Any], **fields: Any) -> Frame:
    """A message of a kernel."""
    return Frame(
        fields.pop("channel", "iopub"),
        header(msg_type, msg_id="k-1"),
        fields.pop("parent_header", header("execute_request", msg_id="run-7")),
        content=content,
        **fields,
    )


def opened(comm_id: str, target: str = WIDGET_TARGET) -> Frame:
    """A kernel's word that it has made a widget."""
    module, model, state = WIDGETS[comm_id]
    state = {"_model_module": module, "_model_name": model, **state}
    content = {"comm_id": comm_id, "target_name": target, "data": {"state": state}}
    return told("comm_open", content, metadata={"version": "2.1.0"})


def comms() -> Comms:
    """What is open when a page has connected and the kernel has made every widget."""
    made = Comms()
    for comm_id in WIDGETS:
        made.heard(opened(comm_id))
    assert made.open_control("control")
    return made


CONTROL_OPEN = {"comm_id": "c-2", "target_name": CONTROL_TARGET, "data": {}}
