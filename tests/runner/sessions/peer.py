"""The other end of a live page: the content origin as the page sees it, in front of a real kernel.

It plays what worker and socket do in the product, as small as it can be: cells' outputs as changes,
widgets' messages as they are, all of one session, and everything anew for a page that connects.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

import uvicorn
from django.test import RequestFactory
from jupyter_client.blocking.client import BlockingKernelClient

from config.embedded.files import free_port
from config.security_headers import application_policy
from runner.live.frames import SUBPROTOCOL, Frame, decode, encode
from runner.results.headers import content_headers
from runner.sessions.assets import answer, assets
from runner.sessions.page import page_policy, render_page

KERNEL = uuid.UUID(int=7).hex
TOKEN = "channel-token.one"
WIDGET_OUTPUT = "OutputModel"
BURST = ("stream", "display_data", "execute_result", "error")


class Peer:
    """A server on loopback and the kernel behind it; `page` is what it renders next."""

    def __init__(self, client: BlockingKernelClient, page: dict[str, Any]) -> None:
        self.port, self.client, self.page = free_port(), client, page
        self.application = f"http://localhost:{self.port}"
        self.origin = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.origin}/live/{TOKEN}/"
        self.said: list[Frame] = []
        self.served: list[tuple[str, int]] = []
        self.cells: dict[int, list[dict[str, Any]]] = {}
        self.states: dict[int, dict[str, Any]] = {}
        self.displays: dict[str, tuple[int, int]] = {}
        self.executing: dict[str, int] = {}
        self.captured: dict[str, dict[str, Any]] = {}
        self.is_dead = self.refuses = self.is_silent = False
        self.pages: dict[Any, asyncio.Queue[bytes | None]] = {}
        self.lock = threading.RLock()
        #: How long it takes to say what every widget looks like (seconds).
        self.thinks_s = 0.0
        self.is_over = threading.Event()

    # What the worker does ---------------------------------------------------------

    def execute(self, cell: int, source: str, *, waits: bool = True) -> None:
        """Execute a cell's source and tell all pages what comes of it."""
        with self.lock:
            self.executing[self.client.execute(source)] = cell
            self.change(cell, "started")
        if waits:
            self.until(lambda: self.states[cell].get("change") == "finished")

    def until(self, is_so: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait until something is so."""
        end = time.monotonic() + within_s
        while not is_so():
            assert time.monotonic() < end, (self.states, self.cells)
            time.sleep(0.02)

    def pump(self) -> None:
        """Pass on what the kernel says, until the server stops."""
        while not self.is_over.is_set():
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except Empty:
                continue
            with self.lock:
                self.heard(message)

    def change(self, cell: int, change: str, **more: Any) -> None:
        """Tell all pages a change of a cell, and remember what a page that comes must know."""
        outputs = self.cells.setdefault(cell, [])
        if change == "append":
            outputs.append(more["output"])
        elif change == "set":
            outputs[more["index"]] = more["output"]
        elif change == "clear":
            outputs.clear()
        else:
            self.states[cell] = {"change": change, **more}
        self.tell(told({"cell": cell, "change": change, **more}))

    def heard(self, message: dict[str, Any]) -> None:
        kind, content = message["header"]["msg_type"], dict(message["content"])
        parent = message["parent_header"].get("msg_id", "")
        cell = self.executing.get(parent)
        if self.is_captured(kind, parent, content):
            return
        if kind.startswith("comm_") or (kind == "status" and cell is None):
            buffers = tuple(map(bytes, message["buffers"]))
            self.tell(frame(kind, content, message["parent_header"], buffers))
        elif kind == "status" and content["execution_state"] == "idle":
            failed = any(
                each["output_type"] == "error" for each in self.cells.get(cell, [])
            )
            self.change(cell, "finished", status="error" if failed else "ok")
        elif kind in BURST and (cell is not None or content.get("name") != "stderr"):
            place = cell if cell is not None else max(self.cells)
            display = content.pop("transient", {}).get("display_id")
            self.displays[display] = place, len(self.cells.get(place, []))
            self.change(place, "append", output={"output_type": kind, **content})
        elif kind == "update_display_data":
            place, index = self.displays[content.pop("transient")["display_id"]]
            output = {"output_type": "display_data", **content}
            self.change(place, "set", index=index, output=output)

    def is_captured(self, kind: str, parent: str, content: dict[str, Any]) -> bool:
        """Put what belongs into an output widget there."""
        state = content.get("data", {}).get("state", {})
        if kind == "comm_open" and state.get("_model_name") == WIDGET_OUTPUT:
            self.captured[content["comm_id"]] = {"msg_id": "", "outputs": []}
        if content.get("comm_id") in self.captured and "msg_id" in state:
            self.captured[content["comm_id"]]["msg_id"] = state.pop("msg_id")
        for comm_id, widget in self.captured.items():
            if kind in BURST and parent and widget["msg_id"] == parent:
                widget["outputs"].append({"output_type": kind, **content})
                state = {"outputs": list(widget["outputs"])}
                data = {"method": "update", "state": state, "buffer_paths": []}
                content = {"comm_id": comm_id, "data": data}
                self.tell(frame("comm_msg", content))
                self.send(frame("comm_msg", content))
                return True
        return False

    def tell(self, message: Frame) -> None:
        if self.is_silent:
            return
        for queue in list(self.pages.values()):
            self.loop.call_soon_threadsafe(queue.put_nowait, encode(message))

    def die(self) -> None:
        """End the session for good."""
        self.is_dead = True
        self.tell(frame("status", {"execution_state": "dead"}))

    def drop(self) -> None:
        """Cut all connections."""
        for queue in list(self.pages.values()):
            self.loop.call_soon_threadsafe(queue.put_nowait, None)

    def everything(self) -> Iterator[Frame]:
        for cell in sorted(self.cells.keys() | self.states.keys()):
            yield told({"cell": cell, "change": "clear"})
            for output in self.cells.get(cell, []):
                yield told({"cell": cell, "change": "append", "output": output})
            if cell in self.states:
                yield told({"cell": cell, **self.states[cell]})

    # What the page says ------------------------------------------------------------

    def take(self, said: Frame) -> None:
        self.said.append(said)
        if said.msg_type == "kernel_info_request":
            content = {"status": "ok", "protocol_version": "5.3", "language_info": {}}
            reply = frame("kernel_info_reply", content, said.header)
            self.tell(Frame("shell", reply.header, said.header, {}, content))
            # Without it the page waits for three seconds before it asks for widgets.
            self.tell(frame("status", {"execution_state": "idle"}, said.header))
        elif said.content.get("data") == {"method": "request_states"}:
            threading.Timer(self.thinks_s, self.send, (said,)).start()
        elif said.msg_type != "comm_close":
            self.send(said)

    def send(self, made: Frame) -> None:
        """Send a message to the kernel."""
        session = self.client.session
        message = session.msg(
            made.msg_type, made.content, header=made.header, metadata=made.metadata
        )
        socket = self.client.shell_channel.socket
        with self.lock:
            session.send(socket, message, buffers=list(made.buffers))

    # The server ---------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        if scope["type"] == "websocket":
            await self.socket(scope, receive, send)
        elif scope["type"] == "http":
            status, headers, body = await asyncio.to_thread(self.respond, scope)
            self.served.append((scope["path"], status))
            raw = [(name.encode(), text.encode()) for name, text in headers.items()]
            start = {"type": "http.response.start", "status": status, "headers": raw}
            await send(start)
            await send({"type": "http.response.body", "body": body})

    def respond(self, scope: Any) -> tuple[int, dict[str, str], bytes]:
        path = scope["path"]
        given = {name.decode(): text.decode() for name, text in scope["headers"]}
        if given["host"].startswith("localhost"):
            rules = application_policy(content_origin=self.origin)["DIRECTIVES"]
            policy = f"frame-src {' '.join(rules['frame-src'])}"
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            frame = f'<title>Countersign</title><iframe src="{self.base_url}" width="100%" height="900"></iframe>'
            return 200, headers, frame.encode()
        if path == f"/live/{TOKEN}/":
            page = render_page(base_url=self.base_url, kernel_id=KERNEL, **self.page)
            policy = page_policy(base_url=self.base_url, kernel_id=KERNEL)
            policy = policy.rpartition(" ")[0] + f" {self.application}"
            headers = {**content_headers(secure=False), "Content-Type": "text/html"}
            return 200, {**headers, "Content-Security-Policy": policy}, page
        if path == f"/live/{TOKEN}/api/kernels/{KERNEL}":
            state = "dead" if self.is_dead else "idle"
            model = f'{{"id": "{KERNEL}", "name": "python3", "execution_state": "{state}", "last_activity": "", "connections": 1}}'
            return 200, {"Access-Control-Allow-Origin": "null"}, model.encode()
        file = assets().find(path)
        if file is None:
            return 404, {}, b""
        request = RequestFactory().get(path, headers=given)
        response = answer(file, request)
        # As the middleware does: its own headers where a response has none.
        headers = {**content_headers(secure=False), **response.headers}
        return response.status_code, headers, response.content

    async def socket(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        expected = f"/live/{TOKEN}/api/kernels/{KERNEL}/channels"
        if scope["path"] != expected or self.refuses or self.is_dead:
            await send({"type": "websocket.close", "code": 4404})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        with self.lock:
            for message in self.everything():
                queue.put_nowait(encode(message))
            self.pages[id(queue)] = queue
        telling = asyncio.create_task(self.speak(queue, send))
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                with self.lock:
                    self.take(decode(event["bytes"]))
        finally:
            self.pages.pop(id(queue), None)
            telling.cancel()

    async def speak(self, queue: "asyncio.Queue[bytes | None]", send: Any) -> None:
        while (data := await queue.get()) is not None:
            await send({"type": "websocket.send", "bytes": data})
        await send({"type": "websocket.close", "code": 1012})


def frame(
    kind: str,
    content: dict[str, Any],
    parent: dict[str, Any] | None = None,
    buffers: tuple[bytes, ...] = (),
) -> Frame:
    """A message of the session, all of whose messages name the one session."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": "one-session",
        "username": "",
        "date": "2026-03-02T10:00:00Z",
        "version": "5.3",
    }
    parent = {
        name: value for name, value in (parent or {}).items() if isinstance(value, str)
    }
    metadata = {"version": "2.1.0"} if kind == "comm_open" else {}
    return Frame("iopub", header, parent, metadata, content, buffers)


def told(content: dict[str, Any]) -> Frame:
    """A change of a cell."""
    return frame("cell_outputs", content)


@contextmanager
def serving(peer: Peer) -> Iterator[Peer]:
    """Serve until the end of the block."""
    config = uvicorn.Config(
        peer, port=peer.port, log_level="error", lifespan="off", ws_max_size=2**26
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    pump = threading.Thread(target=peer.pump, daemon=True)
    thread.start()
    pump.start()
    try:
        while not server.started:
            threading.Event().wait(0.02)
        yield peer
    finally:
        peer.drop()
        peer.is_over.set()
        server.should_exit = True
        thread.join(10)
        pump.join(10)
