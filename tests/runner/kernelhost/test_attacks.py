"""A hostile notebook in the real sandbox: every attack of the catalogue, and what it met."""

import json
import os
import socket

import pytest

from tests.runner.kernelhost import attacks, attacks_on_limits
from tests.runner.kernelhost.catalogue import BATCH, Catalogue
from tests.runner.kernelhost.harness import HostWithWaitingKernels

pytestmark = pytest.mark.security


@pytest.fixture(scope="module", params=["exec", "fork", "fork, waited"])
def host(request, executing_host, forking_host, host_with_waiting_kernels):
    """A host of each launcher, and one whose kernels have waited."""
    hosts = {"exec": executing_host, "fork": forking_host}
    return hosts.get(request.param, host_with_waiting_kernels)


@pytest.fixture(scope="module")
def seen(host):
    """Attack name to evidence, from one run of all of them."""
    abstract = f"countersign-test-listener-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as outside, socket.socket() as port:
        outside.bind("\0" + abstract)
        outside.listen()
        port.bind(("127.0.0.1", 0))
        port.listen()
        names = {"HOST_PORT": port.getsockname()[1], "ABSTRACT_NAME": abstract}
        outcome = host.run(
            *(attacks.cell_of(attack, **names) for attack in BATCH), "print('alive')"
        )
    waited = outcome.of("accepted")[0]["evidence"]["pooled"]
    assert waited == isinstance(host, HostWithWaitingKernels)
    assert outcome.status == "succeeded", (outcome.error, outcome.last["notebook"])
    assert outcome.text(len(BATCH)) == "alive\n"
    found = {
        attack.__name__: attacks.evidence(outcome, index)
        for index, attack in enumerate(BATCH)
    }
    found["everything"] = json.dumps(outcome.last)
    return found


class TestTheKernelHostAlone(Catalogue):
    """By the kernel host's socket, on each launcher."""


def test_k33_k35_nothing_that_one_run_leaves_is_found_by_the_next(seen, host):
    assert seen["leave_traces"] is True
    outcome = host.run(attacks.cell_of(attacks_on_limits.find_traces))
    assert attacks.evidence(outcome, 0) == [False] * 5
