"""What an upload may carry besides what is reviewed is nowhere afterwards."""

import base64
import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from gallery.intake import read_notebook
from tests.gallery.notebooks import as_bytes, code, markdown, notebook

CANARY = "CANARY-4711"


def png(text: str = CANARY, tail: bytes = CANARY.encode()) -> str:
    """A small PNG with text in a chunk and more behind its end."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text)
    data = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(data, format="PNG", pnginfo=info)
    return base64.b64encode(data.getvalue() + tail).decode()


def loaded() -> dict[str, Any]:
    """A notebook with a canary everywhere but in its sources."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": [CANARY]},
        {
            "output_type": "display_data",
            "data": {"text/html": CANARY},
            "metadata": {"x": CANARY},
        },
        {
            "output_type": "error",
            "ename": CANARY,
            "evalue": CANARY,
            "traceback": [CANARY],
        },
    ]
    cell = code(
        "1",
        collapsed=True,
        scrolled=True,
        execution={"iopub.execute_input": CANARY},
        papermill={"exception": CANARY},
        ExecuteTime={"end_time": CANARY},
        executionInfo={"user": {"displayName": CANARY}},
        vscode={"languageId": CANARY},
        gallery={"id": CANARY},
        countersign={"approved_by": CANARY},
        jupyter={"source_hidden": True, "outputs_hidden": True, "x": CANARY},
        slideshow={"slide_type": "slide", "x": CANARY},
        extensions={
            "jupyter_dashboards": {
                "version": 1,
                "x": CANARY,
                "views": {"g": {"row": 1, "x": CANARY}},
            },
            CANARY: 1,
        },
        name=CANARY,
        **{CANARY: CANARY},
    )
    cell |= {"outputs": outputs, "execution_count": 9}
    picture = markdown(
        "![p](attachment:p.png)", attachments={"p.png": {"image/png": png()}}
    )
    other = markdown(
        "![t](attachment:t.txt) ![f](attachment:f.png) ![s](attachment:s.svg)",
        attachments={
            "t.txt": {"text/plain": CANARY},
            "f.png": {"image/png": base64.b64encode(CANARY.encode()).decode()},
            "s.svg": {"image/svg+xml": f"<svg>{CANARY}</svg>"},
            CANARY: {"image/png": png()},
        },
    )
    return notebook(
        cell,
        picture,
        other,
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {"a": CANARY}}},
        signature=CANARY,
        papermill={"parameters": {"mrn": CANARY}, "output_path": CANARY},
        gallery={"uuid": CANARY},
        countersign={"status": CANARY},
        nbgallery={"id": CANARY},
        authors=[{"name": CANARY}],
        title=CANARY,
        toc={"x": CANARY},
        kernelspec={
            "name": "python3",
            "display_name": CANARY,
            "language": "python",
            "argv": [CANARY],
            "env": {"K": CANARY},
        },
        language_info={
            "name": "python",
            "version": CANARY,
            "codemirror_mode": {"name": CANARY},
        },
        parameterise={"a": {"display_name": "A", "x": CANARY}},
        **{CANARY: {CANARY: CANARY}},
    )


def test_no_canary_is_anywhere_afterwards():
    intake = read_notebook(as_bytes(loaded()))
    assert CANARY not in intake.document.decode()
    assert CANARY not in repr(intake)
    for cell in intake.notebook["cells"]:
        for bundle in cell.get("attachments", {}).values():
            assert CANARY.encode() not in base64.b64decode(bundle["image/png"])


def test_what_has_a_meaning_is_kept():
    first, second, third = read_notebook(as_bytes(loaded())).notebook["cells"]
    assert first["metadata"] == {
        "jupyter": {"source_hidden": True},
        "slideshow": {"slide_type": "slide"},
        "extensions": {
            "jupyter_dashboards": {"version": 1, "views": {"g": {"row": 1}}}
        },
    }
    assert list(second["attachments"]) == ["p.png"]
    assert "attachments" not in third


def test_what_was_removed_is_told_with_counts():
    assert read_notebook(as_bytes(loaded())).removed == [
        "Outputs of 1 cell were removed.",
        "The execution number of 1 cell was removed.",
        "Saved widget state was removed.",
        "A notebook signature was removed.",
        "5 records of earlier executions (times, papermill) were removed.",
        "5 editor settings (folding, scrolling, window state) were removed.",
        "5 blocks of gallery metadata that came with the file were removed; the gallery keeps its own.",
        "2 details of the author's kernel installation were removed.",
        "8 metadata entries that Countersign does not use were removed.",
        "1 attached image was kept and saved afresh, without the data hidden in its file; reviewers see it.",
        "4 attachments were removed: they are not images, or their cells do not show them.",
    ]


def test_a_clean_notebook_has_nothing_removed():
    assert (
        read_notebook(
            as_bytes(notebook(code("1", tags=["parameters"]), markdown("a")))
        ).removed
        == []
    )


def test_tags_are_kept_sorted_once_each():
    cell = code("1", tags=["zeta", "parameters", "ward 7"])
    assert read_notebook(as_bytes(notebook(cell))).notebook["cells"][0]["metadata"][
        "tags"
    ] == ["parameters", "ward 7", "zeta"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_stays_the_same_picture(kind):
    data = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(data, format=kind)
    encoded = base64.b64encode(data.getvalue()).decode()
    cell = markdown(
        "![x](attachment:a%20b.x)",
        attachments={"a b.x": {f"image/{kind.lower()}": [encoded[:9], encoded[9:]]}},
    )
    kept = read_notebook(as_bytes(notebook(cell))).notebook["cells"][0]["attachments"][
        "a b.x"
    ]
    with Image.open(io.BytesIO(base64.b64decode(kept["image/png"]))) as image:
        assert image.format == "PNG"
        assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_a_picture_of_too_many_pixels_is_removed():
    data = io.BytesIO()
    Image.new("1", (5_000, 5_000)).save(data, format="PNG")
    bomb = {"b.png": {"image/png": base64.b64encode(data.getvalue()).decode()}}
    intake = read_notebook(
        as_bytes(notebook(markdown("![b](attachment:b.png)", attachments=bomb)))
    )
    assert "attachments" not in intake.notebook["cells"][0]


def test_a_picture_that_lies_about_its_format_is_removed():
    lie = {"b.png": {"image/jpeg": png()}}
    intake = read_notebook(
        as_bytes(notebook(markdown("![b](attachment:b.png)", attachments=lie)))
    )
    assert "attachments" not in intake.notebook["cells"][0]
