"""Addresses that only take a form: whoever comes by link is shown the form's page.

Signing in again leads back to the address that was asked for, also when that was asked
with a form; there is nothing to show at such an address.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

View = Callable[..., HttpResponse]


def post_from(page: str, *names: str) -> Callable[[View], View]:
    """Send everything but POST to the page `page`, made of the same path parts.

    `names` are the parts that the page takes, all of them when none is named.
    """

    def only_post(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> HttpResponse:
            if request.method == "POST":
                return view(request, **parts)
            kept = {name: parts[name] for name in names or parts}
            return redirect(page, **kept)

        return answer

    return only_post
