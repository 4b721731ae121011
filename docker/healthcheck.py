"""Whether one container's process does its work; exits with 1 and a reason when it does not.

python -m docker.healthcheck web|kernels|beat
"""

import os
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 5
#: Beat writes down what it sent every three minutes.
BEAT_WRITES_WITHIN_S = 600


def web(port: int = 8000) -> None:
    """Ask as the proxy does: for the right host, over TLS."""
    host = urlsplit(os.environ["APPLICATION_ORIGIN"]).netloc
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    connection.request("GET", "/healthz", headers=headers)
    answer = connection.getresponse()
    if answer.status != HTTPStatus.OK:
        sys.exit(f"web answers {answer.status}")


def kernels() -> None:
    """Ask the kernel host whether it takes work."""
    from runner.kernelhost.client import status  # noqa: PLC0415  # of one image

    if not status(os.environ["KERNEL_HOST_SOCKET"]).get("ok"):
        sys.exit("the kernel host refuses work: its self-test failed")


def beat(folder: Path = Path("/tmp")) -> None:  # noqa: S108  # the container's own
    """Look for a fresh schedule."""
    written = [file.stat().st_mtime for file in folder.glob("schedule*")]
    if not written or time.time() - max(written) > BEAT_WRITES_WITHIN_S:
        sys.exit("beat has sent nothing lately")


if __name__ == "__main__":
    {"web": web, "kernels": kernels, "beat": beat}[sys.argv[1]]()
