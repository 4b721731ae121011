"""Which process of the demo gets which secret, and who stops when."""

import configparser
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from celery import current_app
from django.conf import settings

from config.demo.__main__ import APPLICATION
from config.demo.programs import (
    APPLICATION_SECRETS,
    DATA_LOGINS,
    REPOSITORY,
    Demo,
    beat_environment,
    keep_secrets,
    owner_environment,
    programs,
    web_environment,
    worker_environment,
)
from config.demo.state import Home
from config.demo.supervision import configuration
from config.embedded import launcher


@pytest.fixture
def demo(tmp_path):
    home = Home(tmp_path / "it's 100%")
    home.prepare()
    made = Demo(
        home, 8000, {"application": 5001, "data": 5002, "broker": 5003}, "required"
    )
    keep_secrets(made)
    return made


def by_name(demo):
    return {program.name: program for program in programs(demo)}


def files_named(environment):
    return {
        name.removesuffix("_FILE") for name in environment if name.endswith("_FILE")
    }


def data_logins_of(environment):
    return {
        name for name in files_named(environment) if name.startswith("DATA_SOURCE_")
    }


@pytest.mark.security
def test_the_kernel_host_gets_no_secret_at_all(demo):
    environment = by_name(demo)["kernels"].launch.environment
    assert files_named(environment) == set()
    assert not set(environment) & {*APPLICATION_SECRETS, "DATA_SOURCES", "DEMO"}
    assert secret_values(demo).isdisjoint(environment.values())


def test_which_kernels_wait_is_for_whoever_starts_the_demo_to_say(demo):
    def pool_of(demo):
        environment = by_name(demo)["kernels"].launch.environment
        return environment.get("KERNEL_HOST_POOL")

    assert pool_of(demo) is None, "the kernel host has a default of its own"
    for pool in ("python-analytics/python3=0", ""):
        assert pool_of(replace(demo, pool=pool)) == pool


@pytest.mark.security
def test_the_web_server_can_only_ask_for_runs(demo):
    assert data_logins_of(web_environment(demo)) == {
        "DATA_SOURCE_HOSPITAL_TICKET_DSN",
        "DATA_SOURCE_HOSPITAL_NOTIONAL_TICKET_DSN",
    }


@pytest.mark.security
def test_the_worker_cannot_ask_for_runs(demo):
    assert data_logins_of(worker_environment(demo)) == {
        "DATA_SOURCE_HOSPITAL_BROKER_DSN",
        "DATA_SOURCE_HOSPITAL_NOTIONAL_BROKER_DSN",
        "DATA_SOURCE_HOSPITAL_IDENTITY_DSN",
        "DATA_SOURCE_HOSPITAL_NOTIONAL_IDENTITY_DSN",
    }


@pytest.mark.security
def test_beat_gets_the_queue_and_nothing_else(demo):
    environment = beat_environment(demo)
    assert files_named(environment) == {"BROKER_URL"}
    assert secret_values(demo).isdisjoint(environment.values())


@pytest.mark.security
def test_nobody_who_stays_gets_the_owner_of_the_tables_or_a_superuser(demo):
    password = demo.home.secret("countersign_owner")
    for program in programs(demo):
        for name, file in program.launch.environment.items():
            if name.endswith("_FILE"):
                text = Path(file).read_text()
                assert password not in text
                assert "postgres:" not in text.removeprefix("postgresql:")
    assert files_named(owner_environment(demo)) == set(APPLICATION_SECRETS)


@pytest.mark.security
def test_no_secret_stands_in_an_argument_or_a_configuration(demo):
    text = configuration(demo)
    for file in demo.home.sockets.iterdir():
        text += file.read_text()
    kept = [value for value in secret_values(demo) if value in text]
    assert kept == []


def secret_values(demo):
    return {file.read_text() for file in demo.home.secrets.iterdir()}


def test_secrets_are_made_once_and_readable_by_their_owner_only(demo):
    before = secret_values(demo)
    keep_secrets(demo)
    assert secret_values(demo) == before
    assert {file.stat().st_mode & 0o777 for file in demo.home.secrets.iterdir()} == {
        0o600
    }
    assert len(before) >= len(DATA_LOGINS) * 3


