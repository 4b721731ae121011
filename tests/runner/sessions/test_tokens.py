"""The token of a page's socket: whose it is cannot be changed, and it does not last."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.utils import timezone

from runner.sessions import tokens
from runner.sessions.tokens import Channel, ChannelRefused, make_channel, read_channel

pytestmark = pytest.mark.security
CHANNEL = Channel(uuid4(), 7, "0123456789abcdef")


def signed(known, **how) -> str:
    how = {"salt": tokens.SALT, "sep": "."} | how
    return signing.TimestampSigner(**how).sign_object(known)


def test_what_is_read_is_what_was_made() -> None:
    assert read_channel(make_channel(CHANNEL)) == CHANNEL


def test_it_can_stand_in_a_path_as_it_is() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]{20,200}", make_channel(CHANNEL))


@pytest.mark.parametrize(
    "changed",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ("A" if token[0] != "A" else "B") + token[1:],
        lambda token: token + "A",
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: "." + token,
        lambda token: token.replace(".", ":"),
        lambda token: token.upper(),
        lambda token: token.rpartition(".")[0],
        lambda token: "",
        lambda token: "x" * 5000,
        lambda token: "é" + token,
    ],
)
def test_an_altered_one_is_refused(changed) -> None:
    with pytest.raises(ChannelRefused):
        read_channel(changed(make_channel(CHANNEL)))


def test_the_parts_of_two_do_not_make_a_third() -> None:
    one, two = make_channel(CHANNEL), make_channel(Channel(uuid4(), 8, "f" * 16))
    with pytest.raises(ChannelRefused):
        read_channel(one.partition(".")[0] + "." + two.partition(".")[2])


@pytest.mark.parametrize(
    "how",
    [
        {"salt": "django.core.signing"},
        {"salt": "runner.sessions.channe"},
        {"salt": None},
        {"sep": ":"},
        {"key": "another"},
    ],
)
def test_what_was_signed_for_something_else_is_refused(how) -> None:
    known = [CHANNEL.run_id.hex, CHANNEL.person_id, CHANNEL.sign_in]
    with pytest.raises(ChannelRefused):
        read_channel(signed(known, **how))


@pytest.mark.parametrize(
    "known",
    [None, 7, {}, [], ["x", 7, "s"], [CHANNEL.run_id.hex, "x", "s"], [7, 7, 7]],
)
def test_what_is_signed_and_says_something_else_is_refused(known) -> None:
    with pytest.raises(ChannelRefused):
        read_channel(signed(known))


def test_it_is_good_for_as_long_as_a_session() -> None:
    token = make_channel(CHANNEL)
    life = timedelta(seconds=settings.LIVE_SESSION_S)
    with time_machine.travel(timezone.now() + life - timedelta(seconds=2)):
        assert read_channel(token) == CHANNEL
    with (
        time_machine.travel(timezone.now() + life + timedelta(seconds=2)),
        pytest.raises(ChannelRefused),
    ):
        read_channel(token)
