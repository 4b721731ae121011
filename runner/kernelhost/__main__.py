"""``python -m runner.kernelhost``: the kernel host. With ``--check``, print its layers and exit 0 or 1."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from runner.kernelhost import self_watch, staging
from runner.kernelhost.host import Host
from runner.kernelhost.server import AlreadyRunning, Server
from runner.kernelhost.settings import HostSettings, InvalidSetting, read_settings
from runner.logs import formatter

log = logging.getLogger("runner.kernelhost")


def print_layers(host: Host) -> int:
    """Say which layer holds and which does not; the exit code of ``--check``."""
    for layers, otherwise in (
        (host.layers, "MISSING"),
        (host.bubblewrap.further, "absent "),
    ):
        for layer in layers:
            word = "ok     " if layer.holds else otherwise
            sys.stdout.write(f"{word}  {layer.name}: {layer.seen}\n")
    return 0 if not host.missing else 1


async def check(host: Host) -> int:
    """Run the self-test only."""
    await host.check()
    return print_layers(host)


async def serve(host: Host) -> int:
    """Test, sweep, listen, and drain at SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await host.check()
    host.sweep()
    if not host.accepts:
        log.error("%s", host.refusal())
    elif host.missing:
        log.warning("degraded sandbox, as SANDBOX=degraded allows: %s", host.refusal())
    server = Server(host)
    try:
        listener = await server.listen()
    except AlreadyRunning as problem:
        log.error("%s", problem)
        return 1
    watcher = asyncio.create_task(self_watch.watch(server.runs))
    server.pool.keep_filled()
    log.info("kernel host is ready on %s", host.settings.socket)
    await stop.wait()
    watcher.cancel()
    listener.close()
    await server.drain()
    return 0


def settings_for(arguments: argparse.Namespace) -> HostSettings:
    """The settings; ``--check`` needs no socket."""
    environ = dict(os.environ)
    if arguments.check:
        environ.setdefault("KERNEL_HOST_SOCKET", os.devnull)
    return read_settings(environ)


def main() -> int:
    """Parse, enter the private directory while there is one thread, and run."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.kernelhost", description=__doc__
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="print the sandbox's layers and exit 0 or 1",
    )
    arguments = parser.parse_args()
    try:
        settings = settings_for(arguments)
    except InvalidSetting as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    logging.basicConfig(level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(settings.log_format))
    host = Host(settings, staging.enter())
    try:
        return asyncio.run(check(host) if arguments.check else serve(host))
    finally:
        host.close()


if __name__ == "__main__":
    sys.exit(main())
