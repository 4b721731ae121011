"""Security headers of the content origin, as functions of the origins; pure.

The content origin shows what notebooks made, which is hostile: it has another host
than the application (cookies ignore ports), no cookie, no script and no network.
"""

from urllib.parse import urlsplit

#: Browser features that neither origin uses; an empty list denies each to everyone.
_DENIED_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in _DENIED_FEATURES)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def authority(origin: str) -> str:
    """Return the exact Host header that browsers send to `origin`.

    Lower case, without the scheme's default port.  Raises ValueError when `origin`
    is not `http(s)://host[:port]`.
    """
    parts = urlsplit(origin)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username:
        message = f"An origin is http(s)://host[:port], not {origin!r}."
        raise ValueError(message)
    return parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])


def content_policy(*, application_origin: str, style_hash: str = "") -> str:
    """Return the Content-Security-Policy of a document on the content origin.

    No script, no network, no form, no navigation but by whoever frames it.  The one
    style sheet is known by `style_hash` (`'sha256-…'`); style attributes are allowed
    because the sanitiser has reduced them to a closed list.
    """
    style = (
        f"style-src-elem {style_hash}; style-src-attr 'unsafe-inline'; "
        if style_hash
        else ""
    )
    return (
        f"default-src 'none'; {style}img-src data:; font-src data:; "
        "form-action 'none'; base-uri 'none'; sandbox; "
        f"frame-ancestors {application_origin}"
    )


def content_headers(*, secure: bool) -> dict[str, str]:
    """Return the headers of every answer on the content origin, whatever it is."""
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        "X-DNS-Prefetch-Control": "off",
    }
    if secure:
        headers["Strict-Transport-Security"] = (
            "max-age=31536000; includeSubDomains; preload"
        )
    return headers