def stopping(demo):
    """What supervisord stops at once, in the order of stopping."""
    parsed = configparser.RawConfigParser()
    parsed.read_string(configuration(demo))
    grouped = {
        member: section
        for section in parsed.sections()
        if section.startswith("group:")
        for member in parsed[section]["programs"].split(",")
    }
    sections = {grouped.get(name, f"program:{name}") for name in by_name(demo)}
    order = sorted(sections, key=lambda section: -parsed.getint(section, "priority"))
    members = {section: {section.removeprefix("program:")} for section in order}
    for name, section in grouped.items():
        members[section] = {*members[section], name} - {section}
    return [members[section] for section in order]


def test_workers_drain_before_the_kernel_host_and_databases_stop_last(demo):
    assert stopping(demo) == [
        {"worker", "api-worker", "live-worker", "sweeper", "web", "beat"},
        {"kernels"},
        {"broker"},
        {"application-db", "data-db"},
    ]


#: A queue that shared its workers with another could be starved by it; who waits at a page never is.
SERVED_BY = {
    "worker": ["page"],
    "api-worker": ["api", "batch"],
    "live-worker": ["interactive"],
}
SERVED_BY_SERVICE = {
    "worker": ["page"],
    "api-worker": ["api"],
    "batch-worker": ["batch"],
    "live-worker": ["interactive"],
}


def queues_of(arguments: list[str]) -> list[str]:
    return arguments[arguments.index("-Q") + 1].split(",")


def test_no_run_keeps_a_sweep_waiting(demo):
    found = by_name(demo)
    served = {
        name: queues_of(list(found[name].launch.argv))
        for name in (*SERVED_BY, "sweeper")
    }
    assert served == {**SERVED_BY, "sweeper": ["sweep"]}


def test_no_run_keeps_a_sweep_waiting_under_compose_either():
    services = yaml.safe_load((REPOSITORY / "docker/compose.yaml").read_text())
    served = {
        name: queues_of(service["command"])
        for name, service in services["services"].items()
        if "-Q" in service.get("command", [])
    }
    assert served == {**SERVED_BY_SERVICE, "sweep": ["sweep"]}


def test_everything_that_beat_sends_is_a_sweep():
    tasks = [each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()]
    router = current_app.amqp.router
    assert {router.route({}, task)["queue"].name for task in tasks} == {"sweep"}


def started_by_itself(demo, *at_once):
    parsed = configparser.RawConfigParser()
    parsed.read_string(configuration(demo, *at_once))
    return {
        name
        for name in by_name(demo)
        if parsed.getboolean(f"program:{name}", "autostart")
    }


def test_the_application_starts_with_the_services_only_where_its_data_is_there(demo):
    services = {"application-db", "data-db", "broker", "kernels"}
    assert started_by_itself(demo) == services
    assert started_by_itself(demo, *APPLICATION) == set(by_name(demo))


def test_one_worker_asks_the_checks_for_all_of_them(demo):
    """They are the same code, told the same."""
    workers = [by_name(demo)[name].launch for name in (*SERVED_BY, "sweeper")]
    assert [launch.environment for launch in workers] == [workers[0].environment] * len(
        workers
    )
    asking = [each for each in workers if "--skip-checks" not in each.argv]
    assert len(asking) == 1


def test_databases_stop_by_sigint_and_the_rest_by_sigterm(demo):
    signals = {name: program.stop_signal for name, program in by_name(demo).items()}
    assert signals.pop("application-db") == signals.pop("data-db") == "INT"
    assert set(signals.values()) == {"TERM"}


def test_stopping_takes_less_than_twenty_seconds_even_if_everything_hangs(demo):
    """With as much again as a busy machine needs to notice that something has ended."""
    waits = {name: program.stop_wait_s for name, program in by_name(demo).items()}
    assert sum(max(waits[name] for name in level) for level in stopping(demo)) <= 14


def test_supervisord_reads_back_every_command_as_it_was_meant(demo):
    parsed = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parsed.read_string(configuration(demo))
    for program in programs(demo):
        command = parsed[f"program:{program.name}"]["command"].replace("%%", "%")
        launch = launcher.read(shlex.split(command)[-1])
        meant = replace(program.launch, death_signal=launch.death_signal)
        assert launch.argv == list(meant.argv)
        if program.name != "beat":  # which gets fresh random values
            assert launch.environment == meant.environment
        assert launch.death_signal


def test_the_two_origins_have_different_hosts(demo):
    assert demo.application_origin == "http://localhost:8000"
    assert demo.content_origin == "http://127.0.0.1:8000"
