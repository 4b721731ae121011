"""The reference pages say what the code does."""

import json
import re
from pathlib import Path
from typing import Any

from gallery import layouts
from gallery.grids import MAX_COLUMNS, MAX_LINES, Box
from gallery.intake import IntakeError
from gallery.layouts import Kind, read_layout
from gallery.parameters.infer import infer_parameters
from runner.parameters.inject import injected_source
from runner.results.arrangement import GAP_STEP_PX, MAX_GAP, MAX_TALL, TALL_STEP_PX
from tests.gallery.notebooks import code, notebook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = (ROOT / "docs" / "reference" / "notebooks.md").read_text()
HOW_TO = (ROOT / "docs" / "how-to" / "write-a-live-notebook.md").read_text()
PARAMETERS = (ROOT / "docs" / "reference" / "parameters.md").read_text()


def codes_in(section: str) -> set[str]:
    table = NOTEBOOKS.split(f"## {section}\n")[1].split("\n## ")[0]
    firsts = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    return {each for first in firsts for each in re.findall(r"`(\w+)`", first)}


def test_every_refusal_is_in_the_table():
    assert codes_in("Refused") == {error.code for error in IntakeError.__subclasses__()}


def test_every_finding_is_in_the_table():
    source = "".join(
        path.read_text() for path in (ROOT / "gallery" / "findings").glob("*.py")
    )
    given = set(re.findall(r'Finding\(\s*"(\w+)"', source))
    given |= set(re.findall(r'\(?\s*"(\w+)",\s*"(?:info|warning|error)"', source))
    given |= set(re.findall(r'^(?:\w+_)?CODE = "(\w+)"', source, re.MULTILINE))
    assert codes_in("Findings") == given - {"info", "warning"}


def test_the_layout_that_the_how_to_shows_is_one():
    arranged = HOW_TO.split("## Arrange it\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```json\n(.*?)```", arranged, re.DOTALL)
    of_notebook, shown, hidden = map(json.loads, blocks)
    made = notebook(code("1", **shown), code("2", **hidden), **of_notebook)
    layout = read_layout(made)
    assert (layout.kind, layout.faults, layout.hidden) == (Kind.GRID, (), {1})
    assert layout.boxes == (Box(cell=0, row=4, col=0, width=4, height=8),)


def test_the_bounds_of_a_layout_are_those_that_the_page_says():
    said = NOTEBOOKS.split("## Layout\n")[1].split("\n## ")[0]
    for bound in (
        f"without `width` {layouts.WIDTH}, without `height` {layouts.HEIGHT}",
        f"1 to {MAX_COLUMNS}; {layouts.COLUMNS} when not said",
        f"up to {layouts.MAX_ROW_HEIGHT_PX:,} and {layouts.MAX_MARGIN_PX}",
        f"{layouts.ROW_HEIGHT_PX} and {layouts.MARGIN_PX} when not said",
        f"more than {MAX_LINES} different rows",
        f"steps of {GAP_STEP_PX} and {TALL_STEP_PX} pixels",
        f"up to {GAP_STEP_PX * MAX_GAP} and",
        f"heights asked for up to {TALL_STEP_PX * MAX_TALL}.",
    ):
        assert bound in " ".join(said.split()), bound


def test_the_example_has_the_parameters_that_the_page_says():
    plain, controls, shown = (
        block.split("```")[0] for block in PARAMETERS.split("```python\n")[1:]
    )
    example = plain + controls
    schema = infer_parameters(notebook(code(example, tags=["parameters"]))).schema
    assert list(schema["properties"]) == [
        "drug",
        "from_date",
        "target",
        "wards",
        "limit",
        "patient",
        "today",
        "days",
        "ward",
    ]
    assert schema["required"] == ["patient"]
    assert schema["properties"]["from_date"]["description"] == "First day to count"
    values: dict[str, Any] = {"drug": "warfarin", "patient": "x", "days": 45}
    values["from_date"] = "2026-01-31"
    assert injected_source(schema, values, language="python") == shown
