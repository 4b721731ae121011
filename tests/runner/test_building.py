"""Environments are built from their lock exactly, in one step, or not at all."""

import base64
import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from runner import building
from runner.building import BuildFailed, UnknownLock, build
from runner.kernelhost.environments import resolve

KERNEL = {"argv": ["python", "-m", "tiny", "{connection_file}"], "language": "python"}
BASH = "import sys, pathlib, json; place = pathlib.Path(sys.argv[-1]) / 'share/jupyter/kernels/bash'; place.mkdir(parents=True); (place / 'kernel.json').write_text(json.dumps({'argv': [sys.executable, '-m', 'bash_kernel']}))"


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Write a wheel and return its line of a lock."""
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{info}/RECORD,,"]
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record.append(f"{path},sha256={digest.decode().rstrip('=')},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join(record)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return (
        f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
    )


@pytest.fixture
def locks(tmp_path, monkeypatch) -> Path:
    """A folder of locks; their one package is a wheel beside it, and there is no network."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    folder = tmp_path / "locks"
    folder.mkdir()
    kernel = "tiny-1.0.data/data/share/jupyter/kernels/tiny/kernel.json"
    files = {
        "tiny.py": "WORD = 'there'\n\n\ndef main():\n    print(WORD)\n",
        "tiny-1.0.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
        kernel: json.dumps(KERNEL),
    }
    (folder / "tiny.txt").write_text(wheel(wheels, "tiny", files))
    (folder / "tiny.warm.py").write_text("import tiny")
    shell = wheel(
        wheels,
        "bash_kernel",
        {"bash_kernel/__init__.py": "", "bash_kernel/install.py": BASH},
    )
    (folder / "shell.txt").write_text(shell)
    return folder


def test_what_is_built_runs_as_locked_and_is_built_once(locks, tmp_path):
    environments = tmp_path / "environments"
    assert build("tiny", locks=locks, environments=environments) is True
    found = resolve(environments, "tiny", "tiny")
    lock = (locks / "tiny.txt").read_bytes()
    found.require_lock(hashlib.sha256(lock).hexdigest())
    assert (environments / "tiny" / "warm.py").read_text() == "import tiny"
    assert list(environments.glob("tiny/lib/python*/site-packages/tiny.py"))
    assert (environments / "tiny").stat().st_mode & 0o055 == 0o055
    program = environments / "tiny" / "bin" / "tiny"
    assert subprocess.check_output([program], text=True) == "there\n"
    born = (environments / "tiny").stat().st_ino

    (locks / "tiny.warm.py").unlink()
    assert build("tiny", locks=locks, environments=environments) is False
    assert (environments / "tiny").stat().st_ino == born
    assert not (environments / "tiny" / "warm.py").exists(), "it follows the lock's"


def test_a_kernel_that_names_its_place_names_the_final_one(locks, tmp_path):
    environments = tmp_path / "environments"
    build("shell", locks=locks, environments=environments)
    spec = (
        environments
        / "shell"
        / "share"
        / "jupyter"
        / "kernels"
        / "bash"
        / "kernel.json"
    )
    python = json.loads(spec.read_text())["argv"][0]
    assert python == str(environments / "shell" / "bin" / "python")
    assert Path(python).exists()


def test_a_package_that_is_not_the_locked_one_leaves_the_old_environment(
    locks, tmp_path, monkeypatch
):
    environments = tmp_path / "environments"
    old = environments / "tiny"
    old.mkdir(parents=True)
    (old / "lock.txt").write_text("what it was built from")
    lock = (locks / "tiny.txt").read_text()
    (locks / "tiny.txt").write_text(lock[:-5] + "0000\n")
    with pytest.raises(BuildFailed) as failure:
        build("tiny", locks=locks, environments=environments)
    assert failure.value.step == "pip"
    assert (old / "lock.txt").read_text() == "what it was built from"
    assert [path.name for path in environments.iterdir()] == ["tiny"]


def test_the_old_environment_stays_beside_for_kernels_that_run(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_install", lambda name, made, root, lock: None)
    locks, environments = tmp_path / "locks", tmp_path / "environments"
    locks.mkdir()
    for content in ("first", "second", "third"):
        (locks / "e.txt").write_text(content)
        assert build("e", locks=locks, environments=environments)
        assert (environments / "e" / "lock.txt").read_text() == content
    kept = [path.read_text() for path in environments.glob(".e.*/e/lock.txt")]
    assert kept == ["second"], "one, and the one before it is gone"


@pytest.mark.parametrize("name", ["nope", "../tiny", "Tiny", ""])
def test_an_unknown_name_is_told_the_known_ones(locks, tmp_path, name):
    with pytest.raises(UnknownLock, match=r"Choose one of: shell, tiny\."):
        build(name, locks=locks, environments=tmp_path / "environments")
    assert not (tmp_path / "environments").exists()


def test_the_command_says_what_became_of_it(
    locks, tmp_path, settings, capsys, monkeypatch
):
    settings.ENVIRONMENT_LOCKS_DIR = locks
    settings.ENVIRONMENTS_DIR = tmp_path / "environments"
    monkeypatch.setattr(building, "_install", lambda name, made, root, lock: None)
    call_command("build_environment", "tiny")
    assert "tiny is built. " in capsys.readouterr().out
    call_command("build_environment", "tiny")
    assert "already" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Choose one of"):
        call_command("build_environment", "nope")


def test_a_build_needs_nothing_but_python(locks, tmp_path, capfd):
    assert building.main("nope", str(locks), str(tmp_path / "environments")) == 1
    assert "There is no environment 'nope'" in capfd.readouterr().err
