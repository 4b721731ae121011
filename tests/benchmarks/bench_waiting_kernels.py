"""How much sooner a run's kernel is ready when one waited for it.

Both sides run in turns on hosts of their own. Prints milliseconds from the request to the
event `ready`, and the ratio.
"""

import statistics
import time

from tests.runner.kernelhost.harness import HostWithWaitingKernels, KernelHost

ROUNDS = 7
#: A little time for the kernel that has just become ready to fall silent.
PAUSE_S = 0.5
MIN_RATIO = 7.0


def ready_after_s(host: KernelHost) -> float:
    """Return how long a request takes until its kernel is ready."""
    with host.session("1") as session:
        events = session.events()
        while next(events)["event"] != "ready":
            pass
        return time.perf_counter() - host.asked_at


class Timed(KernelHost):
    """A host that remembers when it was asked."""

    asked_at = 0.0

    def request(self, *cells, **given):
        request = super().request(*cells, **given)
        time.sleep(PAUSE_S)
        self.asked_at = time.perf_counter()
        return request


class TimedWithWaitingKernels(Timed, HostWithWaitingKernels):
    """The same, where kernels wait."""


def test_a_kernel_that_waited_is_ready_much_sooner(tmp_path) -> None:
    started = Timed(tmp_path / "started").start()
    waited = TimedWithWaitingKernels(tmp_path / "waited").start()
    try:
        pairs = [(ready_after_s(started), ready_after_s(waited)) for _ in range(ROUNDS)]
    finally:
        started.stop()
        waited.stop()
    ratio = statistics.median(first / second for first, second in pairs)
    slow, quick = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    print(  # noqa: T201  what a benchmark is for
        f"\nready after {slow:.0f} ms when started, {quick:.1f} ms when it waited,"
        f" ratio {ratio:.1f} (median of {ROUNDS} pairs)"
    )
    assert ratio >= MIN_RATIO
