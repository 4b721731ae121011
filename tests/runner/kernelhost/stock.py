"""Notebooks by stock nbclient: its own client, on a stock kernel that nothing confines.

A kernel start costs more than a whole notebook, so one kernel serves them all: between two
of them IPython begins a new session, with an empty namespace and its counter at one.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Self

import nbformat
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tests.runner.kernelhost.behaviours import Behaviour
from tests.runner.kernelhost.harness import REPOSITORY, notebook

PREFIX = REPOSITORY / ".environments" / "python-analytics"
ARGV = [str(PREFIX / "bin" / "python"), "-m", "ipykernel_launcher"]
#: The latter is what nbclient adds for the kernels that it starts.
ARGV += ["-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"]
NEW_SESSION = "get_ipython().reset(new_session=True)"
TIMEOUT_S = 30
#: How nbclient ends, in the words of this product.
ENDINGS = {
    CellExecutionError: "failed",
    CellTimeoutError: "timed_out",
    DeadKernelError: "kernel_died",
}


@dataclass(frozen=True)
class Ended:
    """How a notebook ended, and its cells then."""

    status: str
    cells: list[dict[str, Any]]


@dataclass
class Stock:
    """nbclient in a thread of its own, so that others may work meanwhile."""

    folder: Path
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    kernels: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __enter__(self) -> Self:
        self.thread = Thread(target=self.loop.run_forever)
        self.thread.start()
        kernel = self.kernels.enter_async_context(stock_kernel(self.folder))
        self.kernel = self._soon(kernel).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._soon(self.kernels.aclose()).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, behaviour: Behaviour) -> Future[Ended]:
        """Begin to execute a notebook; one at a time."""
        return self._soon(self._run(behaviour))

    async def _run(self, behaviour: Behaviour) -> Ended:
        if behaviour.ends_its_kernel:
            async with stock_kernel(self.folder) as own:
                return await executed(behaviour, own)
        ended = await executed(behaviour, self.kernel)
        await begin_session(self.kernel)
        return ended

    def _soon(self, work: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)


@asynccontextmanager
async def stock_kernel(folder: Path) -> AsyncIterator[AsyncKernelClient]:
    """The client of a kernel as Jupyter starts it."""
    manager = AsyncKernelManager()
    manager._kernel_spec = KernelSpec(argv=ARGV, language="python")
    # Nobody's profile; and ipykernel does not watch its descriptors under pytest.
    environment = {**os.environ, "HOME": str(folder)}
    environment.pop("PYTEST_CURRENT_TEST", None)
    await manager.start_kernel(cwd=str(folder), env=environment)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(TIMEOUT_S)
        # As nbclient sets it on the clients that it makes.
        client.allow_stdin = False
        yield client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def executed(behaviour: Behaviour, kernel: AsyncKernelClient) -> Ended:
    """A notebook that ``NotebookClient`` executed."""
    document = nbformat.from_dict(notebook(*behaviour.cells))
    client = NotebookClient(document, km=kernel.parent, timeout=behaviour.cell_s)
    client.kc = kernel
    try:
        await client.async_execute()
    except tuple(ENDINGS) as ending:
        return Ended(ENDINGS[type(ending)], document.cells)
    return Ended("succeeded", document.cells)


async def begin_session(kernel: AsyncKernelClient) -> None:
    """Forget the notebook before."""
    asked = kernel.execute(NEW_SESSION, silent=True)
    while True:
        reply = await kernel.get_shell_msg(timeout=TIMEOUT_S)
        if reply["parent_header"]["msg_id"] == asked:
            assert reply["content"]["status"] == "ok", reply["content"]
            return
