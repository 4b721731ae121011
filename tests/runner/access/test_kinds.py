"""What every kind of data source must do; a new kind adds itself to KINDS and passes."""

from uuid import uuid4

import pytest

from runner.access.errors import AccessError, LeaseRefused
from runner.access.kinds import DataSourceKind, Refused
from runner.access.kinds.postgresql import PostgreSQL
from runner.access.sources import Dsns
from tests.runner.access.conftest import age, ask, live_others

KINDS: list[DataSourceKind] = [PostgreSQL()]
"""With each kind: the demo hospital, in which adams is a doctor of some of 5,000 patients."""

COUNT = "SELECT count(*) FROM clinic.patients"


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.fixture
def lease(kind, hospital):
    run_id = ask(hospital)
    yield kind.open(hospital, run_id=run_id, source="wards")
    kind.close(hospital, run_id=run_id)


def test_check_finds_nothing_wrong_with_a_protected_source(kind, hospital):
    assert kind.check(hospital) == []


def test_check_needs_a_login(kind):
    with pytest.raises(LeaseRefused):
        kind.check(Dsns())


def test_open_gives_a_login_of_its_own_that_names_its_source(kind, hospital, lease):
    other = kind.open(hospital, run_id=ask(hospital))
    kind.close(hospital, run_id=other.run_id)
    assert (lease.source, other.source) == ("wards", "hospital")
    assert (lease.role, lease.password) != (other.role, other.password)


def test_open_redeems_a_ticket_once(kind, hospital, lease):
    with pytest.raises(LeaseRefused):
        kind.open(hospital, run_id=lease.run_id)


def test_open_without_a_ticket_is_refused(kind, hospital):
    with pytest.raises(LeaseRefused):
        kind.open(hospital, run_id=uuid4())


def test_connect_reads_as_the_person(kind, lease):
    with kind.connect(lease) as connection:
        assert 0 < connection.execute(COUNT)[0][0] < 5000


def test_connect_says_refused_for_what_the_person_may_not_see(kind, lease):
    with kind.connect(lease) as connection:
        for hidden in (
            "SELECT amount FROM clinic.invoices",
            "SELECT body FROM records.notes",
        ):
            with pytest.raises(Refused):
                connection.execute(hidden)


def test_close_ends_the_login_and_may_be_repeated(kind, hospital, lease):
    for _ in range(2):
        kind.close(hospital, run_id=lease.run_id)
    with pytest.raises(AccessError), kind.connect(lease):
        pass


def test_close_ends_an_open_session(kind, hospital, lease):
    with kind.connect(lease) as connection:
        kind.close(hospital, run_id=lease.run_id)
        with pytest.raises(AccessError):
            connection.execute(COUNT)


def test_reap_ends_what_is_not_live_and_spares_what_is(kind, hospital, lease, owner):
    alive = kind.open(hospital, run_id=ask(hospital, "baker"))
    age(owner, lease)
    reaped = kind.reap(hospital, live_run_ids=live_others(owner) - {lease.run_id})
    assert lease.role in reaped
    assert alive.role not in reaped
    with kind.connect(alive) as connection:
        assert connection.execute(COUNT)[0][0] > 0
    kind.close(hospital, run_id=alive.run_id)
