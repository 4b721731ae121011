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
        for name in ("initialise", "wait_for_services", "build"):
            monkeypatch.setattr(bootstrap, name, self.step(name))

    def step(self, name):
        return lambda demo: self.steps.append((name, ()))

    def start(self, *names):
        self.steps.append(("start", names))

    def start_programs(self, *names):
        self.steps.append(("programs", names))


def test_the_first_start_makes_everything_before_the_application_starts(
    demo, monkeypatch
):
    seen = Recorder(monkeypatch)
    main._bring_up(demo, seen)
    assert seen.steps == [
        *(("initialise", ()), ("start", ()), ("wait_for_services", ())),
        *(("build", ()), ("programs", main.APPLICATION)),
    ]
    assert edition.is_present(demo)


def test_the_second_start_makes_nothing_and_starts_everything_at_once(
    demo, monkeypatch
):
    edition.note(demo)
    seen = Recorder(monkeypatch)
    main._bring_up(demo, seen)
    assert seen.steps == [
        *(("initialise", ()), ("start", main.APPLICATION), ("wait_for_services", ())),
    ]


@pytest.mark.parametrize("role", ["countersign_app", "countersign_owner", "cs_web"])
def test_a_password_that_was_made_anew_is_given_to_its_role(demo, role):
    edition.note(demo)
    demo.home.secret_file(role).unlink()
    assert not edition.is_present(demo)


def test_a_start_that_was_interrupted_is_not_taken_for_whole(demo, monkeypatch):
    seen = Recorder(monkeypatch)

    def fail(*args):
        raise bootstrap.BootstrapFailed("killed")

    monkeypatch.setattr(bootstrap, "build", fail)
    with pytest.raises(bootstrap.BootstrapFailed):
        main._bring_up(demo, seen)
    assert not edition.is_present(demo)
