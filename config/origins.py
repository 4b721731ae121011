"""The two addresses that browsers know: the application's, and that of results."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import environment as env
from runner.access.transport import is_local


def read(*, demo: bool, debug: bool) -> tuple[str, str]:
    """Return both origins.  Raises ImproperlyConfigured for a pair that is not safe."""
    application, content = _origin("APPLICATION_ORIGIN"), _origin("CONTENT_ORIGIN")
    if _host(application) == _host(content):
        message = (
            "CONTENT_ORIGIN must have another host than APPLICATION_ORIGIN: cookies "
            "ignore ports, so results on the same host would share the sign-in cookie."
        )
        raise ImproperlyConfigured(message)
    everywhere = not (is_local(_host(application)) and is_local(_host(content)))
    if demo and everywhere:
        message = (
            "DEMO is for this computer only, since everybody knows its passwords: unset "
            "DEMO, or use http://localhost and http://127.0.0.1 as the two origins."
        )
        raise ImproperlyConfigured(message)
    if debug and (everywhere or application.startswith("https://")):
        message = "DEBUG must be off outside this computer: unset DEBUG."
        raise ImproperlyConfigured(message)
    return application, content


def _origin(name: str) -> str:
    value = env.text(name).rstrip("/")
    parts = urlsplit(value)
    if f"{parts.scheme}://{parts.netloc}" != value or not _host(value) or "@" in value:
        message = (
            f"{name} must be a scheme and a host, like https://gallery.example.org."
        )
        raise ImproperlyConfigured(message)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_local(_host(value))
    ):
        message = (
            f"{name} must start with https:// unless it is on this computer (localhost): "
            "passwords and results would cross the network in the clear."
        )
        raise ImproperlyConfigured(message)
    return value


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""
