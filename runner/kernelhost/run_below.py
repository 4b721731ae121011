"""Which cells a reader wants run anew, who clicks the button of ipython_blocking's `%blockrun` again."""

from typing import Any

#: What ipython_blocking shows, as JavaScript, whenever such a button is clicked.
JAVASCRIPT = "Jupyter.notebook.select_next().execute_cells_below()"


def asks_to_run_below(kind: str, content: dict[str, Any]) -> bool:
    """Tell whether a kernel's message is ipython_blocking's wish that all cells below be run."""
    data = content.get("data")
    return (
        kind == "display_data"
        and isinstance(data, dict)
        and data.get("application/javascript") == JAVASCRIPT
    )


class RunBelow:
    """The wishes of one session; however many come meanwhile, cells are run once more."""

    def __init__(self) -> None:
        #: Buttons of `%blockrun`, each with the cell that waited for it.
        self._cells: dict[str, int] = {}
        self._waited: int | None = None
        self._below: int | None = None
        self._about_to: int | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether cells are to be run."""
        return self._below is not None

    def waits(self, cell: int) -> None:
        """Take that a cell waits for its reader."""
        self._waited = cell

    def clicked(self, button: str, *, current: int | None) -> None:
        """Take that a button was clicked while a cell, or none, was being executed.

        Its first click is what its cell waits for: all below is run anyway.
        """
        if button not in self._cells and current is not None:
            self._cells[button] = current
            return
        # One that no cell knows is that of a `%blockrun` which has waited in vain.
        cell = self._cells.setdefault(button, self._waited or 0)
        self._below = cell if self._below is None else min(cell, self._below)

    def start(self) -> int:
        """Return the first cell that is to be run now; some must be wanted."""
        if self._below is None:
            raise ValueError("nothing is wanted")
        self._about_to = self._below
        return self._below + 1

    def has_begun(self) -> None:
        """Count clicks that the kernel took before it began with these cells as answered by them."""
        if self._about_to is not None and self._below == self._about_to:
            self._below = None
        self._about_to = None
