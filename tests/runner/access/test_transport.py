"""The address of a database: nothing in it is dropped, and what is remote proves itself."""

import pytest

from runner.access.dsn import where
from runner.access.errors import SourceUnavailable
from runner.access.owners import owner_dsn
from runner.access.transport import UnsafeDsn, is_local, parsed

pytestmark = pytest.mark.security
USER = "postgresql://cs_web:pass%2Fword"


@pytest.mark.parametrize(
    ("dsn", "host", "sslmode"),
    [
        (f"{USER}@127.0.0.1:5433/h", "127.0.0.1", None),
        (f"{USER}@localhost/h?sslmode=disable", "localhost", "disable"),
        (f"{USER}@[::1]/h", "::1", None),
        (f"{USER}@/h?host=/run/data-db", "/run/data-db", None),
        (
            f"{USER}@db.example.org/h?sslmode=verify-full",
            "db.example.org",
            "verify-full",
        ),
        ("host=127.0.0.1 user=cs_web dbname=h", "127.0.0.1", None),
    ],
)
def test_safe_addresses(dsn, host, sslmode):
    parts = parsed(dsn)
    assert (parts["host"], parts.get("sslmode")) == (host, sslmode)


@pytest.mark.parametrize(
    "mode", ["", *("disable", "allow", "prefer"), "require", "verify-ca"]
)
@pytest.mark.parametrize(
    "host", ["db.example.org", "10.0.0.7", "127.0.0.1.example.org"]
)
def test_another_computer_must_prove_itself(host, mode):
    query = f"?sslmode={mode}" if mode else ""
    with pytest.raises(UnsafeDsn, match="sslmode=verify-full"):
        parsed(f"{USER}@{host}/h{query}")


def test_a_mode_that_only_looks_safe_is_refused_on_this_computer_too():
    with pytest.raises(UnsafeDsn, match="proves nothing"):
        parsed(f"{USER}@127.0.0.1/h?sslmode=require")


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        (f"{USER}@127.0.0.1/h?sslrootcert=/ca.pem", "PGSSLROOTCERT"),
        (f"{USER}@127.0.0.1/h?connect_timeout=3", "connect_timeout"),
        (f"{USER}@127.0.0.1/h?options=-crole%3Dx&sslmode=disable", "options"),
        (f"{USER}@localhost/h?hostaddr=10.0.0.7", "hostaddr"),
        (f"{USER}@127.0.0.1/h?sslmod=verify-full", "not a postgresql"),
        (f"{USER}@127.0.0.1/h?tls=1&sslmode=verify-full", "not a postgresql"),
        (f"{USER}@localhost,db.example.org/h", "one host"),
        (f"{USER}@/h", "one host"),
        ("passw0rd-and-no-address", "not a postgresql"),
    ],
)
def test_what_nobody_would_read_is_refused_in_words(dsn, words):
    with pytest.raises(UnsafeDsn) as refusal:
        parsed(dsn)
    assert words in refusal.value.message
    assert "pass/word" not in refusal.value.message
    assert "passw0rd" not in refusal.value.message


@pytest.mark.parametrize("host", ["@abstract", "localhost.example.org", "0.0.0.0", ""])
def test_what_is_not_this_computer(host):
    assert not is_local(host)


def test_a_run_gets_no_unencrypted_way_to_another_computer():
    with pytest.raises(SourceUnavailable, match="verify-full"):
        where(f"{USER}@db.example.org/h")


def test_a_run_gets_the_place_and_the_mode():
    assert where(f"{USER}@db.example.org/h?sslmode=verify-full") == {
        "host": "db.example.org",
        "port": "5432",
        "database": "h",
        "sslmode": "verify-full",
    }


@pytest.mark.parametrize("given", [None, "postgresql://postgres@db.example.org/h"])
def test_a_superusers_password_does_not_cross_the_network_in_the_clear(
    monkeypatch, given
):
    monkeypatch.setenv("SOME_OWNER_DSN", "postgresql://postgres:x@db.example.org/h")
    with pytest.raises(UnsafeDsn, match="verify-full"):
        owner_dsn("SOME_OWNER_DSN", given=given)
