"""The two commands for the owners of a data source."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from runner.access.sources import DataSourceSettings, Dsns


@pytest.fixture
def ward(settings, throwaway, monkeypatch):
    """A data source `ward` in the settings, and its owner in the environment."""
    settings.DATA_SOURCES = {
        "ward": DataSourceSettings("ward", real=throwaway.dsns, notional=Dsns())
    }
    monkeypatch.setenv("DATA_SOURCE_WARD_OWNER_DSN", throwaway.owner_dsn)
    return throwaway


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_install_then_check(ward):
    assert f"cs_run_{ward.name}" in run("install_data_source", "ward")
    assert "Nothing refuses launches" in run("check_data_source", "ward")


def test_check_without_the_owner_uses_the_broker(ward, monkeypatch):
    run("install_data_source", "ward")
    monkeypatch.delenv("DATA_SOURCE_WARD_OWNER_DSN")
    assert "Nothing refuses launches" in run("check_data_source", "ward")


def test_check_fails_and_says_what_to_do(ward):
    run("install_data_source", "ward")
    ward.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    out = StringIO()
    with pytest.raises(CommandError, match="launches on this source are refused"):
        call_command("check_data_source", "ward", stdout=out)
    assert "REVOKE USAGE ON SCHEMA public FROM PUBLIC" in out.getvalue()


@pytest.mark.parametrize("command", ["install_data_source", "check_data_source"])
def test_an_unknown_source_is_named(ward, command):
    with pytest.raises(CommandError, match="does not name 'nothing'"):
        run(command, "nothing")


@pytest.mark.parametrize("command", ["install_data_source", "check_data_source"])
def test_a_missing_owner_is_asked_for(ward, command):
    with pytest.raises(CommandError, match="Set DATA_SOURCE_WARD_NOTIONAL_OWNER_DSN"):
        run(command, "ward", "--notional")


def test_installing_as_another_kind_is_refused(ward):
    run("install_data_source", "ward")
    with pytest.raises(CommandError, match="never changes"):
        run("install_data_source", "ward", "--notional", "--dsn", ward.owner_dsn)
