"""A page that waits moves up in the line by itself."""

from gallery.models import Version
from runner.models import Run
from tests.browser.conftest import Open
from tests.factories.gallery import person
from tests.factories.runs import make_run


def test_a_waiting_page_moves_up_by_itself(open_as: Open, approved: Version) -> None:
    before = make_run(approved, person("baker"), queue="page")
    page = open_as("adams")
    run = make_run(approved, person("adams"), queue="page")
    page.goto(run.get_absolute_url())
    page.get_by_text("2nd in line.").wait_for()
    Run.objects.filter(pk=before.pk).update(status="starting")
    page.get_by_text("Next in line.").wait_for()
