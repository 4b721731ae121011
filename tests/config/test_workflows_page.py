"""The picture of the workflows is the table, drawn."""

import pytest
from django.conf import settings
from django.core.management import call_command

from config.management.commands.draw_workflows import PAGE, diagram, workflows_page
from gallery.workflow import TRANSITIONS


def test_the_page_in_the_documentation_is_current() -> None:
    call_command("draw_workflows", check=True)


def test_a_page_that_is_out_of_date_fails(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    page.write_text(workflows_page().replace("approved", "waved through"))
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    with pytest.raises(Exception, match="out of date"):
        call_command("draw_workflows", check=True)


def test_every_move_is_an_arrow() -> None:
    drawn = diagram(TRANSITIONS)
    for state, onward in TRANSITIONS.items():
        for to in onward:
            assert f"    {state} --> {to}\n" in drawn
