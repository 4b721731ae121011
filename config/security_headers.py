"""Security headers of the application origin, as functions of the origins; pure.

Those of the content origin are in `runner.results.headers`.
"""

from runner.results.headers import PERMISSIONS_POLICY

NONE = "'none'"
SELF = "'self'"


def application_policy(*, content_origin: str) -> dict[str, dict[str, list[str]]]:
    """Return `CONTENT_SECURITY_POLICY` for django-csp 4 on the application origin.

    `frame-src` names the content origin alone: it is what keeps a result from
    taking its frame, and with it what it shows, to an address of its own.
    """
    return {
        "DIRECTIVES": {
            "default-src": [NONE],
            "script-src": [SELF],
            "style-src": [SELF],
            "img-src": [SELF],
            "font-src": [SELF],
            "connect-src": [SELF],
            "manifest-src": [SELF],
            "frame-src": [content_origin],
            "frame-ancestors": [NONE],
            "form-action": [SELF],
            "base-uri": [NONE],
            "object-src": [NONE],
        }
    }


def application_headers() -> dict[str, str]:
    """Return the headers of the application origin that Django has no setting for."""
    return {
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
