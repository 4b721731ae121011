"""A notebook whose parameters are controls, beside plain ones."""

from gallery.parameters.infer import infer_parameters
from tests.gallery.notebooks import code, notebook

SOURCE = """
import datetime
import ipywidgets as widgets

since: datetime.date = datetime.date(2026, 5, 1)
days = widgets.IntSlider(value=30, min=0, max=60, step=5, description="Days")
dose = widgets.FloatSlider(value=1.5, max=9)
ward = widgets.Dropdown(options=[("All wards", 0), ("Cardiology", 3)])
drugs = widgets.SelectMultiple(options={"Metformin": "m", "Warfarin": "w"})
day = widgets.DatePicker(description="Day")
words = widgets.TagsInput()
title = widgets.Text()
active = widgets.Checkbox(True)
"""
NOTEBOOK = notebook(code(SOURCE, tags=["parameters"]), code("print(days.value)"))
SCHEMA = infer_parameters(NOTEBOOK).schema
VALUES = {
    "since": "2026-01-31",
    "days": 45,
    "dose": 2.5,
    "ward": 3,
    "drugs": ["w", "m"],
    "day": "2026-02-28",
    "words": ["a b"],
    "title": "'; import os #",
    "active": False,
}
