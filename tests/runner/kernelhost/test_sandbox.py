"""What a sandbox says of itself while its processes come and go."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from runner.kernelhost.sandbox import Sandbox


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who sleeps."""
    sleeping = subprocess.Popen(["sleep", "60"])
    yield sleeping
    sleeping.kill()
    sleeping.wait()


def sandbox(
    process: subprocess.Popen[bytes], kernel: tuple[int, int] | None = None
) -> Sandbox:
    """One whose process 1 is this."""
    output, ours = os.pipe()
    os.close(ours)
    return Sandbox(
        init_pid=process.pid,
        init_fd=os.pidfd_open(process.pid),
        output=output,
        cgroup=None,
        monitor=process,
        kernel=kernel,
    )


async def test_its_root_is_that_of_process_1(process):
    made = sandbox(process)
    root = made.open_root()
    assert os.path.samestat(os.fstat(root), os.stat("/"))
    os.close(root)
    assert made.ancestors == (process.pid,)
    await made.destroy()


@pytest.mark.security
async def test_whoever_has_its_kernels_number_now_is_not_taken_for_the_kernel(process):
    ended = subprocess.Popen(["true"])
    pidfd = os.pidfd_open(ended.pid)
    ended.wait()
    made = sandbox(process, kernel=(os.getpid(), pidfd))
    with pytest.raises(ProcessLookupError):
        made.open_root()
    assert made.kernel_pid() is None
    assert made.ancestors == (process.pid,)
    await made.destroy()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pidfd)


async def test_a_kernel_that_has_not_left_its_templates_group_is_signalled_alone():
    template = subprocess.Popen(["sleep", "60"], process_group=0)
    kernel = subprocess.Popen(["sleep", "60"], process_group=template.pid)
    made = sandbox(template, kernel=(kernel.pid, os.pidfd_open(kernel.pid)))
    made.signal_kernel(signal.SIGTERM)
    assert kernel.wait(10) == -signal.SIGTERM
    assert template.poll() is None
    await made.destroy()


async def test_a_kernel_is_signalled_with_the_group_that_it_leads(process):
    kernel = subprocess.Popen(["sleep", "60"], process_group=0)
    child = subprocess.Popen(["sleep", "60"], process_group=kernel.pid)
    made = sandbox(process, kernel=(kernel.pid, os.pidfd_open(kernel.pid)))
    made.signal_kernel(signal.SIGTERM)
    assert {kernel.wait(10), child.wait(10)} == {-signal.SIGTERM}
    assert process.poll() is None
    await made.destroy()


async def test_a_kernel_that_process_1_did_not_start_is_looked_for_beside_it(process):
    kernel = subprocess.Popen(["sleep", "60"])
    made = sandbox(process, kernel=(kernel.pid, os.pidfd_open(kernel.pid)))
    assert made.kernel_pid() == kernel.pid
    assert made.ancestors == (process.pid, kernel.pid)
    kernel.kill()
    kernel.wait()
    assert made.ancestors == (process.pid,)
    await made.destroy()
