"""Each service of docker/compose.yaml starts with what it is given, and is given no more."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runner.access.transport import parsed
from runner.kernelhost.settings import read_settings
from runner.workflow import Queue
from tests.docker.compose import SERVICES, compose, environment, mounted
from tests.support.environment import REPOSITORY, home
from tests.support.services import once

pytestmark = pytest.mark.security
QUEUES = {*Queue.values, "sweep"}
WORKERS = ["worker", "api-worker", "batch-worker", "live-worker", "sweep"]
DJANGO = ["web", *WORKERS, "beat", "migrate", "install"]
NETWORKS: dict[str, Any] = compose()["networks"]
STAYING = sorted(SERVICES.keys() - {"migrate", "install"})


@functools.cache
def settings_of_all(secrets: Path) -> dict[str, dict[str, Any]]:
    """What each service's own settings say, read once in this session."""
    kept = home() / "settings-of-services.json"
    with once("settings-of-services") as first:
        if first:
            kept.write_text(json.dumps(told_by_services(secrets)))
    told: dict[str, dict[str, Any]] = json.loads(kept.read_text())
    return told


def told_by_services(secrets: Path) -> dict[str, dict[str, Any]]:
    """Start each service in a process with its environment alone."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.docker.tell"],
        cwd=REPOSITORY,
        env={},
        input=json.dumps({name: environment(name, secrets) for name in DJANGO}),
        capture_output=True,
        text=True,
    )
    told: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        told |= json.loads(line)
    return {name: told.get(name, {"did not start": done.stderr}) for name in DJANGO}


def settings_of(service: str, secrets: Path) -> dict[str, Any]:
    """What the service's own settings say."""
    told = settings_of_all(secrets)[service]
    assert "user" in told, told["did not start"][-2000:]
    return told


def purposes(service: str, secrets: Path) -> set[str]:
    return {name.split()[2] for name in settings_of(service, secrets)["dsns"]}


@pytest.mark.parametrize("service", DJANGO)
def test_a_service_starts_with_what_it_is_given(secrets_folder, service):
    assert settings_of(service, secrets_folder)


@pytest.mark.parametrize("service", DJANGO)
def test_a_service_is_given_the_secrets_that_it_reads_and_no_others(service):
    named = {
        value.removeprefix("/run/secrets/")
        for name, value in environment(service).items()
        if name.endswith("_FILE")
    }
    assert named == set(SERVICES[service]["secrets"])


@pytest.mark.parametrize("service", DJANGO)
def test_a_service_reaches_every_database_that_it_has_a_login_to(
    secrets_folder, service
):
    told = settings_of(service, secrets_folder)
    hosts = {parsed(dsn)["host"] for dsn in told["dsns"].values()}
    hosts |= {told["host"]} - {"127.0.0.1"}  # of nobody: beat and install need none
    assert hosts <= mounted(service)
    if told["socket"]:
        assert str(Path(told["socket"]).parent) in mounted(service)


def test_web_asks_for_runs_and_can_do_no_more(secrets_folder):
    assert purposes("web", secrets_folder) == {"ticket"}
    assert settings_of("web", secrets_folder)["user"] == "countersign_app"


def test_web_does_not_reach_the_kernel_host(secrets_folder):
    assert settings_of("web", secrets_folder)["socket"] == ""
    assert "/run/countersign" not in mounted("web")


@pytest.mark.parametrize("service", WORKERS)
def test_workers_open_logins_and_cannot_ask_for_them(secrets_folder, service):
    assert purposes(service, secrets_folder) == {"broker", "identity"}
    assert settings_of(service, secrets_folder)["socket"]


@pytest.mark.parametrize("service", ["web", *WORKERS])
def test_whoever_previews_or_syncs_knows_the_invented_people(secrets_folder, service):
    assert "doctor" in settings_of(service, secrets_folder)["notional_people"]


@pytest.mark.parametrize("service", ["web", *WORKERS, "beat"])
def test_whoever_sends_or_takes_messages_knows_the_queue(secrets_folder, service):
    address = urlsplit(settings_of(service, secrets_folder)["broker"])
    assert address.hostname in SERVICES


