"""The front end is fetched as pinned, in one step, and only what pages load."""

import gzip
import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from runner.sessions import voila
from runner.sessions.voila import FetchFailed, fetch, pin
from tests.support.environment import REPOSITORY

STATIC = "voila-1.0.data/data/share/jupyter/voila/templates/base/static"
WIDGETS = f"voila-1.0.data/data/share/jupyter/voila/{voila.WIDGETS}"
FILES = {
    f"{STATIC}/voila.js": "var voila = 1;\n" * 400,
    f"{STATIC}/12.voila.js": "1",
    f"{STATIC}/reveal.js": "slides",
    f"{STATIC}/page.eot": "font",
    f"{WIDGETS}/package.json": "{}",
    f"{WIDGETS}/static/remoteEntry.1.js": "1",
    "voila/app.py": "import tornado",
    "voila-1.0.dist-info/licenses/LICENSE": "BSD",
    "voila-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: voila\nVersion: 1.0\nRequires-Dist: jupyter-server\n",
    "voila-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


@pytest.fixture
def lock(tmp_path, monkeypatch) -> Path:
    """A lock that names a wheel beside it, and there is no network."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return write_wheel(tmp_path, FILES)


def write_wheel(folder: Path, files: dict[str, str]) -> Path:
    wheel = folder / "voila-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        record = "".join(f"{name},,\n" for name in files)
        archive.writestr("voila-1.0.dist-info/RECORD", record)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = folder / "voila.txt"
    lock.write_text(f"voila==1.0 --hash=sha256:{digest}\n")
    return lock


def names(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def test_only_what_a_page_loads_is_kept_and_it_is_fetched_once(lock, tmp_path):
    folder = tmp_path / "to" / ".frontend"
    folder.parent.mkdir()
    assert fetch(lock, folder) is True
    assert names(folder) == {
        "static/voila.js",
        "static/voila.js.gz",
        "static/12.voila.js",
        f"{voila.WIDGETS}/package.json",
        f"{voila.WIDGETS}/static/remoteEntry.1.js",
        "licenses/LICENSE",
        "lock.txt",
    }
    assert gzip.decompress((folder / "static/voila.js.gz").read_bytes()) == (
        (folder / "static/voila.js").read_bytes()
    )
    assert (folder / "lock.txt").read_bytes() == lock.read_bytes()
    assert list(folder.parent.iterdir()) == [folder], "and nothing beside it"
    assert fetch(lock, folder) is False


@pytest.mark.security
def test_another_wheel_than_the_pinned_one_leaves_the_old_files(lock, tmp_path):
    folder = tmp_path / "to" / ".frontend"
    folder.parent.mkdir()
    fetch(lock, folder)
    lock.write_text(lock.read_text()[:-5] + "0000\n")
    with pytest.raises(FetchFailed, match="pip install failed"):
        fetch(lock, folder)
    assert (folder / "static/voila.js").exists()
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.security
def test_a_lock_without_a_hash_fetches_nothing(lock, tmp_path):
    lock.write_text("voila==1.0\n")
    with pytest.raises(FetchFailed):
        fetch(lock, tmp_path / ".frontend")


def test_a_wheel_that_lacks_the_files_is_refused(lock, tmp_path):
    kept = {name: text for name, text in FILES.items() if WIDGETS not in name}
    lock = write_wheel(tmp_path, kept)
    with pytest.raises(FetchFailed, match="finding labextensions"):
        fetch(lock, tmp_path / ".frontend")
    assert not (tmp_path / ".frontend").exists()


def test_a_lock_is_pinned_with_the_hash_of_the_wheel(lock, tmp_path):
    hashed = lock.read_text().split("--hash=")[1].strip()
    wanted, made = tmp_path / "voila.in", tmp_path / "made.txt"
    wanted.write_text("# Why.\nvoila==1.0  # a front end\n")
    pin(wanted, made)
    assert f"voila==1.0 \\\n    --hash={hashed}\n" in made.read_text()
    assert fetch(made, tmp_path / ".frontend")


def test_the_program_says_what_went_wrong(lock, tmp_path, capfd):
    assert voila.main("fetch", str(lock), str(tmp_path / ".frontend")) == 0
    lock.write_text("voila==2.0 --hash=sha256:00\n")
    assert voila.main("fetch", str(lock), str(tmp_path / "other")) == 1
    assert "pip install failed" in capfd.readouterr().err


def test_its_server_is_nowhere_installed():
    """What is served is files; jupyter-server and Tornado's handlers stay out."""
    listed = subprocess.check_output(
        ["find", ".venv/lib", ".environments", "-maxdepth", "5", "-iname", "voila*"],
        cwd=REPOSITORY,
        text=True,
    )
    assert listed == ""
