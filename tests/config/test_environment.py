"""What is missing, malformed or unsafe in the environment stops the process, with the cure."""

import os
import runpy
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment as env
from runner.kernelhost.protocol import LIMIT_BOUNDS
from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.security
KEY = "m5XnOYbnOqMvVh1cJb7QxcVxuKzAqBEa9bAqq7N1FkE="
OTHER_KEY = "Zk0y3kq3Z8h0mJ5g0hQvP1z7bZr2oVYxk4cM0T6yXWQ="
APP = "postgresql://countersign_app:s3cret"
WEB = "postgresql://cs_web:s3cret"


@pytest.fixture
def load(monkeypatch):
    """Load the settings afresh, with these variables changed."""

    def loaded(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(REPOSITORY / "config/settings.py"))

    return loaded


HTTPS = {
    "APPLICATION_ORIGIN": "https://gallery.example.org",
    "CONTENT_ORIGIN": "https://results.example.net",
}
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "the demo for everybody": (HTTPS | {"DEMO": "1"}, "DEMO is for this computer only"),
    "the demo's results for everybody": (
        {"DEMO": "1", "CONTENT_ORIGIN": "https://results.example.net"},
        "DEMO is for this computer only",
    ),
    "debugging for everybody": (
        HTTPS | {"DEMO": "0", "DEBUG": "1"},
        "DEBUG must be off",
    ),
    "passwords in the clear": (
        {"DEMO": "0", "APPLICATION_ORIGIN": "http://gallery.example.org"},
        "APPLICATION_ORIGIN must start with https",
    ),
    "results in the clear": (
        HTTPS | {"DEMO": "0", "CONTENT_ORIGIN": "http://results.example.net"},
        "CONTENT_ORIGIN must start with https",
    ),
    "one host for both": (
        {"CONTENT_ORIGIN": "http://localhost:8001"},
        "another host",
    ),
    "an origin with a path": (
        {"APPLICATION_ORIGIN": "http://localhost/app"},
        "a scheme and a host",
    ),
    "a short secret key": ({"SECRET_KEY": "x"}, "at least 50 random characters"),
    "a monotonous secret key": ({"SECRET_KEY": "x" * 60}, "at least 50 random"),
    "no signing key": ({"SIGNING_KEY": ""}, "decode to 32 bytes"),
    "a signing key of zeros": ({"SIGNING_KEY": "A" * 43 + "="}, "not random"),
    "a signing key with noise": ({"SIGNING_KEY": f"!{KEY}"}, "urlsafe base64"),
    "no result key": ({"RESULT_KEYS": ","}, "at least one key"),
    "an empty result key": ({"RESULT_KEYS": ""}, "at least one key"),
    "a result key twice": ({"RESULT_KEYS": f"{KEY},{KEY}"}, "holds a key twice"),
    "one key for both": (
        {"RESULT_KEYS": f"{OTHER_KEY},{KEY}", "SIGNING_KEY": KEY},
        "or the signing key",
    ),
    "another kind of queue": ({"BROKER_URL": "amqp://localhost"}, "redis://"),
    "runs without output": ({"RUN_OUTPUT_BYTES": "0"}, "RUN_OUTPUT_BYTES must be at"),
    "output that no message holds": (
        {"RUN_OUTPUT_BYTES_PER_CELL": "100000000"},
        "must be at most 41943040",
    ),
    "runs without memory": ({"RUN_MEMORY_BYTES": "1000000"}, "at least 134217728"),
    "statements for ever": ({"QUERY_STATEMENT_S": "100000"}, "at most 86400"),
    "notebooks that no request holds": ({"NOTEBOOK_MAX_BYTES": "99000000"}, "at most"),
    "guessing without a pause": ({"SIGN_IN_FAILURE_LIMIT": "100000"}, "at most 100"),
    "an unknown persona": ({"NOTIONAL_PEOPLE": "surgeon:adams:"}, "'doctor'"),
    "a persona twice": (
        {"NOTIONAL_PEOPLE": "lab:lena:,lab:bill:"},
        "at most once",
    ),
    "a source that no run could name": ({"DATA_SOURCES": "Hospital"}, "small letters"),
    "a superuser to ask for runs": (
        {"DATA_SOURCE_HOSPITAL_TICKET_DSN": "postgresql://postgres:s3cret@127.0.0.1/h"},
        "must log in as cs_web",
    ),
    "tickets in the clear": (
        {"DATA_SOURCE_HOSPITAL_TICKET_DSN": f"{WEB}@db.example.org/h?sslmode=require"},
        "DATA_SOURCE_HOSPITAL_TICKET_DSN leads to another computer",
    ),
    "the database in the clear": (
        {"DATABASE_URL": f"{APP}@db.example.org/countersign"},
        "DATABASE_URL leads to another computer",
    ),
    "nobody to vouch for the database": (
        {"DATABASE_URL": f"{APP}@db.example.org/countersign?sslmode=verify-full"},
        "set PGSSLROOTCERT",
    ),
    "another kind of database": ({"DATABASE_URL": "mysql://a@b/c"}, "postgresql://"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_settings_refuse(load, name):
    variables, words = REFUSED[name]
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(**variables)
    assert words in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


def test_a_deployment_is_accepted(load):
    settings = load(
        **HTTPS,
        DEMO="0",
        SIGNING_KEY=KEY,
        RESULT_KEYS=OTHER_KEY,
        PGSSLROOTCERT="/etc/ssl/ca.pem",
        DATABASE_URL=f"{APP}@db.example.org/countersign?sslmode=verify-full",
        DATA_SOURCE_HOSPITAL_TICKET_DSN=f"{WEB}@db.example.org/h?sslmode=verify-full",
    )
    assert settings["SECURE"]
    database = settings["DATABASES"]["default"]
    assert (database["HOST"], database["NAME"]) == ("db.example.org", "countersign")
    assert database["OPTIONS"]["sslmode"] == "verify-full"


def test_the_defaults_of_a_run_are_within_what_the_kernel_host_takes(load):
    for name, value in load()["RUN_LIMITS"].items():
        low, high = LIMIT_BOUNDS[name]
        assert low <= value <= high, name


def test_a_version_may_always_ask_for_what_every_run_gets(load):
    settings = load(RUN_MEMORY_BYTES=str(64 << 30), RUN_WALL_CLOCK_S_MAX="7200")
    bounds = settings["RUN_LIMIT_BOUNDS"]
    assert bounds["memory_bytes"][1] == settings["RUN_LIMITS"]["memory_bytes"]
    assert bounds["wall_clock_s"] == (1, 7200)
    for name, (low, high) in bounds.items():
        least, most = LIMIT_BOUNDS[name]
        assert least <= low <= settings["RUN_LIMITS"][name] <= high <= most, name


@pytest.mark.parametrize(
    ("most", "said"),
    [("599", "at least 600"), ("90000", "at most 86400"), ("1h", "whole number")],
)
def test_the_most_of_a_limit_is_within_its_bounds(load, most, said):
    with pytest.raises(
        ImproperlyConfigured, match=f"RUN_WALL_CLOCK_S_MAX must be.*{said}"
    ):
        load(RUN_WALL_CLOCK_S_MAX=most)


def test_a_socket_is_named_by_its_folder(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"{APP}@/countersign?host=/run/application-db")
    read = env.database("DATABASE_URL", pool_size=0)
    assert (read["HOST"], read["USER"]) == ("/run/application-db", "countersign_app")
    assert read["PASSWORD"] == "s3cret"
    assert "pool" not in read["OPTIONS"]


def test_connections_are_kept_for_the_next_where_a_pool_is_asked_for(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"{APP}@/countersign?host=/run/application-db")
    read = env.database("DATABASE_URL", pool_size=5)
    assert read["OPTIONS"]["pool"]["max_size"] == 5
    # Else a connection that the server has closed would fail the next request.
    assert read["CONN_HEALTH_CHECKS"]


def test_a_file_that_cannot_be_read_is_named(monkeypatch):
    monkeypatch.setenv("SOME_KEY_FILE", "/nowhere/key")
    with pytest.raises(ImproperlyConfigured, match="/nowhere/key"):
        env.text("SOME_KEY")
    assert "SOME_KEY" not in os.environ
