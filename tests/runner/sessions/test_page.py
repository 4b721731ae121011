"""What the page of a live session holds, and what its policy lets it do."""

import hashlib
import json
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings

from runner.sessions.assets import MissingAssets, assets
from runner.sessions.page import page_policy, render_page
from tests.gallery.layouts import GRID, at, dashboard, grid_of, in_view
from tests.runner.results.hostile import payloads

BASE = f"{settings.CONTENT_ORIGIN}/live/to.ken/"
KERNEL = "0" * 31 + "7"
WORDS = {"cell_type": "markdown", "metadata": {}, "source": ["# Beds\n", "in *use*"]}
CODE = {"cell_type": "code", "metadata": {}, "source": "secret_formula = 1"}
INJECTED = {**CODE, "metadata": {"tags": ["injected-parameters"]}}
RAW = {"cell_type": "raw", "metadata": {}, "source": "<b>raw</b>"}


def lock() -> str:
    file = settings.ENVIRONMENTS_DIR / "python-analytics" / "lock.txt"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def page(cells: list[dict[str, Any]], **more: Any) -> str:
    given = {
        "notebook": {"cells": cells},
        "title": "Beds",
        "base_url": BASE,
        "kernel_id": KERNEL,
        "kernel_name": "python3",
        "environment": "python-analytics",
        "environment_lock_sha256": lock(),
        "theme": "",
        **more,
    }
    return render_page(**given).decode()


def config(text: str) -> dict[str, Any]:
    found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def test_words_stand_in_the_page_and_code_does_not():
    text = page([WORDS, INJECTED, CODE, RAW, CODE])
    assert "<h1>Beds</h1>" in text.replace("\n", "")
    assert "<em>use</em>" in text
    assert "secret_formula" not in text
    assert "raw</b>" not in text


def test_places_keep_the_index_of_cells_and_count_what_readers_see():
    text = page([WORDS, INJECTED, CODE, RAW, CODE])
    places = re.findall(
        r'cell-index="(\d)"(?: data-cell="(\d)" data-number="(\d)")?', text
    )
    assert places == [
        ("1", "", ""),
        ("2", "1", "0"),
        ("3", "2", "1"),
        ("5", "4", "2"),
    ]
    assert 'data-total="2"' in text
    assert '<p id="cs-status" role="status" aria-live="polite">Starting…</p>' in text


def test_the_front_end_finds_its_channel_and_its_files():
    found = config(page([CODE]))
    assert found["baseUrl"] == BASE
    assert found["wsUrl"] == BASE.replace("http", "ws")
    assert found["kernelId"] == KERNEL
    origin = settings.CONTENT_ORIGIN
    assert f"{found['fullStaticUrl']}/" == f"{origin}{assets().voila}"
    assert found["mathjaxConfig"] == found["fullMathjaxUrl"] == "null"
    names = [each["name"] for each in found["federated_extensions"]]
    assert names == [
        "@jupyter-widgets/jupyterlab-manager",
        "@voila-dashboards/widgets-manager8",
        "countersign-live",
    ]
    for each in found["federated_extensions"]:
        up = each["load"].count("../")
        assert up == len(each["name"].split("/"))
        assert assets().find(f"/assets/{each['load'].lstrip('./')}")


@pytest.mark.security
def test_every_address_in_the_page_is_on_the_content_origin():
    text = page([WORDS, CODE])
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(addresses) > 5
    for address in set(addresses) - {"data:,"}:
        assert address.startswith(f"{settings.CONTENT_ORIGIN}/assets/"), address
        assert assets().find(address.removeprefix(settings.CONTENT_ORIGIN)), address


@pytest.mark.security
def test_no_script_stands_in_the_page():
    text = page([WORDS, CODE], title="</script><script>alert(1)</script>")
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", text)
    assert [body for head, body in scripts if "application/json" not in head] == [
        ""
    ] * 2
    assert "<script>alert" not in text
    hostile = page([CODE], kernel_name="</script><script>alert(1)</script>")
    assert "<script>alert" not in hostile
    assert config(hostile)["kernelName"].startswith("</script>")


