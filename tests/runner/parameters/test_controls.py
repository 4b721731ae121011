"""A control's value is set, and the control stays: in the form, in the cell, in the proof, in the library."""

import json
import subprocess
from typing import Any

import pytest
from django import forms
from django.http import QueryDict

from gallery.parameters.validate import InvalidParameters, clean_parameters
from gallery.templatetags.gallery_tags import parameter_words
from runner.parameters.forms import form_class
from runner.parameters.inject import UnsafeValue, inject, injected_source, read_injected
from runner.parameters.verify import verify_document
from runner.presenters import parameters_in_words
from tests.runner.parameters.controls import NOTEBOOK, SCHEMA, SOURCE, VALUES
from tests.support.environment import REPOSITORY

PYTHON = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
FORM = form_class(SCHEMA)
TELL = """
import json
names = "days dose ward drugs day words title active".split()
found = {name: getattr(globals()[name], "value") for name in names}
print(json.dumps({**found, "since": since, "label": ward.label}, default=str))
"""


def source(**values: Any) -> str:
    return injected_source(SCHEMA, values, language="python")


def test_the_controls_value_is_set_and_a_plain_name_is_assigned() -> None:
    assert source(days=45, since="2026-01-31") == (
        "# Parameters\n"
        'since = __import__("datetime").date.fromisoformat("2026-01-31")\n'
        "days.value = 45\n"
    )


def test_the_library_takes_each_value_as_it_was_sent() -> None:
    cells = "\n".join((SOURCE, source(**VALUES), TELL))
    told = json.loads(subprocess.check_output([PYTHON, "-c", cells]))
    assert told.pop("label") == "Cardiology"
    assert told == VALUES


def test_a_date_may_be_taken_away() -> None:
    told = subprocess.check_output([PYTHON, "-c", SOURCE + source(day=None) + TELL])
    assert json.loads(told)["day"] is None


@pytest.mark.parametrize(
    "cell",
    [
        "days = 45\n",
        "since.value = 1\n",
        "days.max = 45\n",
        "days.value.value = 45\n",
        "days.value = days.value = 45\n",
        "days.value: int = 45\n",
        "days.value += 45\n",
        "days['value'] = 45\n",
        "other.value = 45\n",
        "setattr(days, 'value', 45)\n",
        "days.value = int('45')\n",
        "days.value = 45\ndays.value = 46\n",
    ],
)
@pytest.mark.security
def test_a_cell_that_does_anything_else_is_refused(cell: str) -> None:
    assert read_injected("days.value = 45", SCHEMA, language="python") == {"days": 45}
    with pytest.raises(UnsafeValue):
        read_injected(cell, SCHEMA, language="python")


def verified(cell: str) -> list[str]:
    return verify_document(
        approved=NOTEBOOK,
        executed=inject(NOTEBOOK, cell),
        schema=SCHEMA,
        values={"days": 45},
    )


@pytest.mark.security
def test_the_proof_covers_controls() -> None:
    assert verified("# Parameters\ndays.value = 45\n") == []
    assert verified("# Parameters\ndays.value = 50\n") != []
    assert verified("# Parameters\ndays = 45\n") != []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("days", 65, "maximum"),
        ("days", -5, "minimum"),
        ("days", 44, "multipleOf"),
        ("days", "45", "type"),
        ("dose", 9.5, "maximum"),
        ("ward", 4, "enum"),
        ("ward", "Cardiology", "type"),
        ("ward", None, "type"),
        ("drugs", ["Warfarin"], "enum"),
        ("drugs", ["w", "w"], "uniqueItems"),
        ("day", "28 February", "format"),
        ("words", [""], "minLength"),
        ("active", None, "type"),
    ],
)
def test_what_a_control_would_not_take_is_refused_before(
    name: str, value: Any, code: str
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        clean_parameters(SCHEMA, {name: value})
    assert [(each.field, each.code) for each in refused.value.errors] == [(name, code)]


def test_the_form_shows_labels_and_sends_values() -> None:
    fields = FORM.base_fields
    assert fields["ward"].choices == [("0", "All wards"), ("3", "Cardiology")]
    assert fields["drugs"].choices == [("m", "Metformin"), ("w", "Warfarin")]
    assert (fields["days"].label, fields["days"].widget.attrs["step"]) == ("Days", 5)
    assert fields["days"].help_text == "0 to 60, in steps of 5."
    assert fields["dose"].help_text == "0 to 9."
    assert isinstance(fields["day"], forms.CharField)
    assert "day__null" not in fields
    sent = QueryDict(mutable=True)
    sent.update({"parameter-days": "45", "parameter-ward": "3"})
    sent.setlist("parameter-drugs", ["w"])
    sent["parameter-day"] = "2026-02-28"
    assert FORM(sent).parameters() == {
        "days": 45,
        "ward": 3,
        "drugs": ["w"],
        "day": "2026-02-28",
    }


def test_people_read_labels() -> None:
    values = {"ward": 3, "drugs": ["w", "m"], "active": False, "words": []}
    assert parameters_in_words(SCHEMA, values) == [
        ("Ward", "Cardiology"),
        ("Drugs", "Warfarin, Metformin"),
        ("Words", "none"),
        ("Active", "no"),
    ]
    words = {name: parameter_words(each) for name, each in SCHEMA["properties"].items()}
    assert words["ward"] == "One of All wards and Cardiology, default All wards"
    assert words["drugs"] == "Any of Metformin and Warfarin, default empty"
    assert words["days"] == "Whole number, default 30, 0 to 60, in steps of 5"
    assert words["day"] == "Date, default unset"


def test_a_step_that_does_not_fit_is_an_error_of_its_field() -> None:
    form = FORM(QueryDict("parameter-days=44"))
    assert list(form.errors) == ["days"]
