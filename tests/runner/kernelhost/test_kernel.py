"""When a kernel counts as ready."""

import asyncio
import threading
import types

import zmq
import zmq.asyncio
from jupyter_client.session import Session

from runner.kernelhost.guarded import GuardedChannel
from runner.kernelhost.kernel import ConfinedKernel

ANSWERS_AFTER = 3


class Client:
    """The asking side of a kernel's client, on real sockets; it counts what it asks."""

    def __init__(self, shell: zmq.asyncio.Socket, iopub: zmq.asyncio.Socket) -> None:
        self.session = Session(key=b"key")
        self.shell_channel = GuardedChannel(shell, self.session)
        self.iopub_channel = GuardedChannel(iopub, self.session)
        self.asked = 0
        self.waited_while_sending = False

    def kernel_info(self) -> str:
        pending = self.shell_channel.socket._recv_futures
        self.waited_while_sending |= bool(pending)
        message = self.session.msg("kernel_info_request", content={})
        self.shell_channel.send(message)
        self.asked += 1
        return message["header"]["msg_id"]


def answer(context: zmq.Context, addresses: tuple[str, str]) -> None:
    """A kernel that overhears the first questions, and whose publisher welcomes nobody."""
    session = Session(key=b"key")
    shell, iopub = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
    shell.bind(addresses[0])
    iopub.bind(addresses[1])
    for number in range(1, ANSWERS_AFTER + 1):
        ident, message = session.recv(shell, mode=0)
        if number == ANSWERS_AFTER:
            session.send(shell, "kernel_info_reply", {}, message, ident=ident)
            session.send(iopub, "status", {"execution_state": "idle"}, message)
    shell.close(linger=500)
    iopub.close(linger=500)


async def test_it_is_asked_again_and_nobody_waits_for_a_message_while_one_is_sent(
    tmp_path,
):
    addresses = f"ipc://{tmp_path}/shell", f"ipc://{tmp_path}/iopub"
    with zmq.Context() as context, zmq.asyncio.Context() as own:
        kernel = threading.Thread(target=answer, args=(context, addresses))
        kernel.start()
        shell, iopub = own.socket(zmq.DEALER), own.socket(zmq.SUB)
        iopub.subscribe(b"")
        shell.connect(addresses[0])
        iopub.connect(addresses[1])
        client = Client(shell, iopub)
        alive = types.SimpleNamespace(has_process=True)
        waiting = types.SimpleNamespace(
            manager=types.SimpleNamespace(provisioner=alive)
        )
        await asyncio.wait_for(ConfinedKernel._answered(waiting, client), 10)
        assert client.asked >= ANSWERS_AFTER
        assert not client.waited_while_sending
        shell.close(linger=0)
        iopub.close(linger=0)
        kernel.join(5)
