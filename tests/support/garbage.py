"""Let Python's garbage collector not walk all tests again and again.

A session holds thousands of tests and a product's worth of modules, which never become
garbage: while they are collected nothing is looked for, and afterwards they are set
aside.  What the tests themselves leave is still found.
"""

import gc

#: New objects that start a search; Python's own 700 suits smaller programs.
NEW_OBJECTS = 10_000

gc.disable()


def pytest_collection_finish() -> None:
    """Set aside what stays, and look for garbage from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
    gc.enable()
