"""Whom the soak kills: every kind as often as any other, in an order and at times by chance."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.soak.product import Product

Find = Callable[[Product], list[int]]


def _program(name: str) -> Find:
    return lambda product: [pid for pid in [product.pid(name)] if pid]


def _children(name: str) -> Find:
    return lambda product: product.children(product.pid(name))


def _kernels(product: Product) -> list[int]:
    return product.kernels(product.note_kernel_host())


def _templates(product: Product) -> list[int]:
    return product.templates(product.note_kernel_host())


VICTIMS: dict[str, Find] = {
    "kernel": _kernels,
    "another kernel": _kernels,
    "template of kernels": _templates,
    "kernel host": lambda product: [pid for pid in [product.note_kernel_host()] if pid],
    "worker": _program("api-worker"),
    "worker's child": _children("api-worker"),
    "another worker's child": _children("api-worker"),
    "sweeper": _program("sweeper"),
    "broker (Valkey)": _program("broker"),
    "application database": _program("application-db"),
    "a process of the application database": _children("application-db"),
    "data database": _program("data-db"),
    "a process of the data database": _children("data-db"),
    "web server": _program("web"),
}


class Killer(threading.Thread):
    """Kills one after the other, until it is told to stop."""

    def __init__(self, product: Product, *, seed: int, every_s: float) -> None:
        super().__init__(daemon=True)
        self.product = product
        self.every_s = every_s
        self.chance = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        #: What went wrong with the killing itself.
        self.error: Exception | None = None
        self._deck: list[str] = []
        self._told_to_stop = threading.Event()

    def run(self) -> None:
        """Kill at random times.  A part that is down when its turn comes is missed."""
        try:
            while not self._told_to_stop.wait(
                self.chance.expovariate(1 / self.every_s)
            ):
                self.product.note_kernel_host()
                self._kill(self._next())
        except Exception as error:
            self.error = error

    def stop(self) -> None:
        """End, between two kills."""
        self._told_to_stop.set()
        self.join()

    def _next(self) -> str:
        if not self._deck:
            self._deck = list(VICTIMS)
            self.chance.shuffle(self._deck)
        return self._deck.pop()

    def _kill(self, victim: str) -> None:
        found = VICTIMS[victim](self.product)
        if not found:
            self.misses[victim] += 1
            return
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(sorted(found)), signal.SIGKILL)
            self.kills[victim] += 1
