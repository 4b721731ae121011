"""What ipywidgets' output widgets capture: the part of a front end that is played here.

An output widget names the message whose outputs are its own (`msg_id`); whoever shows the notebook
takes them out of the stream and gives them back as the widget's state (ipywidgets, "Output widget";
nbclient plays the same part with `OutputWidget`, without bounds).  Here is the only place where that
happens: a page is told the state and captures nothing itself, so that each output is shown once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runner.kernelhost.messages import display_id_of, output_from, size_of
from runner.kernelhost.outputs import OutputLimitReached
from runner.live.comms import MAX_ID_CHARS

MODULE, MODEL = "@jupyter-widgets/output", "OutputModel"
MAX_WIDGETS = 1000

#: Takes a widget's comm id and its outputs, whenever they have changed.
Tell = Callable[[str, list[dict[str, Any]]], None]


@dataclass
class _Widget:
    outputs: list[dict[str, Any]] = field(default_factory=list)
    #: Names under which outputs are updated, by their place; the places of others have none.
    display_ids: list[str | None] = field(default_factory=list)
    listens_to: str = ""
    bytes: int = 0
    clears_next: bool = False
    #: Text that belongs to the last output; joined once somebody looks.
    more_text: list[str] = field(default_factory=list)

    def settle(self) -> None:
        if self.more_text:
            last = self.outputs[-1]
            # Anew, since what was told before must not change any more.
            text = "".join((last["text"], *self.more_text))
            self.outputs[-1] = {**last, "text": text}
            self.more_text.clear()

    def empty(self) -> None:
        self.outputs, self.display_ids = [], []
        self.more_text.clear()
        self.bytes, self.clears_next = 0, False


class OutputWidgets:
    """The output widgets of one kernel; `heard` learns of them, `take` lets them capture."""

    def __init__(self, *, max_bytes: int, max_outputs: int, tell: Tell) -> None:
        self.max_bytes, self.max_outputs = max_bytes, max_outputs
        self.tell = tell
        self.captured_bytes = self.captured_outputs = 0
        self._widgets: dict[str, _Widget] = {}
        #: Message id → comm ids of the widgets that listen to it; the last one gets it.
        self._listeners: dict[str, list[str]] = {}
        self._changed: dict[str, None] = {}

    def heard(self, message: dict[str, Any]) -> None:
        """Learn from a comm message which output widgets there are and what they listen to."""
        content = message["content"]
        comm_id, data = content.get("comm_id"), content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if not isinstance(comm_id, str):
            return
        if message["msg_type"] == "comm_close":
            self._forget(comm_id)
        elif isinstance(state, dict):
            is_new = message["msg_type"] == "comm_open" and _is_output(state)
            if is_new and len(self._widgets) < MAX_WIDGETS:
                self._widgets.setdefault(comm_id, _Widget())
            msg_id = state.get("msg_id")
            if comm_id in self._widgets and isinstance(msg_id, str):
                self._listen(comm_id, msg_id[:MAX_ID_CHARS])

    def take(self, message: dict[str, Any]) -> bool:
        """Let the widget that listens to the message's parent capture it, if there is one.

        Raises:
            OutputLimitReached: all output widgets together hold more than a run may put out.
        """
        parent = message["parent_header"].get("msg_id")
        listeners = self._listeners.get(parent) if isinstance(parent, str) else None
        if not listeners:
            return False
        comm_id = listeners[-1]
        self._capture(self._widgets[comm_id], message["msg_type"], message["content"])
        self._changed[comm_id] = None
        return True

    @property
    def changed_bytes(self) -> int:
        """How much the next `flush` tells."""
        known = (self._widgets.get(comm_id) for comm_id in self._changed)
        return sum(widget.bytes for widget in known if widget is not None)

    def flush(self) -> None:
        """Tell the outputs of every widget that changed since the last time."""
        changed, self._changed = self._changed, {}
        for comm_id in changed:
            widget = self._widgets.get(comm_id)
            if widget is not None:
                widget.settle()
                self.tell(comm_id, widget.outputs)

    def _capture(self, widget: _Widget, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output":
            if content.get("wait"):
                widget.clears_next = True
            else:
                self._empty(widget)
            return
        output = output_from(kind, content)
        if output is None:
            return
        name = display_id_of(content)
        if kind == "update_display_data":
            self._update(widget, name, output)
            return
        if widget.clears_next:
            self._empty(widget)
        self._append(widget, name, output)

    def _append(
        self, widget: _Widget, name: str | None, output: dict[str, Any]
    ) -> None:
        self._grow(widget, size_of(output))
        last = widget.outputs[-1] if widget.outputs else {}
        if (
            output["output_type"] == "stream"
            and last.get("output_type") == "stream"
            and last["name"] == output["name"]
        ):
            widget.more_text.append(output["text"])
            return
        self.captured_outputs += 1
        if self.captured_outputs > self.max_outputs:
            raise OutputLimitReached
        widget.settle()
        widget.outputs.append(output)
        widget.display_ids.append(name)

    def _update(
        self, widget: _Widget, name: str | None, output: dict[str, Any]
    ) -> None:
        for place, known in enumerate(widget.display_ids):
            if name is not None and known == name:
                self._grow(widget, size_of(output) - size_of(widget.outputs[place]))
                widget.outputs[place] = {
                    **widget.outputs[place],
                    "data": output["data"],
                    "metadata": output["metadata"],
                }

    def _grow(self, widget: _Widget, size_bytes: int) -> None:
        widget.bytes += size_bytes
        self.captured_bytes += size_bytes
        if self.captured_bytes > self.max_bytes:
            raise OutputLimitReached

    def _empty(self, widget: _Widget) -> None:
        self.captured_bytes -= widget.bytes
        self.captured_outputs -= len(widget.outputs)
        widget.empty()

    def _listen(self, comm_id: str, msg_id: str) -> None:
        widget = self._widgets[comm_id]
        self._stop_listening(comm_id, widget)
        widget.listens_to = msg_id
        if msg_id:
            self._listeners.setdefault(msg_id, []).append(comm_id)

    def _stop_listening(self, comm_id: str, widget: _Widget) -> None:
        listeners = self._listeners.get(widget.listens_to, [])
        if comm_id in listeners:
            listeners.remove(comm_id)
        if not listeners:
            self._listeners.pop(widget.listens_to, None)

    def _forget(self, comm_id: str) -> None:
        widget = self._widgets.pop(comm_id, None)
        if widget is not None:
            self._stop_listening(comm_id, widget)
            self._empty(widget)


def _is_output(state: dict[str, Any]) -> bool:
    return (state.get("_model_module"), state.get("_model_name")) == (MODULE, MODEL)
