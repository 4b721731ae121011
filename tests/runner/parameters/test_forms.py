"""The form asks for each parameter in its own way and returns only what was set."""

from typing import Any

import pytest
from django import forms
from django.http import QueryDict
from django.template import Context, Template

from gallery.parameters.infer import infer_parameters
from runner.parameters.forms import form_class
from tests.gallery.notebooks import code, notebook
from tests.runner.parameters.cases import SCHEMA

FORM = form_class(SCHEMA)


def post(**values: Any) -> forms.Form:
    """The form as a browser sends it: each value under the form's prefix."""
    data = QueryDict(mutable=True)
    for name, value in ({"name": "x"} | values).items():
        for each in value if isinstance(value, list) else [value]:
            data.appendlist(f"parameter-{name}", each)
    return FORM(data)


def untouched() -> forms.Form:
    """The form sent back as it was first shown, with the one required value filled in."""
    data = QueryDict(mutable=True)
    for bound in FORM():
        value = bound.value()
        if isinstance(bound.field.widget, forms.CheckboxInput):
            value = "on" if value else None
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                data.appendlist(bound.html_name, str(each))
        data[f"{bound.html_name}__present"] = "1"
    data["parameter-name"] = "x"
    return FORM(data)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("days", forms.IntegerField),
        ("dose", forms.FloatField),
        ("active", forms.BooleanField),
        ("drug", forms.TypedChoiceField),
        ("rank", forms.TypedChoiceField),
        ("wards", forms.TypedMultipleChoiceField),
        ("since", forms.CharField),
        ("limit", forms.IntegerField),
        ("limit__null", forms.BooleanField),
        ("name", forms.CharField),
        ("extra", forms.CharField),
        ("flag", forms.TypedChoiceField),
    ],
)
def test_each_kind_of_parameter_has_its_field(name, kind):
    assert isinstance(FORM.base_fields[name], kind)


def test_fields_come_in_order_with_labels_help_and_initial_values():
    fields = FORM.base_fields
    assert list(fields)[:3] == ["days", "dose", "active"]
    assert (fields["days"].label, fields["days"].help_text, fields["days"].initial) == (
        "Days",
        "how far back",
        30,
    )
    assert fields["since"].initial == "2026-01-01"
    assert "works it out" in fields["today"].help_text


def test_titles_and_units_come_from_the_notebooks_metadata():
    described = {"a": {"display_name": "How long", "unit": "days"}}
    schema = infer_parameters(
        notebook(code("a = 1", tags=["parameters"]), parameterise=described)
    ).schema
    field = form_class(schema).base_fields["a"]
    assert (field.label, field.help_text) == ("How long", "In days.")


def test_help_that_only_repeats_the_label_is_left_out():
    schema = infer_parameters(
        notebook(code("drug = 'x'  # Drug.", tags=["parameters"]))
    ).schema
    field = form_class(schema).base_fields["drug"]
    assert (field.label, field.help_text) == ("Drug", "")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("days", "number"),
        ("since", "date"),
        ("at", "datetime-local"),
        ("hour", "time"),
        ("name", "text"),
    ],
)
def test_browsers_get_the_input_that_fits(name, kind):
    assert f'type="{kind}"' in str(FORM()[name])


def test_a_form_sent_back_untouched_gives_the_defaults():
    form = untouched()
    assert form.is_valid(), form.errors
    assert form.parameters() == {
        "days": 30,
        "dose": 1.5,
        "active": True,
        "drug": "metformin",
        "rank": 1,
        "wards": ["A"],
        "since": "2026-01-01",
        "at": "2026-01-01T00:00:00",
        "hour": "08:00:00",
        "nickname": "x",
        "name": "x",
        "title": "",
        "extra": {},
        "codes": [],
    }


