"""What the demo remembers."""

import os
import socket

import pytest

from config.demo.state import SOCKET_PATH_MAX_BYTES, Home


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_everything_is_private(home):
    for folder in (home.path, home.logs, home.secrets, home.sockets):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_ports_are_remembered(home):
    ports = home.ports()
    assert len(set(ports.values())) == 3
    assert home.ports() == ports


def test_a_port_that_somebody_took_is_replaced_and_the_others_are_kept(home):
    ports = home.ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports["data"]))
        taken.listen()
        again = home.ports()
    assert again["data"] != ports["data"]
    assert again["broker"] == ports["broker"]


def test_sockets_lie_in_the_home_where_their_paths_fit(home):
    assert home.sockets.parent in (home.path, home.sockets.parent)
    short = Home(home.path.__class__("/srv/demo"))
    assert short.sockets == short.path / "run"


@pytest.mark.parametrize("name", ["x" * 200, "ü" * 60])
def test_socket_paths_fit_whatever_the_home_is_called(tmp_path, name):
    sockets = Home(tmp_path / name).sockets
    longest = sockets / ("s" * 48)
    assert len(os.fsencode(longest)) <= SOCKET_PATH_MAX_BYTES
    assert sockets != Home(tmp_path / f"other{name}").sockets


@pytest.mark.security
def test_a_socket_folder_that_somebody_else_laid_out_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Home, "sockets", tmp_path / "planted")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "planted").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="somebody else"):
        Home(tmp_path / "home").prepare()
