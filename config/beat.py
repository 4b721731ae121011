"""What beat runs: it sends names of tasks into the queue, and needs none of the applications.

`celery -A config.beat beat`.  Without Celery's fixup for Django, which would load them all,
it starts in a third of the time.
"""

import logging.config
import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
logging.config.dictConfig(settings.LOGGING)

app = Celery("countersign", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")
