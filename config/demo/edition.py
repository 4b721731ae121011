"""Which demo a home was last brought up to, so that a start need not find out again.

Migrating and loading cost two Django processes, one after the other, before anything else can
start; when not a byte of what they are made from has changed they would change nothing.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from config.demo.programs import DATA_LOGINS, REPOSITORY, Demo
from config.embedded import application
from config.embedded.files import write_private

MADE_FROM = (
    "requirements.txt",
    "docker/postgres/*",
    "config/demo/**/*",
    "config/embedded/application.py",
    "runner/access/**/*",
    "*/migrations/*",
)


def is_present(demo: Demo) -> bool:
    """Tell whether both clusters hold what this code would make."""
    servers = (demo.application_server(), demo.data_server())
    marker = _marker(demo)
    return (
        all(server.is_initialised() for server in servers)
        and marker.exists()
        and marker.read_text(encoding="utf-8") == _made(demo)
    )


def note(demo: Demo) -> None:
    """Remember that everything is made, once it is."""
    write_private(_marker(demo), _made(demo))


def _made(demo: Demo) -> str:
    """Name what a start would make in this home: roles also get their passwords."""
    digest = hashlib.sha256(fingerprint().encode())
    for role in (application.OWNER, application.APP, *DATA_LOGINS.values()):
        digest.update(demo.home.secret(role).encode())
    return digest.hexdigest()


def fingerprint(repository: Path = REPOSITORY) -> str:
    """Name what a start would make, by every file that it is made from."""
    digest = hashlib.sha256()
    for file in sorted(set(_files(repository))):
        digest.update(f"{file.relative_to(repository)}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(repository: Path) -> Iterator[Path]:
    for pattern in MADE_FROM:
        for file in repository.glob(pattern):
            if file.is_file() and file.suffix != ".pyc":
                yield file


def _marker(demo: Demo) -> Path:
    """Beside the application's cluster: who deletes that deletes the marker, too."""
    return demo.home.path / "application" / "edition"
