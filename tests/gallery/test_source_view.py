"""A reviewer sees all of a notebook, and nothing of it is alive in the page."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.characters import lookalike
from gallery.source_view import source_cells
from tests.gallery.notebooks import code, markdown, notebook

SPAN = re.compile(
    r'<span class="[a-z0-9]{1,3}">|<span class="invisible-char" title="U\+[0-9A-F]{4,6} [A-Z0-9 ()&#;x-]+">|</span>'
)


def view(cell, **metadata):
    return source_cells(notebook(cell, **metadata))[0]


def plain(line: str) -> str:
    """The text of a line as the browser shows it."""
    return html.unescape(SPAN.sub("", line))


TEXT = st.text(
    st.sampled_from(
        [*"<>&\"'`=/ \n\t%!#ab", "\u202e", "\u200b", "\x00", "\x85", "\u2028", "\ufeff"]
    ),
    max_size=60,
)


@given(
    TEXT | st.text(max_size=60),
    st.sampled_from([code, markdown]),
    st.sampled_from(["python", "bash", "r", "sql", "nonsense"]),
)
def test_no_tag_of_the_source_survives(source, make, language):
    kernel = {"kernelspec": {"name": "x", "language": language}}
    for _, line in view(make(source), **kernel).lines:
        rest = SPAN.sub("", line)
        assert "<" not in rest
        assert ">" not in rest
        assert '"' not in rest


@given(TEXT, st.sampled_from([code, markdown]))
def test_every_line_is_shown_with_its_number_and_text(source, make):
    lines = view(make(source)).lines
    assert [number for number, _ in lines] == list(range(1, source.count("\n") + 2))
    hidden = ("\u202e", "\u200b", "\x00", "\x85", "\u2028", "\ufeff")
    written_out = "".join(
        f"U+{ord(each):04X}" if each in hidden else each for each in source
    )
    assert "\n".join(plain(line) for _, line in lines) == written_out


@pytest.mark.parametrize(
    ("character", "title"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u3164", "U+3164 HANGUL FILLER"),
        ("\x1b", "U+001B ESCAPE"),
        ("\u2028", "U+2028 LINE SEPARATOR"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
    ],
)
def test_a_character_that_cannot_be_seen_is_made_visible(character, title):
    shown = view(code(f"x = 1  # {character} y"))
    assert f'<span class="invisible-char" title="{title}">' in shown.lines[0][1]
    assert title in shown.warnings[0]
    assert "Line 1" in shown.warnings[0]


def test_letters_of_other_scripts_are_not_invisible():
    assert view(markdown("Zoë 患者 مريض 😀")).warnings == []


@pytest.mark.parametrize("tags", [["remove-cell"], ["hide-input"], ["remove_input"]])
def test_a_cell_hidden_by_a_tag_is_shown_and_flagged(tags):
    shown = view(code("secret()", tags=tags))
    assert shown.hidden
    assert plain(shown.lines[0][1]) == "secret()"
    assert shown.tags == tags


def test_a_cell_hidden_in_jupyter_is_shown_and_flagged():
    shown = view(code("secret()", jupyter={"source_hidden": True}))
    assert shown.hidden
    assert "runs all the same" in shown.warnings[0]
    assert '"source_hidden": true' in shown.metadata_json


def test_metadata_is_shown_in_ascii():
    assert view(code("1", tags=["\u202egat"])).metadata_json.isascii()


def test_attachments_are_named():
    assert view(
        markdown("x", attachments={"p.png": {"image/png": ""}})
    ).attachments == ["p.png"]


def test_findings_about_the_whole_cell_are_among_its_warnings():
    findings = [
        {"cell": 0, "line": None, "message": "Look here."},
        {"cell": 0, "line": 1, "message": "There."},
    ]
    assert source_cells(notebook(code("1")), findings)[0].warnings == ["Look here."]


def test_code_is_highlighted():
    assert '<span class="kn">import</span>' in view(code("import os")).lines[0][1]
    assert (
        '<span class="k">if</span>'
        in view(
            code("if true; then"), kernelspec={"name": "bash", "language": "bash"}
        ).lines[0][1]
    )
    assert '<span class="k">SELECT</span>' in view(code("%%sql\nSELECT 1")).lines[1][1]


def test_a_very_large_cell_is_shown_plain():
    shown = view(code("import os\n" * 20_000))
    assert shown.lines[0][1] == "import os"
    assert len(shown.lines) == 20_001


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](https://example.org/track.png)",
    "![x](attachment:other.png)",
    "<svg onload=alert(1)>",
    "[x](//example.org)",
    "<style>*{display:none}</style>",
    '<a href="x" style="position:fixed">y</a>',
    '![x]("onerror=alert(1))',
    "```html\n<script>1</script>\n```",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_markdown_is_rendered_without_anything_alive(source):
    rendered = view(markdown(source)).rendered_html
    tags = re.findall(r"<([^>]*)>", rendered)
    assert not [
        tag for tag in tags if re.match(r"/?(script|style|svg|iframe|object)", tag)
    ]
    assert not [
        tag
        for tag in tags
        if re.search(r"\son\w+=|style=|src=|javascript:|data:", tag, re.IGNORECASE)
    ]


def test_rendered_markdown_writes_out_what_cannot_be_seen():
    rendered = view(markdown("a \u202eb\u200b 👩\u200d⚕️")).rendered_html
    assert "a ⟨U+202E⟩b⟨U+200B⟩" in rendered
    assert "👩\u200d⚕️" in rendered


def test_markdown_is_rendered_with_its_own_pictures():
    shown = view(
        markdown(
            "# Title\n\n![p](attachment:a%20b.png)",
            attachments={"a b.png": {"image/png": "aGVs"}},
        )
    )
    assert "<h1>Title</h1>" in shown.rendered_html
    assert 'src="data:image/png;base64,aGVs"' in shown.rendered_html


def test_markdown_nested_beyond_reason_is_not_rendered_but_shown():
    shown = view(markdown(">" * 20_000 + "x"))
    assert plain(shown.lines[0][1]).endswith("x")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("value", ""),
        ("café", ""),
        ("患者", ""),
        ("ｅval", "Python reads it as “eval”"),
        ("𝐞val", "Python reads it as “eval”"),
        ("pаtient", "it mixes Latin and Cyrillic letters"),
        ("α", "its letters are Greek"),
    ],
)
def test_a_word_that_looks_like_another_is_explained(word, reason):
    assert lookalike(word) == reason
