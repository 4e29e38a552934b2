"""The variables of a notebook that were bound to shared tables, and what else in it still uses their memory."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .snippets import folded

if TYPE_CHECKING:
    from ..core import Attachment, Store


@dataclass
class Binding:
    """One variable, and how to attach the table again."""

    variable: str
    name: str
    version: str
    kind: str
    nbytes: int
    options: dict[str, Any]
    follow: bool
    anchor: Callable[[], Any]  # weak: our books must not keep a table alive
    place: str = ""  # where it came from, if not from this user's tables on this machine

    @property
    def in_shared_memory(self) -> bool:
        """Whether the variable uses the table, and is not a private copy of it."""
        return not self.options.get("copy")

    @property
    def is_read_only(self) -> bool:
        """Whether people expect to write into its kind, but cannot."""
        return self.in_shared_memory and self.kind.partition(".")[0] in ("pandas", "numpy")

    def is_bound(self, space: Mapping[str, Any]) -> bool:
        """Whether the variable still is the object that we bound; an object that the user put there is the user's."""
        anchor = self.anchor()
        return anchor is not None and _anchor(space.get(self.variable)) is anchor


def _anchor(value: Any) -> Any:
    """The object that a weak reference can be made to: the value itself, or the first array of a dict of arrays."""
    return next(iter(value.values())) if type(value) is dict and value else value


def _weak(anchor: Any) -> Callable[[], Any]:
    # An empty dict (a table without columns) cannot have one; but it keeps nothing alive.
    return weakref.ref(anchor) if type(anchor) is not dict else lambda: anchor


class Bindings:
    """The bindings of this notebook, by variable."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._by_variable: dict[str, Binding] = {}

    @property
    def space(self) -> dict[str, Any]:
        """The variables of the notebook: they differ each time an embedded shell is entered."""
        space: dict[str, Any] = self._shell.user_ns
        return space

    def bind(
        self, variable: str, attachment: Attachment, options: dict[str, Any], follow: bool, place: str = ""
    ) -> None:
        """Assign, as Python would: the name is folded like names in code."""
        variable = folded(variable)
        self.space[variable] = attachment.value
        self._by_variable[variable] = Binding(
            variable,
            attachment.name,
            attachment.version,
            attachment.kind,
            attachment.nbytes,
            options,
            follow,
            _weak(_anchor(attachment.value)),
            place,
        )

    def of_table(self, name: str) -> list[Binding]:
        """The bindings of a table that still hold, by its name or by the variable's."""
        return [one for one in self.live() if name == one.name or folded(name) == one.variable]

    def live(self) -> Iterator[Binding]:
        """All bindings that still hold; the others are forgotten."""
        for variable, binding in list(self._by_variable.items()):
            if binding.is_bound(self.space):
                yield binding
            else:
                del self._by_variable[variable]

    def forget(self, binding: Binding) -> None:
        """Drop the variable, and the binding."""
        self.space.pop(binding.variable, None)
        self._by_variable.pop(binding.variable, None)


def drop_results(shell: Any) -> None:
    """Let go of what IPython keeps by itself: ``Out``, ``_``, and the frames of the last error with their variables."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            setattr(sys, name, None)
    formatter = shell.InteractiveTB
    formatter.tb = formatter.etype = formatter.evalue = None
    shell.last_execution_result = None
    for name in ("_", "__", "___"):
        # flush() leaves these where something has put a `_` among the builtins. A user's own `_` is not ours.
        for space in (shell.user_ns, shell.user_ns_hidden):
            if space.get(name) is getattr(shell.displayhook, name):
                space[name] = ""
    if shell.displayhook.do_full_cache:  # else (InteractiveShell.cache_size = 0) there is no Out
        shell.displayhook.flush()
    gc.collect()  # errors and their frames refer to each other


def holding(shell: Any, value: object) -> list[str]:
    """The notebook's variables, and results in ``Out``, that are this very object."""
    variables = [name for name, held in shell.user_ns.items() if held is value and not name.startswith("_")]
    results = shell.user_ns.get("_oh", {})
    return variables + [f"Out[{number}]" for number, held in results.items() if held is value]


def still_referring(store: Store, version: str, space: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[str]:
    """The user's variables whose data is in that version's memory, also inside a list, tuple or dict."""
    from ..tabular import addresses

    ranges = store.mapped(version)
    names = []
    for variable, value in space.items():
        if variable.startswith("_") or variable in hidden:
            continue
        for suffix, part in _parts(value):
            if any(start <= address < end for address in addresses(part) for start, end in ranges):
                names.append(variable + suffix)
    return names


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    yield "", value
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
