"""Files of the page: found by their whole address or not at all, kept for a year, free to all."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from runner.results.headers import authority
from runner.sessions import assets as module
from runner.sessions.assets import Assets, MissingAssets, assets

CONTENT = authority(settings.CONTENT_ORIGIN)
APPLICATION = authority(settings.APPLICATION_ORIGIN)
YEAR = "public, max-age=31536000, immutable"


def get(address: str, method: str = "get", **headers):
    return getattr(Client(), method)(address, headers={"host": CONTENT, **headers})


def own(name: str) -> str:
    return f"{assets().own}{name}"


def package(folder: Path, name: str, built: object, files: tuple[str, ...]) -> None:
    place = folder / "share/jupyter/labextensions" / name
    (place / "static").mkdir(parents=True)
    described = {"name": name, "jupyterlab": {"_build": built}}
    (place / "package.json").write_text(json.dumps(described))
    for file in files:
        (place / "static" / file).write_text("1")


@pytest.fixture
def made(tmp_path) -> Assets:
    """Two environments, of which one brings extensions."""
    plots, bare = tmp_path / "plots", tmp_path / "bare"
    entry = {"load": "static/remoteEntry.js", "extension": "./extension"}
    package(plots, "@maps/leaf", entry, ("remoteEntry.js", "1.js", "1.js.map"))
    dotted = {"load": "./static/remoteEntry.js", "mimeExtension": "./mime"}
    package(plots, "mime", {**entry, **dotted}, ("remoteEntry.js",))
    package(plots, "theme-only", {"style": "./style"}, ("style.js",))
    package(plots, "no-entry", entry, ("other.js",))
    package(plots, "odd", "what", ())
    bare.mkdir()
    for environment in (plots, bare):
        (environment / "lock.txt").write_text(f"of {environment.name}")
    (tmp_path / "unfinished").mkdir()
    return Assets(fetched=module.FETCHED, environments=tmp_path)


def lock(name: str) -> str:
    return hashlib.sha256(f"of {name}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("live.js", "text/javascript"),
        ("page.css", "text/css"),
        ("ibm-plex-sans-5.3.0/ibm-plex-sans-latin-400-normal.woff2", "font/woff2"),
    ],
)
def test_a_file_may_be_kept_and_used_by_a_frame_without_an_origin(name, kind):
    response = get(own(name))
    assert response.status_code == 200
    assert response["Content-Type"].split(";")[0] == kind
    assert response["Cache-Control"] == YEAR
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'"
    assert not response.cookies


@pytest.mark.django_db
def test_a_file_is_there_for_the_content_origin_only():
    response = Client().get(own("live.js"), headers={"host": APPLICATION})
    assert response.status_code in {301, 302, 404}


@pytest.mark.parametrize("address", [own("live.js"), f"{assets().voila}voila.js"])
def test_it_is_compressed_where_that_is_wanted(address):
    plain = get(address)
    packed = get(address, **{"accept-encoding": "br, gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Vary"] == "Accept-Encoding"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert gzip.decompress(packed.content) == plain.content


def test_a_font_is_not_compressed_again():
    font = own("ibm-plex-sans-5.3.0/ibm-plex-sans-latin-400-normal.woff2")
    assert "Content-Encoding" not in get(font, **{"accept-encoding": "gzip"})


def test_only_its_head_may_be_asked_for_and_nothing_sent():
    head = get(own("live.js"), "head")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head["Content-Length"]) == len(get(own("live.js")).content)
    for method in ("post", "put", "delete", "options"):
        assert get(own("live.js"), method).status_code == 405


def test_a_browser_that_has_it_is_told_so():
    first = get(own("live.js"))
    again = get(own("live.js"), **{"if-modified-since": first["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == YEAR


@pytest.mark.security
@pytest.mark.parametrize(
    "address",
    [
        "/assets/",
        "/assets/page/",
        own(""),
        own("../page.py"),
        own("%2e%2e/page.py"),
        own("live.js/"),
        own("LIVE.js"),
        own("..%5Cpage.py"),
        own("live.js%00"),
        "/assets//etc/passwd",
        "/assets/lab/python-analytics/../../../settings.py",
        f"{assets().voila}voila.js.gz",
        f"{assets().voila}require.min.js",
        f"{assets().voila}../lock.txt",
        own("live.js").replace(assets().own.split("/")[3], "0" * 16),
    ],
)
def test_nothing_else_is_found(address):
    assert get(address).status_code == 404


def test_what_is_fetched_lies_under_the_digest_of_its_pin():
    pin = (module.FETCHED / "lock.txt").read_bytes()
    digest = hashlib.sha256(pin).hexdigest()[:16]
    assert assets().voila == f"/assets/voila/{digest}/static/"
    assert get(f"{assets().voila}voila.js").status_code == 200


def test_an_environments_extensions_come_before_ours(made):
    found = made.extensions("plots", lock("plots"))
    manager = "@voila-dashboards/widgets-manager8"
    assert [each.name for each in found] == [
        "@maps/leaf",
        "mime",
        manager,
        module.PLUGIN,
    ]
    leaf, mime, *_ = found
    place = f"lab/plots/{lock('plots')[:16]}/@maps/leaf/static/"
    assert leaf.load == f"{place}remoteEntry.js"
    assert leaf.parts == (("extension", "./extension"),)
    assert ("mimeExtension", "./mime") in mime.parts
    assert made.find(f"/assets/{place}1.js")
    assert not made.find(f"/assets/{place}1.js.map")
    assert not made.find(f"/assets/{place}../package.json")
    assert all(made.find(f"/assets/{each.load}") for each in found)


def test_an_environment_without_widgets_has_pages_too(made):
    assert len(made.extensions("bare", lock("bare"))) == 2


@pytest.mark.parametrize(
    ("name", "digest"),
    [("plots", lock("bare")), ("other", lock("plots")), ("unfinished", lock("plots"))],
)
def test_an_environment_with_another_lock_is_not_the_one(made, name, digest):
    with pytest.raises(MissingAssets):
        made.extensions(name, digest)


def test_without_the_front_end_there_is_no_page(tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "lock.txt").write_text("of bare")
    made = Assets(fetched=tmp_path / "none", environments=tmp_path)
    with pytest.raises(MissingAssets):
        made.extensions("bare", lock("bare"))
