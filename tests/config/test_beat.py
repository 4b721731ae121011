"""Beat needs the names of what it sends, and loads none of the applications."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.support.environment import REPOSITORY

ASK = """
import json, logging, sys
from config.beat import app
app.loader.init_worker()
app.finalize()
print(json.dumps({
    "sends": sorted(each["task"] for each in app.conf.beat_schedule.values()),
    "apps": sorted({each.split(".")[0] for each in sys.modules} & {"accounts", "gallery", "reviews"}),
    "models": "django.db.models" in sys.modules,
    "broker": app.conf.broker_url,
}))
app.log.setup("INFO")
logging.getLogger("celery.beat").warning("Sending %s", "it")
"""


@pytest.fixture(scope="module")
def said():
    """What a process with beat's application says: a line about it, and its log."""
    return subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=REPOSITORY,
        env={**os.environ, "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_beat_knows_its_schedule_and_no_application(said):
    told = json.loads(said.stdout)
    schedule = settings.CELERY_BEAT_SCHEDULE.values()
    assert told["sends"] == sorted(each["task"] for each in schedule)
    assert told["broker"] == settings.CELERY_BROKER_URL
    assert (told["apps"], told["models"]) == ([], False)


def test_beat_logs_like_every_other_process(said):
    (line,) = said.stderr.splitlines()
    assert json.loads(line)["event"] == "Sending it"
