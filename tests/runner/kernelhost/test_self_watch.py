"""The host stays small, whoever tries to make it grow."""

import asyncio
import subprocess
import sys

import pytest

from runner.kernelhost import self_watch

WRITER = "import time; open('/dev/null', 'wb', 0).write(b'x' * {size}); print('done', flush=True); time.sleep(30)"


class PretendRun:
    """A run as far as the watch looks at it: its processes, and a way to stop it."""

    def __init__(self, size):
        command = [sys.executable, "-c", WRITER.format(size=size)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.ancestors = (self.process.pid,)
        self.stopped = None

    def stop_now(self, status):
        self.stopped = status

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def runs():
    made = [PretendRun(size) for size in (1000, 9_000_000, 50_000)]
    yield made
    for run in made:
        run.end()


def test_the_loudest_run_is_the_one_that_wrote_most(runs):
    assert self_watch.loudest(runs) is runs[1]


def test_without_runs_there_is_nobody_to_stop():
    assert self_watch.loudest([]) is None


async def watched(runs):
    task = asyncio.create_task(self_watch.watch(set(runs)))
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return [run.stopped for run in runs]


async def test_a_host_that_grew_too_much_stops_that_run(runs, monkeypatch):
    monkeypatch.setattr(self_watch, "INTERVAL_S", 0.01)
    sizes = iter([0] + [10 * self_watch.BASE_BYTES] * 1000)
    monkeypatch.setattr(self_watch, "resident_bytes", lambda: next(sizes))
    assert await watched(runs) == [None, "output_limit", None]


async def test_a_host_of_ordinary_size_stops_nobody(runs, monkeypatch):
    monkeypatch.setattr(self_watch, "INTERVAL_S", 0.01)
    assert await watched(runs) == [None, None, None]


def test_the_host_knows_its_own_size():
    before = self_watch.resident_bytes()
    block = bytearray(50_000_000)
    assert self_watch.resident_bytes() > before + 40_000_000
    del block
