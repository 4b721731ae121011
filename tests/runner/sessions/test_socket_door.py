"""Nobody but the page of a live session is let in, and nobody is told why not."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.core import signing
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from accounts.models import Session
from runner.live.frames import SUBPROTOCOL
from runner.sessions import tokens
from runner.sessions.door import NotAdmitted, knock
from runner.sessions.tokens import Channel, make_channel
from runner.workflow import Status
from tests.runner.sessions import pages
from tests.runner.sessions.pages import Worker, path_of

pytestmark = pytest.mark.security


def refused(door: pages.Door) -> bool:
    """Whether there is the same short answer as for everybody who is not let in."""
    with pytest.raises(InvalidStatus) as caught, door.open():
        pass
    response = caught.value.response
    assert (response.status_code, response.body) == (403, b"")
    assert {name.lower() for name in response.headers} <= {
        *("date", "connection", "content-length", "content-type"),
        "server",
    }
    return True


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "Null",
        "NULL",
        "null.evil",
        "nullx",
        "null ",
        "null, null",
        "null.example.org",
        "http://null",
        "file://",
        "https://evil.example",
        "application",
        "content",
    ],
)
def test_only_a_frame_of_no_origin_is_a_page(door, site, run, origin) -> None:
    origin = {"application": site.url, "content": site.content_url}.get(origin, origin)
    if origin == "null ":  # the blank is no part of a header's value
        with door.but(origin=origin).open():
            return
    assert refused(door.but(origin=origin))
    assert Worker(run.pk).read() == []


@pytest.mark.parametrize("name", [b"origin", b"host", b"Origin"])
def test_a_header_that_is_sent_twice_says_nothing(settings, channel, name) -> None:
    host = settings.CONTENT_ORIGIN.removeprefix("http://").encode()
    headers = [(b"host", host), (b"origin", b"null")]
    scope = {
        "raw_path": path_of(make_channel(channel), channel.run_id).encode(),
        "headers": headers,
        "subprotocols": [SUBPROTOCOL],
    }
    assert knock(scope) == channel
    again = next(each for each in headers if each[0] == name.lower())
    headers.append((name, again[1]))
    with pytest.raises(NotAdmitted) as caught:
        knock(scope)
    assert caught.value.code == name.decode().lower()


def test_the_host_is_the_content_origins_and_nothing_like_it(door, site) -> None:
    port = site.port
    for host in (
        f"localhost:{port}",
        "127.0.0.1",
        f"127.0.0.1:{port + 1}",
        f"127.0.0.1.:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"127.0.0.01:{port}",
        f"evil.example:{port}",
    ):
        assert refused(door.but(host=host)), host
    assert refused(door.but(headers=[("Host", f"127.0.0.1:{port}")]))


@pytest.mark.parametrize(
    "offered", [(), ("kernel.websocket",), ("v1.kernel.websocket.jupyter.org.evil",)]
)
def test_only_the_protocol_of_binary_frames_is_spoken(door, offered) -> None:
    assert refused(door.but(subprotocols=offered))


def test_no_path_but_its_own_leads_to_a_session(door, run, channel) -> None:
    token, hex_ = make_channel(channel), run.pk.hex
    for path in (
        "/",
        "/live/",
        f"/live/{token}/",
        f"/live/{token}/api/kernels/{hex_}",
        f"/live/{token}/api/kernels/{hex_}/channels/",
        f"/live/{token}/api/kernels/{run.pk}/channels",
        f"/live/{token}/api/kernels/{hex_.upper()}/channels",
        f"/live/{token}/api/kernels/{hex_}%0a/channels",
        f"/live/{token}/api/kernels/../kernels/{hex_}/channels",
        f"/live/{token}/api/kernels/%2e%2e/kernels/{hex_}/channels",
        f"/live/{token}%2fapi%2fkernels%2f{hex_}%2fchannels",
        f"/live/../live/{token}/api/kernels/{hex_}/channels",
        f"//live/{token}/api/kernels/{hex_}/channels",
        f"/LIVE/{token}/api/kernels/{hex_}/channels",
        f"/x/live/{token}/api/kernels/{hex_}/channels",
        f"/live/%{ord(token[0]):02x}{token[1:]}/api/kernels/{hex_}/channels",
        f"/live/{token}/api/kernels/{hex_}/channels%00",
        f"/live/{token}/api/kernels/{hex_}/restart",
        f"/live/{token}/voila/query/{hex_}",
        f"/live/{token}/api/events/subscribe",
        f"/live/{token}/terminals/websocket/1",
        f"/static/../live/{token}/api/kernels/{hex_}/channels",
        "/assets/../../etc/passwd",
        "/static/etc/passwd",
        "/ws/",
        "/admin/",
    ):
        assert refused(door.but(path=path)), path
    with door.but(path=door.path + "?session_id=0&token=x").open():
        pass


def test_a_token_in_the_query_is_none(door, run, channel) -> None:
    path = path_of("x", run.pk) + f"?token={make_channel(channel)}"
    assert refused(door.but(path=path))


def with_token(door: pages.Door, token: str, channel: Channel) -> pages.Door:
    return door.but(path=path_of(token, channel.run_id))


def test_nobody_gets_in_without_a_token_that_stands(door, channel) -> None:
    token = make_channel(channel)
    known = [channel.run_id.hex, channel.person_id, channel.sign_in]
    late = timezone.now() - timedelta(seconds=7201)
    with time_machine.travel(late):
        expired = make_channel(channel)
    other_salt = signing.TimestampSigner(salt="another", sep=".").sign_object(known)
    other_key = signing.TimestampSigner(key="k", salt=tokens.SALT, sep=".")
    for bad in (
        "anonymous",
        "x" * 400,
        token[:-1],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace(".", "-", 1),
        signing.dumps(known),
        expired,
        other_salt,
        other_key.sign_object(known),
    ):
        assert refused(with_token(door, bad, channel)), bad
    with door.open():
        pass


def test_a_token_opens_its_own_session_only(door, run, channel, adams) -> None:
    mine = pages.live_run(adams)
    assert refused(door.but(path=path_of(make_channel(channel), mine.pk)))
    assert refused(door.but(path=path_of(make_channel(channel), unknown())))


def unknown() -> Any:
    from uuid import uuid4

    return uuid4()


def test_somebody_elses_session_is_as_if_there_were_none(door, run, baker) -> None:
    theirs = pages.channel_of(run, baker)
    assert refused(with_token(door, make_channel(theirs), theirs))
    nowhere = Channel(unknown(), theirs.person_id, theirs.sign_in)
    assert refused(with_token(door, make_channel(nowhere), nowhere))


def test_the_sign_in_of_another_is_not_ones_own(door, run, channel, baker) -> None:
    theirs = pages.channel_of(run, baker)
    mixed = Channel(run.pk, channel.person_id, theirs.sign_in)
    assert refused(with_token(door, make_channel(mixed), mixed))
    for name in ("", "0" * 16):
        unnamed = Channel(run.pk, channel.person_id, name)
        assert refused(with_token(door, make_channel(unnamed), unnamed))


def test_a_sign_in_that_is_over_lets_nobody_in(door) -> None:
    Session.objects.update(last_active_at=timezone.now() - timedelta(minutes=16))
    assert refused(door)
    Session.objects.all().delete()
    assert refused(door)


def test_the_cookie_is_not_asked(door, adams) -> None:
    browser, _ = pages.signed_in(adams)
    cookie = f"sessionid={browser.session.session_key}"
    nobody = door.but(headers=[("Cookie", cookie)], path="/live/x/api/kernels/y")
    assert refused(nobody)


def test_a_session_that_has_ended_lets_nobody_in(site, adams) -> None:
    run = pages.live_run(adams, Status.SUCCEEDED)
    assert refused(pages.door(site, pages.channel_of(run)))


def test_a_run_that_is_no_live_session_has_no_socket(site, adams) -> None:
    run = pages.live_run(adams)
    type(run).objects.filter(pk=run.pk).update(queue="page")
    assert refused(pages.door(site, pages.channel_of(run)))


def test_a_right_that_went_lets_nobody_in(door, adams) -> None:
    adams.persona_assignments.all().delete()
    assert refused(door)


def test_one_session_has_no_more_than_eight_pages(door) -> None:
    opened = [door.open() for _ in range(8)]
    for each in opened:
        each.__enter__()
    assert refused(door)
    for each in opened:
        each.__exit__(None, None, None)


def test_a_request_is_no_socket(site, door) -> None:
    assert httpx.get(f"{site.content_url}{door.path}").status_code == 404
    assert httpx.get(f"{site.url}{door.path}").status_code == 404


def test_no_token_stands_in_the_log(site, door, run, channel) -> None:
    with door.open():
        Worker(run.pk).welcome()
    assert refused(door.but(origin="https://evil.example"))
    said = site.process.said()
    assert "/live/[token]/api/kernels/" in said
    assert make_channel(channel) not in said
    assert make_channel(channel).split(".")[0] not in said
