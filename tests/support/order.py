"""The order of tests: what takes long begins first, on both workers.

`--dist worksteal` gives each worker one half of the list and lets whoever is done take
from the other's end.  Left in the order of their files, the tests that drive a browser or
a whole installation are the last ones of one worker, which then ends alone.
"""

import pytest

#: Files whose tests take seconds each, the longest first.
LONG = (
    "tests/config/demo/test_demo.py",
    "tests/browser/test_journey.py",
    "tests/test_api_journey.py",
    "tests/browser/",
    "tests/test_url_matrix.py",
    "tests/runner/sessions/test_layouts_in_browser.py",
    "tests/runner/results/test_layouts_in_browser.py",
    "tests/runner/results/test_in_browser.py",
    "tests/runner/results/test_through_the_site.py",
    "tests/runner/test_worker.py",
    "tests/runner/test_parts_killed.py",
    "tests/config/demo/test_notebooks.py",
    "tests/runner/kernelhost/test_limits.py",
    "tests/runner/kernelhost/test_templates.py",
    "tests/runner/kernelhost/test_fork.py",
    "tests/runner/test_execution.py",
    "tests/runner/test_controls.py",
    "tests/runner/test_as_signed.py",
)


def _rank(item: pytest.Item) -> int:
    for rank, path in enumerate(LONG):
        if item.nodeid.startswith(path):
            return rank
    return len(LONG)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests at the head of both halves; all others stay as they were."""
    items.sort(key=_rank)
    long = [item for item in items if _rank(item) < len(LONG)]
    others = items[len(long) :]
    half = (len(items) + 1) // 2 - len(long[::2])
    items[:] = [*long[::2], *others[:half], *long[1::2], *others[half:]]
