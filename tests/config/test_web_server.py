"""The web server is started alike everywhere: sockets take uploads, and compress nothing."""

import json

import pytest

from config.demo.programs import web_arguments
from runner.live.frames import MAX_FRAME_BYTES
from tests.support.environment import REPOSITORY


def container_arguments() -> list[str]:
    """What the last stage of the image starts."""
    lines = (REPOSITORY / "docker/Dockerfile").read_text().splitlines()
    command = next(line for line in reversed(lines) if line.startswith("CMD"))
    return list(json.loads(command.removeprefix("CMD ")))


@pytest.mark.security
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--ws-max-size", str(MAX_FRAME_BYTES)),
        ("--ws-per-message-deflate", "false"),
        ("--lifespan", "off"),
    ],
)
def test_every_web_server_is_told_the_same(option: str, value: str) -> None:
    for arguments in (list(web_arguments(8000)), container_arguments()):
        assert arguments[arguments.index(option) + 1] == value
