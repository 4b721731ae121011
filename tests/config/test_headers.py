"""Both origins' headers, as the web server sends them."""

import logging

import pytest
from django.conf import settings
from django.test import Client

from config.security_headers import application_policy
from runner.results.headers import authority
from runner.results.logs import ForgetTokens

pytestmark = pytest.mark.security


@pytest.fixture
def policy(db) -> dict[str, list[str]]:
    """The policy of an ordinary page, by directive."""
    response = Client().get("/sign-in/", headers={"host": "localhost:8000"})
    parts = response["Content-Security-Policy"].split(";")
    return {part.split()[0]: part.split()[1:] for part in parts if part.strip()}


def test_pages_load_from_their_own_origin_only(policy):
    assert policy["default-src"] == ["'none'"]
    for kind in ("script-src", "style-src", "img-src", "font-src", "connect-src"):
        assert policy[kind] == ["'self'"]


def test_pages_frame_the_content_origin_only(policy):
    assert policy["frame-src"] == [settings.CONTENT_ORIGIN]


def test_nobody_frames_a_page_and_no_form_leads_away(policy):
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]


def test_no_policy_allows_inline_or_evaluated_code():
    every = str(application_policy(content_origin="https://results.example"))
    assert "unsafe" not in every


def test_pages_deny_features_and_stay_out_of_caches(db):
    response = Client().get("/sign-in/", headers={"host": "localhost:8000"})
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]


def test_the_two_origins_differ_by_host_name():
    hosts = {authority(settings.APPLICATION_ORIGIN), authority(settings.CONTENT_ORIGIN)}
    assert len({host.rpartition(":")[0] for host in hosts}) == 2


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://Results.Example", "results.example"),
        ("https://results.example:443", "results.example"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:80", "[::1]"),
    ],
)
def test_the_host_header_of_an_origin(origin, host):
    assert authority(origin) == host


@pytest.mark.parametrize(
    "origin", ["results.example", "ftp://a", "https://", "https://u@a"]
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(ValueError, match="An origin is"):
        authority(origin)


@pytest.mark.parametrize("place", ["results", "live"])
def test_the_web_servers_log_forgets_tokens(place):
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        __file__,
        1,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"/{place}/S3cret.token_/?a", "1.1", 200),
        None,
    )
    assert ForgetTokens().filter(record)
    told = f'127.0.0.1:1 - "GET /{place}/[token]/?a HTTP/1.1" 200'
    assert record.getMessage() == told


def test_every_handler_forgets_tokens():
    for handler in settings.LOGGING["handlers"].values():
        assert "forget_tokens" in handler["filters"]
    for name in ("uvicorn", "uvicorn.access"):
        ours = settings.LOGGING["loggers"][name]
        assert ours == {"handlers": [], "propagate": True}
