"""What a notebook shows in little bytes may not become a page of many."""

import base64
import io
import random
import re
from typing import Any

import pytest
from PIL import Image

from runner.results import images, rendering
from runner.results.images import PictureBudget, PictureTooLarge, made_anew
from runner.results.outputs import LARGE_PICTURE, TOO_LONG
from runner.results.plain import MAX_NODE_CHARS
from runner.results.rendering import render
from tests.runner.results.notebooks import code, html, markdown, notebook, png, shown


def noise(side: int, mode: str = "RGB") -> Image.Image:
    size = (side, side)
    data = random.Random(1).randbytes(side * side * len(mode))
    return Image.frombytes(mode, size, data)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_photograph_in_webp_stays_about_as_small() -> None:
    # The measured fault: such pictures became PNG of twenty times their size.
    photograph = encoded(noise(1500), "WEBP", quality=10)
    kind, data = made_anew(photograph, PictureBudget())
    assert kind == "image/jpeg"
    assert len(data) < images.MAX_BYTES


def test_what_would_be_too_large_as_png_becomes_jpeg_on_white() -> None:
    clear = noise(1200, "RGBA")
    kind, data = made_anew(encoded(clear, "PNG"), PictureBudget())
    assert kind == "image/jpeg"
    assert len(data) < images.MAX_BYTES


def test_a_drawing_of_lines_stays_png() -> None:
    kind, _ = made_anew(base64.b64decode(png()), PictureBudget())
    assert kind == "image/png"


def test_an_encoder_stops_where_the_picture_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 20_000)
    written = []
    write = images._Bounded.write

    def counting(self: Any, data: Any) -> int:
        written.append(len(data))
        return write(self, data)

    monkeypatch.setattr(images._Bounded, "write", counting)
    with pytest.raises(PictureTooLarge):
        made_anew(encoded(noise(600), "PNG"), PictureBudget())
    assert sum(written) < 600 * 600 * 3


@pytest.mark.parametrize(
    "budget", [PictureBudget(pixels=1_000), PictureBudget(size_bytes=2_000)]
)
def test_a_result_has_one_budget_for_all_pictures(
    budget: PictureBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.results.rendering.PictureBudget", lambda: budget)
    picture = text(encoded(noise(20), "PNG"))  # 400 pixels, no more than 1,300 bytes
    tag = f'<img src="data:image/png;base64,{picture}">'
    result = render(
        notebook(
            *[code(shown({"image/png": picture})) for _ in range(2)],
            code(html(f"<p>x</p>{tag}")),
            markdown(f"kept {tag}"),
        )
    )
    assert result.html.count(b"<img src=") <= 2
    assert LARGE_PICTURE in result.notes
    assert result.html.decode().count(LARGE_PICTURE) >= 2
    assert b"kept" in result.html


def test_a_drawing_counts_like_a_picture() -> None:
    budget = PictureBudget(size_bytes=100)
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    images.svg_data_url(drawing, budget)
    with pytest.raises(PictureTooLarge):
        images.svg_data_url(drawing, budget)


def test_small_files_that_hold_many_pixels_do_not_make_a_large_page() -> None:
    flat = text(encoded(Image.new("RGB", (5_000, 5_000), "teal"), "PNG"))
    result = render(notebook(*[code(shown({"image/png": flat})) for _ in range(8)]))
    assert result.html.count(b"<img src=") == 3
    assert result.notes == [LARGE_PICTURE]


def test_no_words_make_a_page_larger_than_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rendering, "MAX_PAGE_BYTES", 300_000)
    ampersands = shown({"text/plain": "&" * 50_000})  # five bytes each on the page
    result = render(
        notebook(code(ampersands, ampersands), code(ampersands), markdown("é" * 50_000))
    )
    assert len(result.html) < 300_000
    assert result.notes == [TOO_LONG]


@pytest.mark.parametrize("output", ["text/plain", "text/markdown"])
def test_a_text_of_nothing_but_references_is_parsed_in_linear_time(output: str) -> None:
    result = render(notebook(code(shown({output: "&" * 250_000}))))
    nodes = re.split(r"<[^>]*>", result.html.decode())
    assert max(map(len, nodes)) <= MAX_NODE_CHARS * len("&amp;")
    assert "".join(nodes).count("&amp;") == 250_000
