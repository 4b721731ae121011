"""The peer of live pages: the real Voila, in an environment of its own, with no rights of anybody."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.environment import REPOSITORY

#: Built by `make bench`.
PROGRAMS = REPOSITORY / ".benchmarks" / "voila" / "bin"
READY_WITHIN_S = 60.0
#: How many notebooks it keeps executed in advance where it preheats; its own default.
POOL_SIZE = 1


class VoilaServer:
    """A running Voila that serves one notebook to whoever comes."""

    def __init__(self, port: int, pid: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.pid = pid


@contextmanager
def voila_server(
    folder: Path, notebook: dict[str, Any], *, preheats: bool
) -> Iterator[VoilaServer]:
    """Serve a notebook, cold or executed in advance; stop it afterwards."""
    folder.mkdir(parents=True)
    file = folder / "notebook.ipynb"
    file.write_text(json.dumps(notebook), encoding="utf-8")
    port = _free_port()
    options = [f"--port={port}", "--no-browser", f"--Voila.ip={'127.0.0.1'}"]
    if preheats:
        options += ["--preheat_kernel=True", f"--pool_size={POOL_SIZE}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [PROGRAMS / "voila", *options, file],
            cwd=folder,
            env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_there(port, server)
        yield VoilaServer(port, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_there(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "Voila ended; see its log"
        try:
            # An address that starts no kernel.
            httpx.get(f"http://127.0.0.1:{port}/voila/static/voila.js", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
