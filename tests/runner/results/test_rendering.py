"""A reader sees outputs and words, no code, and nothing that can act."""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.results import outputs, rendering, sanitising
from runner.results.document import compose
from runner.results.exporter import exporter
from runner.results.outputs import (
    BROKEN_PICTURE,
    ERROR,
    INTERACTIVE,
    LARGE_PICTURE,
    OUTSIDE_PICTURE,
    PARTLY,
    TANGLED,
    TOO_LONG,
)
from runner.results.rendering import EMPTY, FOR_PAGES, RAW, render
from runner.results.sanitising import Cleaned, clean_document, clean_output
from tests.runner.results.hostile import payloads
from tests.runner.results.notebooks import (
    code,
    error,
    html,
    markdown,
    notebook,
    png,
    shown,
    stream,
)

EVIL = "http://evil.example"
HOSTILE = payloads(EVIL)


def rendered(*cells: dict) -> str:
    return render(notebook(*cells)).html.decode()


class Elements(HTMLParser):
    """Every element and attribute of a document, as a browser would see them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)


def assert_dead(source: str) -> None:
    """Nothing in `source` can load, run, submit or lead anywhere."""
    found = Elements(source)
    assert found.tags <= sanitising.TAGS, found.tags - sanitising.TAGS
    for tag, name, value in found.attributes:
        assert name in {
            *("class", "style", "dir", "src", "alt", "width", "height", "colspan"),
            *("rowspan", "align", "scope", "start", "tabindex", "role", "aria-label"),
        }
        if name == "src":
            assert re.fullmatch(
                r"data:image/(png|jpeg|svg\+xml);base64,[\w+/]+=*", value
            )
        if name == "style":
            assert not re.search(r"url|\\|@|image|position|content|expression", value)
        if name != "alt":
            assert "evil" not in value, (tag, name, value)


@pytest.mark.security
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_is_dead_after_rendering(name: str):
    assert_dead(render(HOSTILE[name]).html.decode())


@pytest.mark.security
@pytest.mark.parametrize("name", HOSTILE)
def test_the_last_look_at_the_whole_would_do_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outputs, "clean_output", Cleaned)
    assert_dead(render(HOSTILE[name]).html.decode())


@pytest.mark.security
@given(st.text(max_size=300))
def test_whatever_the_markup_only_harmless_elements_remain(source: str):
    assert_dead(clean_output(source).html)


MARKUP = "< > </ /> \" ' = <!-- --> <![CDATA[ ]]> &lt; \0"
NAMES = "script style svg math mtext img a table td template noscript textarea title x"
MORE_NAMES = (
    "iframe srcdoc form base meta src href style onerror url(//evil) javascript:"
)
FRAGMENTS = st.sampled_from([" ", *f"{MARKUP} {NAMES} {MORE_NAMES}".split(" ")])


@pytest.mark.security
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_no_mixture_of_markup_fragments_gets_through(source: str):
    cleaned = clean_document(clean_output(source).html)
    assert_dead(cleaned)
    assert clean_document(cleaned) == cleaned


def test_code_and_injected_parameters_are_not_shown():
    injected = code(
        stream("the parameters"), metadata={"tags": ["injected-parameters"]}
    )
    source = rendered(injected, code(stream("shown")))
    assert "the_source" not in source
    assert "the parameters" not in source
    assert "shown" in source


def test_an_error_is_one_sentence_without_its_message():
    source = rendered(code(error("KeyError: patient 17")))
    assert ERROR in source
    assert "patient 17" not in source
    assert "KeyError" not in source


def test_markdown_is_rendered_with_math_as_its_source():
    source = rendered(markdown("# Title\n\n*emphasis* $x < y$\n\n$$z^2$$"))
    assert "<h1>Title</h1>" in source
    assert "<em>emphasis</em>" in source
    assert "<code>x &lt; y</code>" in source
    assert "<pre><code>z^2</code></pre>" in source


def test_a_link_becomes_its_text_and_its_address_in_words():
    source = rendered(markdown("[guide](https://example.org/a)"))
    assert "guide <small>(https://example.org/a)</small>" in source


def test_terminal_colours_become_classes_and_other_controls_vanish():
    source = rendered(code(stream("\x1b[1;31mred\x1b[0m \x1b[2Jplain\x07 \u202eabc")))
    assert '<span class="cs-ansi-red cs-ansi-bold">red</span> plain abc' in source


def test_a_progress_bar_shows_its_last_state():
    assert "<pre>100%\ndone" in rendered(code(stream("10%\r50%\r100%\ndone")))


def test_messages_are_folded_away():
    assert "<summary>Messages from the notebook</summary>" in rendered(
        code(stream("DeprecationWarning", "stderr"))
    )


def test_streams_of_one_cell_are_joined():
    assert rendered(code(stream("a"), stream("b"))).count("<pre>") == 1


def test_a_data_frame_keeps_its_cells_and_its_numbers_stand_right():
    frame = (
        '<table border="1" class="dataframe"><thead><tr style="text-align: right;">'
        "<th></th><th>drug</th><th>n</th></tr></thead><tbody>"
        "<tr><th>0</th><td>Metformin</td><td>-12</td></tr></tbody></table>"
    )
    source = rendered(code(html(frame)))
    assert '<table class="dataframe">' in source
    assert '<td>Metformin</td><td class="cs-number">-12</td>' in source
    assert '<th>drug</th><th class="cs-number">n</th>' in source
    assert 'tabindex="0" role="region" aria-label="Output"' in source


def test_a_picture_is_made_anew_without_its_metadata():
    source = rendered(code(shown({"image/png": png(comment="patient 17")})))
    encoded = re.search(r'src="data:image/png;base64,([^"]+)"', source)[1]
    data = base64.b64decode(encoded)
    assert b"patient 17" not in data
    image = Image.open(io.BytesIO(data))
    assert (image.size, image.info) == ((4, 3), {})
    assert 'alt="Figure 1"' in source


@pytest.mark.parametrize(("kind", "made"), [("GIF", "png"), ("WEBP", "jpeg")])
def test_other_pictures_become_png_or_jpeg(kind: str, made: str):
    target = io.BytesIO()
    Image.new("RGB", (5, 5)).save(target, kind, comment=b"patient 17")
    encoded = base64.b64encode(target.getvalue()).decode()
    source = rendered(code(shown({f"image/{kind.lower()}": encoded})))
    assert f"data:image/{made};base64," in source
    assert base64.b64encode(b"patient 17").decode()[:12] not in source


def test_a_picture_keeps_whole_numbers_of_its_metadata_only():
    sizes = {"image/png": {"width": 300, "height": "9 onload=x", "alt": "x"}}
    source = rendered(code(shown({"image/png": png()}, sizes)))
    assert 'width="300"' in source
    assert "height=" not in source


def test_a_photograph_stays_one_and_loses_its_metadata():
    target, facts = io.BytesIO(), Image.Exif()
    facts[0x010E] = "patient 17"
    Image.new("RGB", (5, 5)).save(target, "JPEG", exif=facts, comment=b"patient 18")
    encoded = base64.b64encode(target.getvalue()).decode()
    source = rendered(code(shown({"image/jpeg": encoded})))
    kept = base64.b64decode(re.search(r"image/jpeg;base64,([^\"]+)", source)[1])
    assert b"patient" not in kept


@pytest.mark.parametrize("encoded", ["", "!!!", "aGVsbG8=", png()[:60]])
def test_a_broken_picture_is_replaced_by_a_sentence(encoded: str):
    result = render(notebook(code(shown({"image/png": encoded}))))
    assert BROKEN_PICTURE.encode() in result.html
    assert result.notes == [BROKEN_PICTURE]


def test_a_picture_with_too_many_pixels_is_left_out():
    bomb = io.BytesIO()
    Image.new("1", (6_000, 5_000)).save(bomb, "PNG")  # Pillow itself would read it
    encoded = base64.b64encode(bomb.getvalue()).decode()
    assert render(notebook(code(shown({"image/png": encoded})))).notes == [
        LARGE_PICTURE
    ]


def test_a_picture_inside_html_is_made_anew_too():
    source = (
        f'<p><img alt="x" src="data:image/png;base64,{png(comment="patient 17")}"></p>'
    )
    cleaned = clean_output(source).html
    assert b"patient 17" not in base64.b64decode(
        re.search(r"base64,([^\"]+)", cleaned)[1]
    )


def test_a_drawing_is_loaded_as_a_picture_and_stripped_of_what_acts():
    drawing = (
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">'
        '<svg xmlns="http://www.w3.org/2000/svg"><script>evil</script>'
        '<rect width="3" onclick="evil" fill="url(//evil)"/><path clip-path="url(#a)"/></svg>'
    )
    source = rendered(code(shown({"image/svg+xml": drawing})))
    kept = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", source)[1]).decode()
    assert "evil" not in kept
    assert 'clip-path="url(#a)"' in kept


@pytest.mark.parametrize(
    "drawing",
    [
        '<!DOCTYPE s [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        "<svg><unclosed></svg>",
        "<html/>",
    ],
)
def test_a_drawing_with_entities_or_faults_is_left_out(drawing: str):
    result = render(notebook(code(shown({"image/svg+xml": drawing}))))
    assert result.notes == [BROKEN_PICTURE]


def test_what_needs_scripts_is_named():
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider"}
    result = render(notebook(code(shown(view), html("<p>text</p><script>1</script>"))))
    assert b"IntSlider" not in result.html
    assert result.notes == [INTERACTIVE, PARTLY]


def test_a_static_picture_stands_in_for_an_interactive_chart():
    chart = {"text/html": "<div></div><script>1</script>", "image/png": png()}
    result = render(notebook(code(shown(chart))))
    assert b"data:image/png" in result.html
    assert result.notes == []


def test_a_picture_from_elsewhere_is_named_and_not_loaded():
    result = render(notebook(code(html("<p>x</p><img src='https://evil.example/a'>"))))
    assert result.notes == [OUTSIDE_PICTURE]


def test_a_raw_cell_is_named():
    raw = {"cell_type": "raw", "source": "<b>raw</b>", "metadata": {}}
    result = render(notebook(raw, code(stream("x"))))
    assert b"raw" not in result.html
    assert result.notes == [RAW]


def test_what_the_kernel_host_cut_is_said_where_it_was_cut():
    cells = notebook(
        code(stream("parameters"), metadata={"tags": ["injected-parameters"]})
    )
    cells["cells"] += [code(stream("first")), code(stream("second"))]
    cuts = [{"cell": 1, "scope": "cell", "message": "Cut at 5 <MB>."}]
    result = render(cells, truncated=cuts)
    source = result.html.decode()
    assert "Cut short</strong> Cut at 5 &lt;MB&gt;.</p></div><div" in source
    assert source.index("first") < source.index("Cut short") < source.index("second")
    assert result.notes == ["Cut at 5 <MB>."]


def test_an_output_too_long_for_a_page_is_named():
    table = "<table>" + "<tr><td>12345678</td></tr>" * 100_000 + "</table>"
    assert render(notebook(code(html(table)))).notes == [TOO_LONG]
    result = render(notebook(code(stream("x" * 1_000_001))))
    assert result.notes == [TOO_LONG]
    assert b"xxx" in result.html


def test_a_page_stays_small_enough_to_open(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rendering, "MAX_PAGE_BYTES", 100)
    result = render(notebook(code(stream("a" * 101), html("b")), code(html("c"))))
    assert result.notes == [TOO_LONG]
    assert b">b<" not in result.html
    assert b">c<" not in result.html


def test_an_empty_notebook_says_so():
    assert EMPTY in rendered()


def test_an_output_cannot_close_its_box_or_borrow_our_words():
    source = rendered(
        code(html('</div></div></main><div class="cs-rights cs-error">Dr No</div>'))
    )
    assert '<div class="cs-output cs-html"><div>Dr No</div></div></div></div>' in source
    assert "cs-rights" not in source


def test_colours_follow_the_readers_theme():
    red = clean_output('<b style="color: red; position: fixed">x</b>').html
    assert red == '<b style="color:color-mix(in srgb,#ff0000 60%,currentcolor)">x</b>'
    dark = clean_output('<b style="background-color: #000080">x</b>').html
    assert dark == '<b style="background-color:#000080;color:#ffffff">x</b>'


@pytest.mark.parametrize("unit", ["<div>", "<span>", "<div><!--</div>-->", "<div></x>"])
def test_an_output_too_deep_to_parse_in_time_is_left_out(unit: str):
    assert render(notebook(code(html(unit * 60_000)))).notes == [TANGLED]


def test_a_large_plain_table_is_not_too_deep():
    row = "<tr>" + "<td>1</td>" * 10 + "</tr>"
    assert "<td" in rendered(code(html(f"<table>{row * 2000}</table>")))


@pytest.mark.parametrize(
    "source", ["\\begin{a}" * 20_000, "[" * 190_000, "*a " * 60_000]
)
def test_markdown_made_to_be_slow_is_not(source: str):
    assert rendered(markdown(source))


def test_the_page_names_no_other_address():
    page = compose(render(notebook(markdown("x"))).html, title="<T>").decode()
    assert "&lt;T&gt;" in page
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", page))
    assert not addresses, addresses
    assert "<script" not in page
    assert "<link" not in page


def test_one_exporter_serves_the_whole_process():
    assert exporter() is exporter()


def test_the_same_notebook_renders_to_the_same_bytes():
    same = notebook(markdown("a"), code(stream("b")))
    assert render(same).html == render(same).html


def test_a_part_for_live_pages_that_was_not_run_is_said_to_be_left_out():
    tagged = {"tags": ["live-only"]}
    left_out = code(metadata=tagged, execution_count=None)
    assert render(notebook(left_out)).notes == [FOR_PAGES]
    # The record of a live page does not say how often a cell was run; its page left nothing out.
    assert render(notebook(left_out), is_live=True).notes == []
    for ran in (code(metadata=tagged), code(execution_count=None)):
        assert FOR_PAGES not in rendered(ran)
