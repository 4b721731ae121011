"""The ASGI application that the web server loads."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests are short and many, and opening a connection costs more than most of them.
os.environ.setdefault("DATABASE_POOL_SIZE", "16")

application = get_asgi_application()
