"""The reference pages say what the code does."""

import re
from pathlib import Path

from gallery.intake import IntakeError
from gallery.parameters.infer import infer_parameters
from runner.parameters.inject import injected_source
from tests.gallery.notebooks import code, notebook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = (ROOT / "docs" / "reference" / "notebooks.md").read_text()
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
    given |= set(re.findall(r'^CODE = "(\w+)"', source, re.MULTILINE))
    assert codes_in("Findings") == given - {"info", "warning"}


def test_the_example_has_the_parameters_that_the_page_says():
    example = PARAMETERS.split("```python\n")[1].split("```")[0]
    schema = infer_parameters(notebook(code(example, tags=["parameters"]))).schema
    assert list(schema["properties"]) == [
        "drug",
        "from_date",
        "target",
        "wards",
        "limit",
        "patient",
        "today",
    ]
    assert schema["required"] == ["patient"]
    assert schema["properties"]["from_date"]["description"] == "First day to count"
    values = {"drug": "warfarin", "from_date": "2026-01-31", "patient": "x"}
    shown = PARAMETERS.split("```python\n")[2].split("```")[0]
    assert injected_source(schema, values, language="python").startswith(shown)
