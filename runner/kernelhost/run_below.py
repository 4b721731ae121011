"""Which cells a reader wants run anew, who clicks the button of ipython_blocking's `%blockrun` again."""

from collections.abc import Iterable
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
    """The wishes of one session; however many come before cells begin, they are run once.

    `cells` are the indices of all that are executed, in order.
    """

    def __init__(self, cells: Iterable[int]) -> None:
        self._cells = tuple(cells)
        #: Buttons of `%blockrun`, each with the cell that waited for it.
        self._waiting: dict[str, int] = {}
        self._waited: int | None = None
        self._below: int | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether cells are to be run."""
        return bool(self.wanted())

    def waits(self, cell: int) -> None:
        """Take that a cell waits for its reader."""
        self._waited = cell

    def clicked(self, button: str, *, current: int | None) -> None:
        """Take that a button was clicked while a cell, or none, was being executed.

        Its first click is what its cell waits for: all below is run anyway.
        """
        if button not in self._waiting and current is not None:
            self._waiting[button] = current
            return
        # One that no cell knows is that of a `%blockrun` which has waited in vain.
        cell = self._waiting.setdefault(button, self._waited or 0)
        self._below = cell if self._below is None else min(cell, self._below)

    def wanted(self) -> tuple[int, ...]:
        """Return the cells that are to be run, in order."""
        below = self._below
        return (
            () if below is None else tuple(each for each in self._cells if each > below)
        )

    def begins(self, cell: int) -> None:
        """Take that the kernel begins with a cell: whoever wanted it and what follows has it."""
        if self.wanted()[:1] == (cell,):
            self._below = None