def test_only_what_was_sent_is_set():
    assert post().parameters() == {"name": "x"}
    assert post(days="5").parameters() == {"days": 5, "name": "x"}


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("days", "90", 90),
        ("dose", "2", 2.0),
        ("drug", "warfarin", "warfarin"),
        ("rank", "2", 2),
        ("wards", ["A", "B"], ["A", "B"]),
        ("since", "2026-02-28", "2026-02-28"),
        ("at", "2026-02-28T08:30", "2026-02-28T08:30"),
        ("hour", "08:30", "08:30"),
        ("limit", "7", 7),
        ("name", "  two  ", "  two  "),
        ("title", "", ""),
        ("title", "a\r\nb", "a\nb"),
        ("extra", '{"a": 1}', {"a": 1.0}),
        ("codes", "[1, [2]]", [1, [2]]),
        ("flag", "false", False),
    ],
)
def test_what_is_entered_arrives_as_its_type(name, sent, value):
    form = post(**{name: sent})
    assert form.is_valid(), form.errors
    assert repr(form.parameters()[name]) == repr(value)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("days", "0"),
        ("days", "91"),
        ("days", "1.5"),
        ("days", "x"),
        ("dose", "nan"),
        ("dose", "inf"),
        ("drug", "aspirin"),
        ("rank", "3"),
        ("wards", ["A", "C"]),
        ("since", "2026-02-30"),
        ("since", "yesterday"),
        ("at", "2026-02-28"),
        ("extra", "{"),
        ("extra", '{"a": 1, "a": 2}'),
        ("extra", "[1]"),
        ("extra", '{"a": "b"}'),
        ("codes", "NaN"),
        ("codes", "[" * 99),
        ("name", ""),
        ("name", "a\0b"),
    ],
)
def test_what_does_not_fit_is_an_error_of_its_field(name, sent):
    form = post(**{name: sent})
    assert not form.is_valid()
    assert list(form.errors) == [name]
    with pytest.raises(ValueError, match="errors"):
        form.parameters()


def test_a_box_without_a_tick_is_told_apart_from_no_box():
    assert post(active__present="1").parameters()["active"] is False
    assert post(active__present="1", active="on").parameters()["active"] is True
    assert "active" not in post().parameters()


def test_the_pages_own_form_template_sends_the_marks():
    """Form templates draw checkboxes themselves; the marks must be there all the same."""
    page = Template("{% load crispy_forms_tags %}{{ form|crispy }}").render(
        Context({"form": FORM()})
    )
    assert 'name="parameter-active__present"' in page
    assert 'name="parameter-wards__present"' in page


def test_no_choice_at_all_is_told_apart_from_no_choices():
    assert post(wards__present="1").parameters()["wards"] == []
    assert "wards" not in post().parameters()


def test_null_is_set_on_purpose_only():
    assert post(limit__null="on").parameters()["limit"] is None
    assert "limit" not in post(limit="").parameters()
    assert post(nickname="x", nickname__null="on").parameters()["nickname"] is None


def test_a_value_and_none_together_are_refused():
    assert "limit" in post(limit="5", limit__null="on").errors


def test_a_computed_value_is_left_to_the_notebook_when_empty():
    assert "today" not in post(today="").parameters()
    assert "flag" not in post(flag="").parameters()
    assert post(today="2026-01-05").parameters()["today"] == "2026-01-05"


def test_a_parameter_cannot_take_the_place_of_the_pages_own_fields():
    schema = infer_parameters(
        notebook(code("persona = 'x'\ncsrfmiddlewaretoken = 'y'", tags=["parameters"]))
    ).schema
    assert 'name="persona"' not in str(form_class(schema)())
    assert 'name="csrfmiddlewaretoken"' not in str(form_class(schema)())


def test_names_and_texts_are_escaped_in_the_page():
    source = "a = '<script>'  # <b>help</b>"
    described = {"a": {"display_name": "<i>title</i>"}}
    schema = infer_parameters(
        notebook(code(source, tags=["parameters"]), parameterise=described)
    ).schema
    page = str(form_class(schema)())
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_a_schema_without_parameters_gives_an_empty_form():
    form = form_class(infer_parameters(notebook()).schema)({})
    assert form.is_valid()
    assert form.parameters() == {}