def test_beat_is_given_the_queue_and_nothing_else():
    real = {
        name for name in SERVICES["beat"]["secrets"] if not name.startswith("unused")
    }
    assert real == {"broker_url"}
    assert mounted("beat") == set()


def test_only_migrations_are_the_owner_of_the_tables(secrets_folder):
    assert settings_of("migrate", secrets_folder)["user"] == "countersign_owner"
    for service in STAYING:
        assert "owner_database_url" not in SERVICES[service].get("secrets", [])


def test_installing_has_all_logins_and_the_owner_and_does_not_stay(secrets_folder):
    assert purposes("install", secrets_folder) == {"ticket", "broker", "identity"}
    told = environment("install", secrets_folder)
    for part in ("", "NOTIONAL_"):
        owner = Path(told[f"DATA_SOURCE_HOSPITAL_{part}OWNER_DSN_FILE"]).read_text()
        assert parsed(owner)["user"] == "postgres"
    assert SERVICES["install"]["profiles"] == ["install"]
    assert SERVICES["install"]["restart"] == "no"
    for service in STAYING:
        assert "owner_dsn" not in str(SERVICES[service].get("secrets", []))


def test_the_kernel_host_starts_and_is_given_no_secret():
    told = environment("kernels")
    assert str(read_settings(told).socket.parent) in mounted("kernels")
    assert "secrets" not in SERVICES["kernels"]
    assert not [name for name in told if name.endswith("_FILE")]
    assert SERVICES["kernels"]["networks"] == ["data"]


def test_every_queue_is_served():
    served = {
        word
        for service in WORKERS
        for word in SERVICES[service]["command"]
        if word in QUEUES
    }
    assert served == QUEUES


@pytest.mark.parametrize("service", STAYING)
def test_every_service_that_stays_tells_its_health(service):
    assert SERVICES[service]["healthcheck"]["test"]


@pytest.mark.parametrize("service", [*DJANGO, "kernels"])
def test_a_service_waits_for_what_it_needs(service):
    needed = SERVICES[service]["depends_on"]
    for name, wish in needed.items():
        stays = name in STAYING
        expected = "service_healthy" if stays else "service_completed_successfully"
        assert wish["condition"] == expected, name
        # The trial's database is there in a trial only.
        assert wish.get("required", True) == (name != "data-db")
    wanted = {
        "web": {"migrate", "broker", "application-db", "data-db"},
        **{name: {"migrate", "broker", "kernels", "data-db"} for name in WORKERS},
        "beat": {"migrate", "broker"},
        "migrate": {"application-db"},
    }
    assert set(needed) == wanted.get(service, {"data-db"})


def test_the_proxys_address_is_the_fixed_gateway_of_the_front():
    trusted = environment("web")["FORWARDED_ALLOW_IPS"]
    (config,) = NETWORKS["front"]["ipam"]["config"]
    assert trusted == config["gateway"]
    assert [
        name for name in SERVICES if "front" in SERVICES[name].get("networks", [])
    ] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_networks_lead_nowhere_but_the_front():
    assert NETWORKS["queue"]["internal"] is True
    assert NETWORKS["data"]["internal"] is True  # unless .env opens it


def test_shared_folders_have_one_server_each():
    assert (
        "application-socket:/var/run/postgresql"
        in SERVICES["application-db"]["volumes"]
    )
    assert "data-socket:/var/run/postgresql" in SERVICES["data-db"]["volumes"]


def test_the_page_turns_the_trials_source_into_ones_own(tmp_path):
    page = (REPOSITORY / "docs/how-to/deploy-with-docker-compose.md").read_text()
    told = [
        line.strip()
        for line in page.splitlines()
        if line.startswith(("        cp -r", "        sed -i", "        printf"))
    ]
    assert len(told) == 3
    shutil.copytree(REPOSITORY / "docker/sources", tmp_path / "docker/sources")
    subprocess.run(["bash", "-ec", "\n".join(told)], cwd=tmp_path, check=True)
    assert (tmp_path / "docker/.env").read_text().startswith("SOURCE=ward\n")
    for name in ("web", "worker", "install"):
        text = (tmp_path / f"docker/sources/ward/{name}.env").read_text()
        assert "DATA_SOURCES=ward\n" in text
        assert "DATA_SOURCE_WARD_" in text
        assert "HOSPITAL" not in text
