"""Letting go of a table, and removing its name: what that frees, and who still has it."""

from __future__ import annotations

import gc
import mmap
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from .. import words
from ..errors import DamagedTable
from .bindings import Binding, Bindings, drop_results, still_referring
from .results import Result
from .snippets import quoted

if TYPE_CHECKING:
    from ..core import Store
    from ..elsewhere import Place


def detach(store: Store, shell: Any, bindings: Bindings, name: str) -> Result:
    """Drop the variables that are bound to a table, and what IPython keeps of it."""
    bound = bindings.of_table(name)
    if not bound:
        raise UsageError(f"nothing here was attached as {name!r}, or the variable is something else by now")
    by_version = {binding.version: binding for binding in bound}
    for binding in bound:
        bindings.forget(binding)
    gc.collect()
    flushed = any(store.mapped(version) for version in by_version)
    if flushed:
        drop_results(shell)
    notes = [f"{', '.join(binding.variable for binding in bound)} deleted"]
    held = [version for version in by_version if store.mapped(version)]
    if flushed:
        notes.append("Out and _ emptied" + ("" if held else ": a result there used the table"))
    for version, binding in by_version.items():
        if version in held:
            users = still_referring(store, version, shell.user_ns, shell.user_ns_hidden)
            notes.append(f"still in use here by {', '.join(users) or 'something that cannot be seen from here'}")
        elif binding.in_shared_memory and not binding.place:
            notes.append(_after_detach(store, binding))
    return Result(f"{name}: {'still attached' if held else 'detached'}", notes, data={"name": name})


def _after_detach(store: Store, binding: Binding) -> str:
    size = words.size(binding.nbytes)
    if store.version(binding.name) == binding.version:
        return f"{binding.name} stays shared: its {size} come free when it is unshared and nobody has it attached"
    return _memory(store, binding.name, binding.nbytes)


def unshare(store: Store, name: str, force: bool) -> Result:
    """Remove the name of a table; if another notebook shared it, only with ``force``."""
    try:
        table = store.info(name)
    except DamagedTable:
        store.unshare(name)
        return Result(f"{name}: removed", ["it could not be read"], data={"name": name})
    if not force and not store.is_mine(name):
        raise UsageError(
            f"{name!r} was shared by {table.publisher} and is {table.usage}; "
            f"to remove it all the same: %unshare {quoted(name)} --force"
        )
    store.unshare(name)
    if table.countable:
        note = _memory(store, name, table.nbytes)
    else:
        note = f"its {words.size(table.nbytes)} come free when nobody has it attached any more"
    return Result(f"{name}: unshared", [note], data={"name": name})


def unshare_in(place: Place, name: str, force: bool) -> Result:
    """Remove a table from another place."""
    table = place.info(name)
    if place.writable and not force and not place.is_mine(name):
        raise UsageError(
            f"{name!r} was shared in {place.name} by {table.publisher}; "
            f"to remove it all the same: %unshare {quoted(name)} --from {quoted(place.name)} --force"
        )
    place.unshare(name)
    note = f"{words.size(table.nbytes)} came free in {place.description}" if table.countable is None else table.usage
    return Result(f"{name}: unshared from {place.name}", [note], data={"name": name})


def _memory(store: Store, name: str, nbytes: int) -> str:
    """A note on the memory of a version that has lost its name."""
    tables = store.tables()
    removed = [*tables.removed, *tables.loaded.removed]
    older = [*removed, *(version for table in tables.everything for version in table.older)]
    # The system tells the size of what is mapped in whole pages.
    versions = [one for one in older if one.name == name and 0 <= one.nbytes - nbytes < mmap.PAGESIZE]
    users = sorted(str(user) for one in versions for user in one.holders)
    size = words.size(nbytes)
    if not users:
        return f"{size} came free"
    return f"its {size} come free when {' and '.join(users)} {'lets' if len(users) == 1 else 'let'} go of it"
