"""The secrets of a deployment: all of them, made once, each for the user that reads it."""

import os
import re
import stat

import pytest

from tests.docker.compose import FOLDER, SERVICES, compose
from tests.docker.conftest import make_secrets

pytestmark = pytest.mark.security


def reader_of(service: str) -> int:
    """The uid that the service's process has."""
    if "user" in SERVICES[service]:
        return int(SERVICES[service]["user"].split(":")[0])
    assert SERVICES[service]["image"] == "countersign-app"
    dockerfile = (FOLDER / "Dockerfile").read_text()
    return int(re.findall(r"^USER (\d+)$", dockerfile, re.MULTILINE)[-1])


def given() -> list[tuple[str, str]]:
    return [
        (service, name)
        for service, described in SERVICES.items()
        for name in described.get("secrets", [])
    ]


def test_every_secret_is_made_and_used(secrets_folder):
    declared = compose()["secrets"]
    for name, source in declared.items():
        assert source == {"file": f"secrets/{name}"}
        assert (secrets_folder / name).stat().st_size > 20, name
    assert {name for _, name in given()} == set(declared)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands files over")
@pytest.mark.parametrize(("service", "name"), given())
def test_a_service_can_read_its_secret_and_nobody_else_can(
    secrets_folder, service, name
):
    file = (secrets_folder / name).stat()
    assert file.st_uid == reader_of(service)
    assert stat.S_IMODE(file.st_mode) == 0o400


def test_running_the_script_again_changes_nothing(secrets_folder, tmp_path):
    before = {file.name: file.read_bytes() for file in secrets_folder.iterdir()}
    make_secrets(secrets_folder, tmp_path)
    after = {file.name: file.read_bytes() for file in secrets_folder.iterdir()}
    assert after == before


def test_a_data_source_of_ones_own_stays(tmp_path):
    folder, tools = tmp_path / "secrets", tmp_path
    own = "postgresql://cs_web:x@db.example.org/ward?sslmode=verify-full"
    make_secrets(folder, tools)
    (folder / "data_ticket_dsn").chmod(0o600)
    (folder / "data_ticket_dsn").write_text(own)
    make_secrets(folder, tools)
    assert (folder / "data_ticket_dsn").read_text() == own


def test_no_secret_stands_in_the_compose_file_or_beside_it(secrets_folder):
    text = (FOLDER / "compose.yaml").read_text()
    text += "".join(file.read_text() for file in (FOLDER / "sources").glob("*/*.env"))
    for file in secrets_folder.iterdir():
        assert file.read_text() not in text
