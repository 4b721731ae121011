"""What a page hears of a kernel: what cells and widgets show, never their code and never how they failed."""

from typing import Any

from runner.live.comms import Comms
from runner.live.frames import KERNEL_SESSION, Frame, Json
from runner.live.traits import OUTPUT

_HEADER = ("msg_id", "msg_type", "session", "username", "date", "version")
_STATES = frozenset({"starting", "busy", "idle"})
_SCRIPTS = frozenset({"application/javascript", "text/javascript"})
_COMMS = frozenset({"comm_open", "comm_msg", "comm_close"})


def shown(frame: Frame, comms: Comms, *, incident: str | None) -> Frame | None:
    """Return what a page hears of one message, None for nothing; `comms` learns of widgets.

    Widgets' messages and whether the kernel is busy are all that it hears; what cells show is told
    by `screen`. With an `incident`, the short number that a reader can quote, neither tracebacks nor
    what is written to stderr leave the server: both quote the code.
    """
    comms.heard(frame)
    if frame.channel != "iopub":
        return None
    if frame.msg_type == "status":
        state = frame.content.get("execution_state")
        is_told = isinstance(state, str) and state in _STATES
        return _made(frame, {"execution_state": state}) if is_told else None
    if frame.msg_type not in _COMMS:
        return None
    version = frame.metadata.get("version")
    metadata = {"version": version} if isinstance(version, str) else {}
    return _made(frame, _quiet(frame.content, comms, incident), metadata)


def _made(frame: Frame, content: Json, metadata: Json | None = None) -> Frame:
    return Frame(
        frame.channel,
        {**_kept(frame.header), "session": KERNEL_SESSION},
        _kept(frame.parent_header),
        metadata or {},
        content,
        frame.buffers,
    )


def _kept(header: Json) -> Json:
    return {
        name: value for name in _HEADER if isinstance(value := header.get(name), str)
    }


def failure(incident: str) -> Json:
    """Return what stands in the place of an exception."""
    sentence = f"This could not be shown. Quote incident {incident}."
    return {"ename": "Error", "evalue": sentence, "traceback": [sentence]}


def told_output(output: Json, incident: str | None) -> Json | None:
    """Return an output as a page is told it: with an `incident`, nothing that quotes the code; no scripts."""
    kind = output.get("output_type")
    if incident is not None and kind == "error":
        return {"output_type": "error", **failure(incident)}
    if incident is not None and (kind, output.get("name")) == ("stream", "stderr"):
        return None
    data = output.get("data")
    if not isinstance(data, dict) or data.keys().isdisjoint(_SCRIPTS):
        return output
    # A page's policy lets none run; libraries send them along for other front ends.
    rest = {kind: part for kind, part in data.items() if kind not in _SCRIPTS}
    return {**output, "data": rest} if rest else None


def _quiet(content: Json, comms: Comms, incident: str | None) -> Json:
    """Return a comm's message in which what output widgets hold is told as outputs are."""
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    data = dict(data)
    widget = comms.widget(str(content.get("comm_id", "")))
    if "state" in data and widget is not None and widget.module == OUTPUT:
        data["state"] = _quiet_state(data.get("state"), incident)
    states = data.get("states")
    if isinstance(states, dict):
        data["states"] = {
            comm_id: _quiet_entry(entry, incident) for comm_id, entry in states.items()
        }
    return {**content, "data": data}


def _quiet_entry(entry: Any, incident: str | None) -> Any:
    if not isinstance(entry, dict) or entry.get("model_module") != OUTPUT:
        return entry
    return {**entry, "state": _quiet_state(entry.get("state"), incident)}


def _quiet_state(state: Any, incident: str | None) -> Any:
    if not isinstance(state, dict):
        return state
    # What a widget listens to is the kernel host's business: a page that knew would listen too.
    rest = {name: value for name, value in state.items() if name != "msg_id"}
    outputs = rest.get("outputs")
    if isinstance(outputs, (list, tuple)):
        told = [
            told_output(each, incident) if isinstance(each, dict) else each
            for each in outputs
        ]
        rest["outputs"] = [each for each in told if each is not None]
    return rest
