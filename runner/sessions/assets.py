"""The files that the page of a live session loads, at addresses that never change what they mean.

Everything is looked up by its whole address in what one scan found; no path is made of what a
request says. The files are public and the same for everybody: a page in an opaque origin loads
them without a cookie, and keeps them for a year.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from whitenoise.base import WhiteNoise
from whitenoise.responders import StaticFile

from runner.sessions.voila import LOCK_FILE, WIDGETS

PREFIX = "/assets/"
YEAR_S = 31_536_000
POLICY = "default-src 'none'"
DIGEST_CHARS = 16
#: What changes the page's own address when it changes.
OWN = Path(__file__).parent / "frontend"
FETCHED = Path(__file__).parents[2] / ".frontend"
VENDOR = Path(__file__).parents[2] / "static" / "vendor"
#: The front end's scripts that every page loads, a name each line.
PRELOADS = Path(__file__).parent / "preloads.txt"
FONTS = ("ibm-plex-sans-5.3.0", "ibm-plex-mono-5.3.0")
PLUGIN = "countersign-live"

_LABEXTENSIONS = "share/jupyter/labextensions"
_SMALLEST_TO_COMPRESS_BYTES = 1_000
_COMPRESSIBLE = ("text/", "application/json", "image/svg+xml")


class MissingAssets(Exception):
    """What a page needs is not installed here."""


@dataclass(frozen=True)
class Extension:
    """One federated extension: as JupyterLab names it, and the parts that it has."""

    name: str
    #: Its entry, below /assets/.
    load: str
    parts: tuple[tuple[str, str], ...] = ()


class _Files(WhiteNoise):
    """WhiteNoise's files, as far as pages load them."""

    def __init__(self) -> None:
        super().__init__(
            None,
            max_age=YEAR_S,
            allow_all_origins=True,
            add_headers_function=_add_headers,
        )

    def add_file_to_dictionary(
        self, url: str, path: str, stat_cache: dict[str, Any] | None = None
    ) -> None:
        if not path.endswith((".map", ".txt", ".json", ".md")):
            super().add_file_to_dictionary(url, path, stat_cache=stat_cache)

    def add_cache_headers(self, headers: Headers, path: str, url: str) -> None:
        headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"


def _add_headers(headers: Headers, path: str, url: str) -> None:
    # Without it a frame whose origin is opaque may not load the file.
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = POLICY


class Assets:
    """What was found in one scan, by address."""

    def __init__(self, *, fetched: Path, environments: Path) -> None:
        self._files = _Files()
        self._by_environment: dict[tuple[str, str], list[Extension]] = {}
        self.own = f"{PREFIX}page/{_digest_of(OWN)}/"
        self._files.add_files(str(OWN), self.own)
        for font in FONTS:
            self._files.add_files(str(VENDOR / font), f"{self.own}{font}/")
        self.voila, self._widgets = self._add_fetched(fetched)
        #: Where the scripts are that a page asks for one after the other, unless told at once.
        self.preloads = self._find_preloads()
        for lock in sorted(environments.glob(f"*/{LOCK_FILE}")):
            self._add_environment(lock.parent, _short(_sha256(lock.read_bytes())))

    def _add_fetched(self, fetched: Path) -> tuple[str, list[Extension]]:
        """Add Voilà's files; return where its scripts are, and its extension."""
        lock = fetched / LOCK_FILE
        if not lock.exists():
            return "", []
        root = f"{PREFIX}voila/{_short(_sha256(lock.read_bytes()))}/"
        self._files.add_files(str(fetched / "static"), f"{root}static/")
        return f"{root}static/", self._add_extension(fetched / WIDGETS, root)

    def _find_preloads(self) -> list[str]:
        names = PRELOADS.read_text().splitlines()
        addresses = (self.voila + name for name in names)
        return [each for each in addresses if each in self._files.files]

    def _add_environment(self, environment: Path, lock: str) -> None:
        root = f"{PREFIX}lab/{environment.name}/{lock}/"
        folder = environment / _LABEXTENSIONS
        packages = [*folder.glob("*/package.json"), *folder.glob("@*/*/package.json")]
        found: list[Extension] = []
        for package in sorted(packages):
            found += self._add_extension(package.parent, root)
        self._by_environment[environment.name, lock] = found

    def _add_extension(self, folder: Path, root: str) -> list[Extension]:
        """Add one labextension's files; return it, unless it has nothing to load."""
        try:
            package = json.loads((folder / "package.json").read_bytes())
            built = dict(package["jupyterlab"]["_build"])
            # Some begin with "./", which no address does.
            name, entry = str(package["name"]), str(PurePosixPath(built.pop("load")))
        except (ValueError, KeyError, TypeError):
            return []
        place = f"{root}{name}/"
        self._files.add_files(str(folder / "static"), f"{place}static/")
        if place + entry not in self._files.files:
            return []
        parts = (
            (part, str(built[part]))
            for part in ("extension", "mimeExtension", "style")
            if part in built
        )
        load = (place + entry).removeprefix(PREFIX)
        return [Extension(name, load, tuple(parts))]

    def find(self, address: str) -> StaticFile | None:
        """Return the file at exactly this address."""
        found: StaticFile | None = self._files.files.get(address)
        return found

    def extensions(self, environment: str, lock_sha256: str) -> list[Extension]:
        """Return what a page with this environment's widgets loads, ours last.

        All of them, whatever the notebook imports: a library may bring another's widgets
        along, and which kinds of output an extension shows is known to its script alone.
        Browsers keep them for a year, and `python-analytics` has next to none.

        Raises MissingAssets when the environment, with exactly this lock, or the front
        end is not installed.
        """
        theirs = self._by_environment.get((environment, _short(lock_sha256)))
        if theirs is None or not self._widgets:
            raise MissingAssets(environment)
        own = Extension(
            PLUGIN,
            f"{self.own}live.js".removeprefix(PREFIX),
            (("extension", "./extension"),),
        )
        return [*theirs, *self._widgets, own]


@cache
def assets() -> Assets:
    """Return what is installed, as this process found it when it was first asked."""
    return Assets(fetched=FETCHED, environments=settings.ENVIRONMENTS_DIR)


def answer(file: StaticFile, request: HttpRequest) -> HttpResponse:
    """Return a file as a response: compressed where the browser takes it so."""
    found = file.get_response(str(request.method), request.META)
    headers = dict(found.headers)
    body = b""
    if found.file is not None:
        with found.file:
            body = found.file.read()
    is_whole = found.status == HTTPStatus.OK and bool(body)
    if is_whole and "gzip" in _taken(request) and _is_to_compress(headers):
        body = _compressed(found.file.name)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        headers["Content-Length"] = str(len(body))
    return HttpResponse(body, status=found.status, headers=headers)


def _taken(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_ACCEPT_ENCODING", ""))


def _is_to_compress(headers: dict[str, str]) -> bool:
    kind = headers.get("Content-Type", "")
    return (
        "Content-Encoding" not in headers
        and kind.startswith(_COMPRESSIBLE)
        and int(headers.get("Content-Length", "0")) >= _SMALLEST_TO_COMPRESS_BYTES
    )


@lru_cache(maxsize=512)
def _compressed(path: str) -> bytes:
    """Compress what environments bring; they are built where nobody does."""
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)


def _digest_of(folder: Path) -> str:
    contents = (path.read_bytes() for path in sorted(folder.iterdir()))
    return _short(_sha256(b"".join(contents)))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _short(sha256: str) -> str:
    return sha256[:DIGEST_CHARS]
