"""docker/compose.yaml as Docker Compose would read it, less what takes Docker."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.environment import REPOSITORY

FOLDER = REPOSITORY / "docker"
ENV_FILE = {
    "APPLICATION_ORIGIN": "https://gallery.example.org",
    "CONTENT_ORIGIN": "https://results.example.net",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(text: str) -> str:
    """Replace `${NAME:-default}` and `${NAME:?message}`, and `$$` by `$`."""
    parts = text.split("$$")
    return "$".join(
        _VARIABLE.sub(lambda found: ENV_FILE.get(found[1], found[3] or ""), part)
        for part in parts
    )


def compose() -> dict[str, Any]:
    """The whole file."""
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(interpolated(text))
    return read


SERVICES: dict[str, Any] = compose()["services"]


def environment(service: str, secrets: Path | None = None) -> dict[str, str]:
    """What the service's process is told, with its secrets in the folder `secrets`.

    A secret that the service is not given stays where no file is.
    """
    told: dict[str, str] = {}
    for name in SERVICES[service].get("env_file", []):
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                variable, _, value = line.partition("=")
                told[variable] = value
    told |= SERVICES[service].get("environment", {})
    if secrets is None:
        return told
    given = {
        f"/run/secrets/{name}": name for name in SERVICES[service].get("secrets", [])
    }
    return {
        variable: str(secrets / given[value]) if value in given else value
        for variable, value in told.items()
    }


def mounted(service: str) -> set[str]:
    """The folders that the service shares with others."""
    return {volume.split(":")[1] for volume in SERVICES[service].get("volumes", [])}
