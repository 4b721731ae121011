"""Start Django as each service would, and tell what its settings say.

Run as a program: on stdin the environment of each service, on stdout one line of JSON for
each.  What others wrote is imported once; each service then starts in a fork of its own,
with its environment alone, and reads the settings and imports the product by itself.
"""

import importlib
import json
import os
import sys
from typing import Any

#: What Django and the product import that reads no setting and no environment.
OTHERS = (
    "celery.app.base",
    "celery.backends.redis",
    "django.core.management",
    "django.db.models",
    "django.forms",
    "django.template",
    "django.test.utils",
    "jsonschema",
    "nbformat",
    "psycopg",
    "redis.asyncio",
    "requests",
    "sqlglot.dialects.postgres",
)


def settings() -> dict[str, Any]:
    """Start Django, check it, and return what the settings say of doors and logins."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    call_command("check", stdout=sys.stderr)
    return {
        "user": settings.DATABASES["default"]["USER"],
        "host": settings.DATABASES["default"]["HOST"],
        "socket": settings.KERNEL_HOST_SOCKET,
        "broker": settings.BROKER_URL,
        "notional_people": sorted(settings.NOTIONAL_PEOPLE),
        "dsns": {
            f"{name} {kind} {purpose}": dsn
            for name, source in settings.DATA_SOURCES.items()
            for kind, dsns in (("real", source.real), ("notional", source.notional))
            for purpose, dsn in vars(dsns).items()
            if dsn
        },
    }


def in_a_fork(service: str, told: dict[str, str]) -> None:
    """Tell one service's settings, on a line; nothing where it does not start."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.environ.clear()
    os.environ |= {**told, "DJANGO_SETTINGS_MODULE": "config.settings"}
    sys.stdout.write(json.dumps({service: settings()}) + "\n")
    sys.exit()


if __name__ == "__main__":
    for name in OTHERS:
        importlib.import_module(name)
    for service, environment in json.load(sys.stdin).items():
        in_a_fork(service, environment)
