"""Links and expiry under real transactions that run at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.policies import NotAllowed
from runner.results import links
from runner.results.expiry import expire_results
from runner.results.reading import view_result
from tests.runner.results.finished import NOW, again, events, finished_run
from tests.runner.results.test_looks import AFTER

pytestmark = [pytest.mark.security, pytest.mark.usefixtures("committed_db")]

AT_ONCE = 6


def together(*calls):
    """Run the calls at the same moment, each on a connection of its own."""
    barrier = Barrier(len(calls))

    def one(call):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return call()
        except (links.LinkRefused, NotAllowed) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_many_who_use_one_link_at_once_get_one_look(adams):
    link = links.make_link(finished_run(adams), by=adams, now=NOW)
    token = link.rstrip("/").rpartition("/")[2]
    found = together(*[lambda: links.redeem(token, now=NOW)] * AT_ONCE)
    assert sum(isinstance(each, links.Redeemed) for each in found) == 1
    assert len(events("result.viewed")) == 1


def test_two_sweeps_at_once_expire_a_result_once(adams):
    finished_run(adams)
    counts = together(*[lambda: expire_results(now=NOW + AFTER)] * AT_ONCE)
    assert sum(counts) == 1
    assert len(events("result.expired")) == 1


def test_a_look_that_races_expiry_is_whole_or_refused(adams):
    run = finished_run(adams)
    looked, _ = together(
        lambda: view_result(run=again(run.pk), by=adams, now=NOW),
        lambda: expire_results(now=NOW + AFTER),
    )
    refused = isinstance(looked, NotAllowed)
    assert refused or b"31 prescriptions" in looked
    assert len(events("result.viewed")) == (not refused)
