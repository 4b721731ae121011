"""What an author declares to be sensitive is kept as it stands, or refused: never half of it."""

from typing import Any

import pytest

from gallery.intake import errors, read_notebook
from gallery.intake.sensitive import MAX_NAMES, sensitive_widgets
from tests.gallery.notebooks import as_bytes, code, notebook

pytestmark = pytest.mark.security


def read(**block: Any) -> Any:
    return read_notebook(as_bytes(notebook(code("1"), countersign=block)))


@pytest.mark.parametrize("declared", [True, ["Number"], ["b", "a"], ["x"] * MAX_NAMES])
def test_a_declaration_is_kept_as_it_stands(declared: Any) -> None:
    made = read(sensitive_widgets=declared)
    assert sensitive_widgets(made.notebook) == declared
    assert made.removed == []
    again = read_notebook(made.document)
    assert again.document == made.document


@pytest.mark.parametrize(
    "declared",
    [
        *(False, None, 1, "Number", {}, {"Number": True}, []),
        *([""], ["  "], [1], [["Number"]], ["x" * 201], ["x"] * (MAX_NAMES + 1)),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_may_stand_there(
    declared: Any,
) -> None:
    with pytest.raises(errors.InvalidDeclaration, match="is true, for every control"):
        read(sensitive_widgets=declared)


@pytest.mark.parametrize("key", ["sensitive_widget", "sensitive", "sensitiveWidgets"])
def test_a_misspelt_declaration_is_refused_where_it_would_seem_to_be_in_force(
    key: str,
) -> None:
    with pytest.raises(errors.InvalidDeclaration, match="means nothing here"):
        read(**{key: True})


def test_whatever_else_stands_there_goes_and_is_counted() -> None:
    made = read(sensitive_widgets=True, approved_by="CANARY")
    assert made.notebook["metadata"]["countersign"] == {"sensitive_widgets": True}
    assert len(made.removed) == 1


def test_without_a_declaration_nothing_is_sensitive() -> None:
    made = read_notebook(as_bytes(notebook(code("1"))))
    assert sensitive_widgets(made.notebook) == []
