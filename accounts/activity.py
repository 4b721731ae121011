"""Which requests count as somebody being there.

Polling and event streams go on in an unattended tab; they must not keep it signed in.
"""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def not_activity(view: View) -> View:
    """Mark a view (function, or class of views) as not being a sign of life."""
    view.not_activity = True  # type: ignore[attr-defined]  # read by is_activity
    return view


def is_activity(view: Callable[..., Any]) -> bool:
    """Whether a request to `view` shows that a person is there."""
    classes = (getattr(view, "view_class", None), getattr(view, "cls", None))
    return not any(getattr(part, "not_activity", False) for part in (view, *classes))
