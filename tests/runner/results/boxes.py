"""Where things stand in a browser's page, for tests of layouts."""

from itertools import combinations
from typing import Any

from playwright.sync_api import Frame, Locator, Page

#: Boxes may touch; browsers round to fractions of a pixel.
SLACK_PX = 1.0

Rectangle = dict[str, float]


def rectangle(found: Locator) -> Rectangle:
    """Return where the only element of its kind stands."""
    box = found.bounding_box()
    assert box is not None, f"{found} is not shown"
    return dict(box)


def overlaps(shown: Frame | Page, selector: str) -> list[Any]:
    """Return each pair of boxes of which one covers the other."""
    boxes = [(each, rectangle(each)) for each in shown.locator(selector).all()]
    return [
        (one.inner_text()[:40], other.inner_text()[:40])
        for (one, a), (other, b) in combinations(boxes, 2)
        if _meet(a, b, "x", "width") and _meet(a, b, "y", "height")
    ]


def _meet(one: Rectangle, other: Rectangle, start: str, size: str) -> bool:
    return (
        one[start] + one[size] > other[start] + SLACK_PX
        and other[start] + other[size] > one[start] + SLACK_PX
    )
