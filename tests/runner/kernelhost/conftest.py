"""One kernel host for all tests of this folder; it is what production runs."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.kernelhost.harness import (
    REPOSITORY,
    ForkingHost,
    HostWithWaitingKernels,
    KernelHost,
)

ENVIRONMENTS = REPOSITORY / ".environments"


@pytest.fixture(scope="session")
def environments():
    """The built notebook environments."""
    for name in ("python-analytics", "bash"):
        if not (ENVIRONMENTS / name / "bin" / "python").exists():
            pytest.fail(f"{ENVIRONMENTS / name} is not built: run make environments")
    return ENVIRONMENTS


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are private to whoever runs it."""
    folder = Path(tempfile.mkdtemp(prefix="kernelhost-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def host(forking_host) -> KernelHost:
    """A running kernel host, as it is by default."""
    return forking_host


@pytest.fixture(scope="session")
def forking_host(environments, tmp_path_factory) -> Iterator[KernelHost]:
    """A running kernel host that forks a kernel for each run."""
    yield from _serving(ForkingHost(tmp_path_factory.mktemp("forking")))


@pytest.fixture(scope="session")
def executing_host(environments, tmp_path_factory) -> Iterator[KernelHost]:
    """A running kernel host that starts a new interpreter for each run."""
    yield from _serving(KernelHost(tmp_path_factory.mktemp("executing")))


@pytest.fixture(scope="session")
def host_with_waiting_kernels(environments, tmp_path_factory) -> Iterator[KernelHost]:
    """A running kernel host whose runs get kernels that waited for them."""
    yield from _serving(HostWithWaitingKernels(tmp_path_factory.mktemp("waiting")))


def _serving(running: KernelHost) -> Iterator[KernelHost]:
    running.start()
    yield running
    running.stop()
    log = running.log()
    assert "ended by a fault" not in log, log
    assert "left something behind" not in log, log
