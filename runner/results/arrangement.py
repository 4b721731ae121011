"""In which order cells stand in a page, and the classes of `layout.css` that put them in their places.

A class is made of a whole number within bounds; no word of a notebook's metadata reaches a page.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gallery.grids import Spot, bands, line_count
from gallery.layouts import Kind, Layout

#: Gaps and heights come in steps, so that a style sheet can know them all.
GAP_STEP_PX, MAX_GAP = 4, 8
TALL_STEP_PX, MAX_TALL = 20, 40


@dataclass(frozen=True)
class Standing:
    """One cell in its place: its classes, and the band that it is first or last in."""

    cell: int
    classes: str = ""
    #: Classes of the band that begins with this cell; empty when none does.
    opens: str = ""
    closes: bool = False


def arranged(layout: Layout, cells: Iterable[int]) -> Iterator[Standing]:
    """Yield `cells`, given in the notebook's order, in the page's.

    In a grid, those that have no place come first: hidden ones, of which a failure is told.
    """
    if layout.kind != Kind.GRID:
        yield from map(Standing, cells)
        return
    wanted = dict.fromkeys(cells)
    boxes = [box for box in layout.boxes if box.cell in wanted]
    placed = {box.cell for box in boxes}
    yield from (Standing(cell) for cell in wanted if cell not in placed)
    gap = _steps(layout.margin_px, GAP_STEP_PX, MAX_GAP)
    for band in bands(boxes):
        opening = f"cs-band cs-columns-{layout.columns} cs-rows-{line_count(band)} cs-gap-{gap}"
        for number, spot in enumerate(band, start=1):
            yield Standing(
                spot.box.cell,
                classes=_classes(spot, layout),
                opens=opening if number == 1 else "",
                closes=number == len(band),
            )


def _classes(spot: Spot, layout: Layout) -> str:
    box = spot.box
    height_px = box.height * layout.row_height_px + (box.height - 1) * layout.margin_px
    tall = max(1, _steps(height_px, TALL_STEP_PX, MAX_TALL))
    return (
        f"cs-box cs-col-{box.col + 1} cs-cols-{box.width} "
        f"cs-line-{spot.line + 1} cs-lines-{spot.lines} cs-tall-{tall}"
    )


def _steps(size_px: int, step_px: int, most: int) -> int:
    return min(-(-size_px // step_px), most)
