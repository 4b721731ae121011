"""Which values no record keeps: of passwords, and of controls that a notebook's author calls sensitive."""

from collections.abc import Iterable, Sequence
from typing import Any

from runner.live.frames import Json
from runner.live.traits import KNOWN_MODULES, SECRET, WRITABLE

#: Code that some widgets bring along; nothing runs it when they are at rest.
SCRIPTS = frozenset({"_esm", "_css"})
#: A widget as an output, beside which libraries say in words what it is set to.
VIEW_MIME = "application/vnd.jupyter.widget-view+json"


class Withheld:
    """What one session's record leaves out.

    `declared` is True where no control's values are kept, or the names of those whose are not.
    A control that was sensitive once stays so, whatever code calls it later.
    """

    def __init__(self, declared: bool | Sequence[str] = ()) -> None:
        self._is_all = declared is True
        names = () if isinstance(declared, bool) else declared
        self._names = frozenset(name.strip() for name in names)
        self._sensitive: set[str] = set()

    @property
    def is_declared(self) -> bool:
        """Tell whether the author asked for more than passwords to be left out."""
        return self._is_all or bool(self._names)

    def among(
        self, traits: Iterable[str], *, comm_id: str, state: Json
    ) -> frozenset[str]:
        """Return which of these traits are left out of a widget that is in this state."""
        # A hostile kernel calls its widgets what it likes.
        module, model = (
            str(state.get(name)) for name in ("_model_module", "_model_name")
        )
        secret = SECRET.get((module, model), frozenset())
        if not self._is_sensitive(comm_id, state):
            return secret.intersection(traits)
        if module in KNOWN_MODULES:
            # Here it is known which traits hold what a reader sets.
            used = WRITABLE.get((module, model), frozenset())
            return (secret | used).intersection(traits)
        return frozenset(trait for trait in traits if not trait.startswith("_"))

    def kept(self, changed: Json, *, comm_id: str, state: Json) -> Json:
        """Return what of some traits is kept of a widget that is in this state; its code is not."""
        left_out = SCRIPTS | self.among(changed, comm_id=comm_id, state=state)
        return {
            name: [without_words(each) for each in value]
            if name == "outputs" and isinstance(value, list)
            else value
            for name, value in changed.items()
            if name not in left_out
        }

    def _is_sensitive(self, comm_id: str, state: Json) -> bool:
        if str(state.get("description") or "").strip() in self._names:
            self._sensitive.add(comm_id)
        return self._is_all or comm_id in self._sensitive


def without_words(output: Any) -> Any:
    """Return an output without the words beside a widget, which say what it is set to."""
    data = output.get("data") if isinstance(output, dict) else None
    if not isinstance(data, dict) or VIEW_MIME not in data:
        return output
    shown = {
        kind: part
        for kind, part in data.items()
        if kind == VIEW_MIME or str(kind).startswith("image/")
    }
    return {**output, "data": shown}
