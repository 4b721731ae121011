"""A second start skips what would change nothing, and nothing else."""

import shutil

import pytest

from config.demo import __main__ as main
from config.demo import bootstrap, edition
from config.demo.edition import fingerprint
from config.demo.programs import REPOSITORY, Demo
from config.demo.state import Home


@pytest.fixture
def demo(tmp_path):
    """A demo whose two clusters look as if they were made."""
    home = Home(tmp_path / "home")
    home.prepare()
    for cluster in ("application", "data"):
        data = home.path / cluster / "data"
        data.mkdir(parents=True)
        (data / "initialised").touch()
    ports = {"application": 5001, "data": 5002, "broker": 5003}
    return Demo(home, 8000, ports, "required")


def test_what_was_made_is_known(demo):
    assert not edition.is_present(demo)
    edition.note(demo)
    assert edition.is_present(demo)


@pytest.mark.parametrize("cluster", ["application", "data"])
def test_a_cluster_that_is_gone_is_made_again(demo, cluster):
    edition.note(demo)
    shutil.rmtree(demo.home.path / cluster)
    assert not edition.is_present(demo)


@pytest.mark.parametrize(
    "file",
    [
        "gallery/migrations/0002_immutable_versions.py",
        "audit/migrations/install.sql",
        "config/demo/notebooks/catalog.json",
        "config/demo/hospital/policies.sql",
        "runner/access/sql/schema.sql",
        "docker/postgres/application-init.sql",
    ],
)
def test_a_changed_file_is_another_edition(tmp_path, file):
    assert (REPOSITORY / file).is_file()
    copy = tmp_path / file
    copy.parent.mkdir(parents=True)
    copy.write_bytes((REPOSITORY / file).read_bytes())
    before = fingerprint(tmp_path)
    copy.write_bytes(copy.read_bytes() + b"\n")
    assert fingerprint(tmp_path) != before


class Recorder:
    """Stands for the supervisor and for each step of the bootstrap."""

    def __init__(self, monkeypatch):
        self.steps = []
        for name in ("initialise", "wait_for_services", "build", "load"):
            monkeypatch.setattr(bootstrap, name, self.step(name))

    def step(self, name):
        return lambda *args, **options: self.steps.append((name, options))

    def start(self):
        self.steps.append(("start", {}))

    def start_programs(self, *names):
        self.steps.append(("programs", {}))


def test_the_first_start_makes_everything_before_the_application_starts(
    demo, monkeypatch
):
    seen = Recorder(monkeypatch)
    main._bring_up(demo, seen)
    names = [name for name, _ in seen.steps]
    assert names[-3:] == ["build", "programs", "load"]
    assert ("build", {"migrate": True}) in seen.steps
    assert edition.is_present(demo)


def test_the_second_start_loads_and_migrates_nothing(demo, monkeypatch):
    edition.note(demo)
    seen = Recorder(monkeypatch)
    main._bring_up(demo, seen)
    names = [name for name, _ in seen.steps]
    assert names[-2:] == ["programs", "build"]
    assert ("build", {"migrate": False}) in seen.steps


def test_a_start_that_was_interrupted_is_not_taken_for_whole(demo, monkeypatch):
    seen = Recorder(monkeypatch)

    def fail(*args):
        raise bootstrap.BootstrapFailed("killed")

    monkeypatch.setattr(bootstrap, "load", fail)
    with pytest.raises(bootstrap.BootstrapFailed):
        main._bring_up(demo, seen)
    assert not edition.is_present(demo)
