"""Attacks as approved notebooks: through request, queue, worker, lease, proxy and sandbox.

``COVERED`` says for each number of the catalogue of escapes which test of this suite has it, and
``ON_THE_SOURCE`` for each number of the attacks on data. Those are tried here from inside kernels,
except what no kernel can try: mistakes of the owner of a source, the role that creates roles.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connections as django_connections

from audit.models import Event
from runner.services.requests import InvalidLaunch
from tests.runner import attacks_on_data as on_data
from tests.runner import attacks_on_logins as on_logins
from tests.runner.access.test_attacks import HIDDEN_FROM_BILLING
from tests.runner.attacked_product import (
    AS_A_SCIENTIST,
    CANARY,
    DESTRUCTIVE,
    EVERY_REFUSED,
    FOR_TRACES,
    ON_DATA,
    Aftermath,
    Ended,
    attack_by_bubblewrap,
    attack_by_default,
    holding_the_canary,
)
from tests.runner.kernelhost import attacks, attacks_on_limits
from tests.runner.kernelhost.catalogue import BATCH, Catalogue
from tests.runner.launching import launch
from tests.support import cast, services
from tests.support.data import DataCluster

pytestmark = pytest.mark.security
CELLS = (*ON_DATA, *BATCH)
HERE = "test_attacks_through_the_product.py"
CATALOGUE = "kernelhost/catalogue.py"
#: By number of the catalogue: a file, and how its test begins. The catalogue's own run here too.
COVERED = {
    **{f"K{number}": (CATALOGUE, f"test_k{number}_") for number in range(1, 10)},
    "K10": (HERE, "test_k10_k11_"),
    "K11": (HERE, "test_k10_k11_"),
    "K12": (CATALOGUE, "test_k12_to_k15_"),
    "K13": (CATALOGUE, "test_k13_"),
    "K14": (CATALOGUE, "test_k12_to_k15_"),
    "K15": (CATALOGUE, "test_k12_to_k15_"),
    **{f"K{number}": (CATALOGUE, f"test_k{number}_") for number in (16, 17, 18, 21)},
    "K19": (HERE, "test_a_run_that_would_take_the_machine_along_"),
    "K20": (HERE, "test_k20_"),
    "K22": (CATALOGUE, "test_k22_k23_"),
    "K23": (CATALOGUE, "test_k22_k23_"),
    "K24": (CATALOGUE, "test_k24_"),
    # No folder is collected; a million names in one meet their limit in DESTRUCTIVE.
    "K25": (CATALOGUE, "test_k25_"),
    "K26": (HERE, "test_nothing_is_left_"),
    "K27": (HERE, "test_a_run_that_would_take_the_machine_along_"),
    "K28": (HERE, "test_k28_"),
    "K29": (HERE, "test_k29_"),
    "K30": (HERE, "test_k30_"),
    **{f"K{number}": (CATALOGUE, f"test_k{number}_") for number in (31, 32, 40, 41)},
    "K33": (HERE, "test_k33_k35_"),
    "K34": (HERE, "test_nothing_is_left_"),
    "K35": (HERE, "test_k33_k35_"),
    "K36": ("kernelhost/test_pools.py", "test_a_uid_that_still_owns_a_process_"),
    "K37": ("test_worker.py", "test_a_worker_killed_in_the_middle_"),
    "K38": ("kernelhost/test_limits.py", "test_a_new_host_sweeps_"),
    "K39": ("kernelhost/test_fail_closed.py", "test_"),
    # Of a fault of processors only what makes it cheap can be tried, and that it is documented.
    "K42": (HERE, "test_k42_"),
}
#: By the first and last number of the attacks on data: files, and how their tests begin.
ON_THE_SOURCE = {
    (1, 4): [(HERE, "test_no_statement_of_the_catalogue_")],
    (5, 7): [(HERE, "test_a_run_stays_who_it_is")],
    (8, 8): [(HERE, "test_every_connection_is_")],
    (9, 10): [(HERE, "test_it_sees_its_own_rows_")],
    (11, 22): [(HERE, "test_no_statement_of_the_catalogue_")],
    (23, 23): [(HERE, "test_d23_")],
    (24, 32): [(HERE, "test_no_statement_of_the_catalogue_")],
    (33, 34): [(HERE, "test_d33_d34_"), (HERE, "test_nothing_is_left_")],
    (35, 50): [(HERE, "test_no_statement_of_the_catalogue_")],
    (51, 51): [(HERE, "test_d51_")],
    (52, 54): [(HERE, "test_no_statement_of_the_catalogue_")],
    (55, 56): [(HERE, "test_nothing_tells_of_rows_")],
    (57, 57): [(HERE, "test_d57_")],
    (58, 58): [(HERE, "test_d58_")],
    (59, 59): [(HERE, "test_d59_")],
    (60, 60): [(HERE, "test_every_connection_is_")],
    (61, 61): [(HERE, "test_d61_"), ("access/test_leases.py", "test_d61_")],
    # What an owner might do; the check finds it, and with a finding nothing is launched.
    (62, 62): [(HERE, "test_d62_d63_"), ("access/test_check.py", "test_d62_")],
    (63, 63): [(HERE, "test_d62_d63_"), ("access/test_check.py", "test_d63_")],
    (64, 65): [(HERE, "test_no_statement_of_the_catalogue_")],
    (66, 69): [(HERE, "test_d66_to_d69_")],
    # A kernel has none of these logins, and tries the same with its own.
    (70, 78): [
        (HERE, "test_no_statement_of_the_catalogue_"),
        (HERE, "test_every_connection_is_"),
        ("access/test_logins.py", "test_d70_d78_"),
    ],
    (79, 79): [
        (HERE, "test_no_statement_of_the_catalogue_"),
        ("access/test_logins.py", "test_d79_"),
    ],
    (80, 80): [
        (HERE, "test_no_statement_of_the_catalogue_"),
        (HERE, "test_d80_"),
    ],
}


@pytest.fixture(scope="module")
def aftermath(
    django_db_setup: None,
    django_db_blocker: Any,
    data_cluster: DataCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Aftermath]:
    """Everything was tried once, on both launchers."""
    found = Aftermath()
    with django_db_blocker.unblock():
        attack_by_bubblewrap(tmp_path_factory.mktemp("exec"), data_cluster, found)
        attack_by_default(tmp_path_factory.mktemp("default"), data_cluster, found)
        yield found
        django_connections.close_all()
    services.recreate_database()
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.flushdb()


@pytest.fixture(scope="module", params=["exec", "fork, waited"])
def run(request: pytest.FixtureRequest, aftermath: Aftermath) -> Ended:
    """The run of all attacks that leave the machine standing, by launcher."""
    return aftermath.runs[request.param]


@pytest.fixture(scope="module")
def seen(run: Ended) -> dict[str, Any]:
    """Attack name to evidence."""
    assert run.run.status == "succeeded", (run.run.error, run.outcome.last["notebook"])
    assert run.outcome.text(len(CELLS)) == "alive\n"
    assert run.outcome.text(len(CELLS) + 1) == f"{CANARY}\n"
    found = {attack.__name__: run.printed(attack, CELLS) for attack in CELLS}
    return found | {"everything": str(run.outcome.last)}


def test_every_number_of_the_catalogue_has_its_test() -> None:
    assert COVERED.keys() == {f"K{n}" for n in range(1, 43)}
    spans = [range(first, last + 1) for first, last in ON_THE_SOURCE]
    assert list(chain(*spans)) == list(range(1, 81))
    for file, test in chain(COVERED.values(), *ON_THE_SOURCE.values()):
        assert f"def {test}" in Path(__file__).parent.joinpath(file).read_text()


def test_the_runs_were_of_the_launchers_that_they_say(aftermath: Aftermath) -> None:
    ways = {
        name: (evidence["launcher"], evidence["pooled"])
        for name in ("exec", "fork, waited")
        for evidence in [aftermath.runs[name].run.evidence]
    }
    assert ways == {"exec": ("exec", False), "fork, waited": ("fork", True)}


class TestTheWholeProduct(Catalogue):
    """What a kernel can do to the machine."""


def test_k5_no_place_of_the_machine_is_there(seen):
    assert seen["places_of_the_machine"] == []


class TestTheDataSource:
    """What a kernel can do to the data; numbers D of the catalogue."""

    def test_no_statement_of_the_catalogue_works(self, seen):
        tried = seen["refused_statements"]
        assert tried.keys() == EVERY_REFUSED.keys()
        assert {name: how for name, how in tried.items() if how != "42501"} == {}

    def test_a_run_stays_who_it_is(self, seen, run):
        found = seen["somebody_else"]
        name = f"r_{run.run.pk.hex}"
        assert found["at first"] == found["after resets"] == f"{name} {name}"
        assert found["refused"] == {
            # PUBLIC is no role that could be a member.
            "GRANT p_doctor TO PUBLIC": "42704",
            "ALTER ROLE {} RENAME TO somebody": "0A000",
            "ALTER ROLE {} RESET temp_file_limit": "42501",
            "ALTER SYSTEM SET log_statement = 'none'": "42501",
        }

    def test_it_sees_its_own_rows_whatever_it_sets(self, seen, data_cluster):
        with psycopg.connect(data_cluster.hospital_owner_dsn) as owner:
            count = "SELECT count(*) FROM clinic.patients WHERE attending = 'adams'"
            own = owner.execute(count).fetchone()[0]
        found = seen["somebody_else"]
        names = ("own rows", "rows with settings of others", "rows after dropping")
        assert [found[name] for name in names] == [own] * 3
        assert found["row security off"] == ["worked", "42501"]

    def test_nothing_tells_of_rows_that_are_hidden(self, seen):
        common, absent = seen["oracles"].pop("estimates")
        assert common == absent
        assert seen["oracles"] == {
            "value statistics": 0,
            "division": "no error",
            "cast": "no error",
        }

    def test_every_connection_is_its_own_login_in_its_own_database(self, seen, run):
        made = dict(seen["connections"])
        own = f"r_{run.run.pk.hex}@hospital"
        assert made["as is"] == made["a second"] == own
        assert set(made.values()) <= {own, "refused"}
        assert {made[name] for name in ("over TCP", "a third", "as a replica")} == {
            "refused"
        }

    def test_k10_k11_its_door_can_be_neither_moved_nor_replaced(self, seen):
        found = dict(seen["data_socket"])
        sources, files = found.pop("listed")
        assert (set(sources), files) == (
            {"default", "hospital", "services.conf"},
            [".s.PGSQL.5432"],
        )
        assert "worked" not in found.values()

    def test_d23_what_it_says_to_others_never_reaches_a_kernel(self, seen, aftermath):
        """A primary has no right to revoke for it; the proxy hands no notification on."""
        assert seen["words_to_others"] == []
        for witness in aftermath.witnesses:
            assert witness.heard == ["leak"], "nothing was said at all"

    def test_d51_a_lock_that_only_reads_ends_with_its_login(self, aftermath):
        """A residual: until then it keeps the owner from changing the table."""
        assert [witness.locks for witness in aftermath.witnesses] == [[1, 0]] * 2

    def test_d57_how_many_rows_there_are_is_no_secret_as_documented(self, seen):
        found = seen["rights"]["patients of the hospital"]
        assert found == pytest.approx(5000, rel=0.01)

    def test_d61_a_run_is_of_one_persona(self, seen, aftermath):
        later = aftermath.runs["the next"].printed(on_logins.rights, FOR_TRACES)
        for rights in (seen["rights"], later):
            assert rights["used"] == ["cs_run_hospital", "p_doctor", "rls_doctor"]
            assert rights["settable"] == []

    def test_d62_d63_all_that_it_may_read_is_guarded_by_rows(self, seen):
        """No materialized view, no partition of its own, and of views the reviewed one."""
        readable = dict(seen["rights"]["readable"])
        assert readable.pop("clinic.notes") == ["v", False]
        assert {"clinic.patients", "clinic.lab_results"} <= readable.keys()
        assert {tuple(how) for how in readable.values()} == {("r", True)}

    def test_d66_to_d69_a_login_that_ends_under_it_reads_nothing_more(self, seen):
        told = seen["end_of_its_login"]
        own = seen["somebody_else"]["own rows"]
        assert told == [
            [own, "let in"],
            [0, "refused"],  # expired
            [own, "let in"],
            [0, "refused"],  # closed
            ["gone", "refused"],  # dropped
        ]

    def test_d80_it_prepares_no_transaction(self, seen):
        assert seen["prepared_transaction"] == "55000"

    def test_d58_billing_reaches_no_hidden_column(self, aftermath):
        billing = aftermath.runs["billing"]
        found = attacks.evidence(billing.outcome, 0)
        assert found == dict.fromkeys(HIDDEN_FROM_BILLING, "42501")


@pytest.mark.parametrize("name", ["scientist", "scientist, exec"])
class TestTheRunOfADataScientist:
    """Another persona, and what a run could leave behind on a primary."""

    def test_d59_it_reads_counts_of_eleven_and_more_only(self, aftermath, name):
        found = aftermath.runs[name].printed(on_logins.only_counts, AS_A_SCIENTIST)
        smallest = {
            found.pop("anon.diagnoses"),
            found.pop("anon.prescriptions_by_month"),
        }
        assert min(smallest) >= 11
        assert len(found) == 3
        assert set(found.values()) == {"42501"}

    def test_d33_d34_what_it_gives_its_login_is_of_no_use(self, aftermath, name):
        """That nothing of it outlives the run is seen with all else that could be left."""
        ended = aftermath.runs[name]
        found = ended.printed(on_logins.left_for_the_next, AS_A_SCIENTIST)
        assert found == {"stashed": 1, "the door": "refused", "over TCP": "refused"}
        later = aftermath.runs["the next"]
        assert later.printed(on_logins.find_stash, FOR_TRACES) == 0


def test_d61_two_personas_are_no_persona(aftermath: Aftermath) -> None:
    version = aftermath.runs["billing"].run.version
    with pytest.raises(InvalidLaunch):
        launch(version, cast.create("helen"), persona="doctor,department_head")


def test_k42_what_stays_open_between_runs_on_one_core_is_documented() -> None:
    """Core scheduling is the machine's to offer, and its operators' to ask for."""
    page = settings.BASE_DIR / "docs" / "explanation" / "kernel-host.md"
    limits = page.read_text().partition("## What it does not protect from")[2]
    for words in ("side channels", "core scheduling", "SMT"):
        assert words in limits


def test_k29_forged_messages_reach_no_other_cell(seen, run):
    index = CELLS.index(on_data.forged_messages)
    assert seen["forged_messages"] == "sent"
    assert run.outcome.text(index) == '"sent"\n'


def test_k30_nobody_answers_what_a_kernel_asks(seen):
    assert seen["input_from_nobody"] == ["StdinNotImplementedError"] * 2


@pytest.mark.parametrize("name", DESTRUCTIVE)
def test_a_run_that_would_take_the_machine_along_has_its_true_end(
    aftermath: Aftermath, name: str
) -> None:
    ended = aftermath.runs[name]
    assert ended.run.status == DESTRUCTIVE[name][2], ended.run.error
    assert ended.outcome.text(0) == "before\n"
    if ended.run.status != "succeeded":
        assert (ended.run.error["code"], ended.run.error["cell"]) == (
            ended.run.status,
            1,
        )


def test_k20_a_fork_bomb_meets_its_limit(aftermath: Aftermath) -> None:
    word, count = aftermath.runs["fork bomb"].outcome.text(1).split()
    assert (word, 5 < int(count) <= 40) == ("BlockingIOError", True)


def test_k28_what_a_flood_left_is_within_its_limit_and_says_so(
    aftermath: Aftermath,
) -> None:
    text = aftermath.runs["flood"].outcome.text(1)
    assert len(text) < 110_000
    assert "cut at 100,000 bytes" in text


def test_k33_k35_the_next_run_finds_no_trace(aftermath: Aftermath) -> None:
    assert aftermath.runs["fork, waited"].printed(attacks_on_limits.leave_traces, CELLS)
    following = aftermath.runs["the next"]
    assert attacks.evidence(following.outcome, 0) == [False] * 5


def test_k34_a_canary_would_be_found_wherever_it_lay(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\0" + CANARY.encode() + b"\0")
    assert holding_the_canary(tmp_path) == [str(tmp_path / "log")]


def test_nothing_is_left_of_any_run(aftermath: Aftermath) -> None:
    assert len(aftermath.left) == 2
    for left in aftermath.left:
        assert {what: how for what, how in left.items() if how} == {}
    runs = len(aftermath.runs)
    for action in ("lease.opened", "lease.closed"):
        assert Event.objects.filter(action=action).count() == runs
