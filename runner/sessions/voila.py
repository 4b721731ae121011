"""Fetches Voilà's prebuilt front end: the files of one pinned wheel that a live session's page loads.

The wheel is never installed and nothing of it is run: Voilà's server, and jupyter-server with it,
stay out.  Usage: ``python -m runner.sessions.voila fetch LOCK FOLDER`` and ``… pin LIST LOCK``.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from whitenoise import compress

#: Written last: a folder without it was not filled to its end.
LOCK_FILE = "lock.txt"
WIDGETS = "labextensions/@voila-dashboards/widgets-manager8"
#: Where files lie in the wheel, where they go, and which of them.
PARTS = (
    ("share/jupyter/voila/templates/base/static", "static", r".+\.(js|woff2?)"),
    (f"share/jupyter/voila/{WIDGETS}", WIDGETS, r"package\.json"),
    (f"share/jupyter/voila/{WIDGETS}/static", f"{WIDGETS}/static", r".+\.js"),
    ("voila-*.dist-info/licenses", "licenses", r"LICENSE.*"),
)
#: For pages that we do not have: slides, the list of notebooks, widgets of another age.
LEFT_OUT = frozenset({"reveal.js", "treepage.js", "require.min.js"})


class FetchFailed(Exception):
    """The front end was not fetched or pinned; what was there is as it was."""

    def __init__(self, step: str) -> None:
        super().__init__(
            f"The front end of live sessions is not there: {step} failed. See above why."
        )
        self.step = step


def fetch(lock: Path, folder: Path) -> bool:
    """Fill `folder` from the wheel that `lock` names, unless it was filled from it before.

    It is replaced in one step, with a compressed copy beside each file that gains by it.
    Returns whether anything was fetched.

    Raises:
        FetchFailed: the wheel is not to be had, is another one, or lacks the files.
    """
    content = lock.read_bytes()
    folder = folder.absolute()
    marker = folder / LOCK_FILE
    if marker.exists() and marker.read_bytes() == content:
        return False
    for left in folder.parent.glob(f"{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{folder.name}.", dir=folder.parent
    ) as made:
        wheel, chosen = Path(made, "wheel"), Path(made, "chosen")
        hashed = ("--require-hashes", "--requirement", lock)
        _pip("install", "--no-compile", "--target", wheel, *hashed)
        _choose(wheel, chosen)
        compress.main(["--quiet", str(chosen)])
        (chosen / LOCK_FILE).write_bytes(content)
        if folder.exists():
            folder.rename(Path(made, "old"))
        chosen.rename(folder)
    return True


def pin(wanted: Path, lock: Path) -> None:
    """Write into `lock` the one requirement of `wanted`, with its wheel's hash.

    Raises FetchFailed.
    """
    (line,) = re.findall(r"^[\w-]+==\S+", wanted.read_text(), re.MULTILINE)
    with tempfile.TemporaryDirectory() as made:
        _pip("download", "--only-binary", ":all:", "--dest", made, line)
        (wheel,) = Path(made).glob("*.whl")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(
        f"# Pinned by `make pins`.\n{line} \\\n    --hash=sha256:{digest}\n"
    )


def _choose(wheel: Path, chosen: Path) -> None:
    for place, target, names in PARTS:
        found = [
            path
            for path in wheel.glob(f"{place}/*")
            if re.fullmatch(names, path.name) and path.name not in LEFT_OUT
        ]
        if not found:
            raise FetchFailed(f"finding {target}")
        (chosen / target).mkdir(parents=True, exist_ok=True)
        for path in found:
            shutil.copyfile(path, chosen / target / path.name)


def _pip(command: str, *arguments: str | Path) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
    done = subprocess.run([*pip, command, "--no-deps", *arguments], check=False)
    if done.returncode != 0:
        raise FetchFailed(f"pip {command}")


def main(command: str, source: str, target: str) -> int:
    """Do one of the two; the exit code says whether it went well."""
    try:
        {"fetch": fetch, "pin": pin}[command](Path(source), Path(target))
    except FetchFailed as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