@pytest.mark.security
def test_hostile_words_are_as_harmless_as_in_a_result():
    cells = [
        cell
        for notebook in payloads("http://evil.example").values()
        for cell in notebook["cells"]
        if cell.get("cell_type") == "markdown"
    ]
    assert cells
    main = BeautifulSoup(page(cells), "html.parser").main
    tags = main.find_all(True)
    assert not {tag.name for tag in tags} & {
        "script",
        "iframe",
        "style",
        "link",
        "a",
        "form",
    }
    for tag in tags:
        assert not [name for name in tag.attrs if name.startswith("on")]
        assert tag.get("src", "data:").startswith("data:")


@pytest.mark.parametrize(
    ("asked", "found"),
    [("dark", ' class="cs-theme-dark"'), ("light", ' class="cs-theme-light"')],
)
def test_it_has_the_theme_that_was_asked_for(asked, found):
    assert f'<html lang="en-GB"{found}>' in page([], theme=asked)
    for other in ("", '"><b>'):
        assert '<html lang="en-GB">' in page([], theme=other)


def test_another_environment_than_the_installed_one_has_no_page():
    with pytest.raises(MissingAssets):
        page([], environment_lock_sha256="0" * 64)


@pytest.mark.security
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_policy_says_what_the_page_may(scheme):
    base = f"{scheme}://results.example.net/live/to.ken/"
    policy = page_policy(base_url=base, kernel_id=KERNEL)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    files = f"{scheme}://results.example.net/assets/"
    model = f"{base}api/kernels/{KERNEL}"
    socket = f"{model}/channels".replace("http", "ws", 1)
    assert rules == {
        "default-src": "'none'",
        "script-src": f"{files} blob:",
        "style-src": f"{files} 'unsafe-inline'",
        "img-src": f"{files} data: blob:",
        "font-src": f"{files} data:",
        "media-src": "data: blob:",
        "connect-src": f"{model} {socket}",
        "worker-src": "'none'",
        "frame-src": "'none'",
        "object-src": "'none'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "sandbox": "allow-scripts allow-forms",
        "frame-ancestors": settings.APPLICATION_ORIGIN,
    }


def arranged(*places: Any, **view: Any) -> BeautifulSoup:
    return BeautifulSoup(page([], notebook=grid_of(*places, **view)), "html.parser")


def test_cells_stand_where_the_layout_puts_them_and_in_reading_order():
    main = arranged(at(4, 0, 12), at(0, 6), at(0, 0)).main
    bands = [
        [(cell["data-cell"], cell["data-number"]) for cell in band.select(".cs-cell")]
        for band in main.select(".cs-band")
    ]
    assert bands == [[("2", "3"), ("1", "2")], [("0", "1")]]
    assert main.select_one("[data-cell='1']")["class"][3:7] == [
        *("cs-col-7", "cs-cols-6", "cs-line-1", "cs-lines-1")
    ]


def test_a_cell_that_is_not_shown_is_counted_all_the_same():
    found = arranged({"hidden": True}, None, at(0, 0))
    cells = found.select("[data-cell]")
    assert [(cell["data-number"], "cs-unshown" in cell["class"]) for cell in cells] == [
        ("1", True),
        ("2", True),
        ("3", False),
    ]
    assert found.select_one("#cs-bar")["data-total"] == "3"


def test_hidden_words_are_not_in_the_page():
    shown = {**WORDS, "metadata": in_view(at(0, 0))}
    hidden = {**WORDS, "source": "hidden", "metadata": in_view({"hidden": True})}
    metadata = dashboard()
    text = page([], notebook={"cells": [shown, hidden], "metadata": metadata})
    assert "<h1>Beds</h1>" in text.replace("\n", "")
    assert "hidden</p>" not in text


@pytest.mark.security
def test_no_word_of_a_layout_reaches_the_page():
    word = '"><script>alert(1)</script>'
    place = {**at(0, 0), "height": word}
    views = {word: {**GRID, "name": word, "cellMargin": word}}
    cell = {**CODE, "metadata": in_view(place, word)}
    metadata = dashboard(word, views, version=1)
    text = page([], notebook={"cells": [cell], "metadata": metadata})
    assert "cs-band" in text
    assert word not in text
    assert "alert(1)" not in text
