"""Attach a table in a notebook, with the time it took, and again when a newer version has its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from ..errors import ArrowSHMError
from . import results
from .bindings import Bindings
from .mistakes import in_notebooks, usage_error
from .progress import shown
from .snippets import is_address

if TYPE_CHECKING:
    from ..core import Attachment, Store
    from ..elsewhere import Place

_PATIENCE = 0.5  # s until a bar appears


def attach(
    open_store: Callable[[], Store | Place],
    name: str,
    options: dict[str, Any],
    wait: float | None,
    progress_after: float = _PATIENCE,
) -> tuple[Attachment, str]:
    """The table, and how long it took; in a new kernel, importing other libraries takes most of that."""
    begun = time.perf_counter()
    import pyarrow

    if is_address(name):
        import pyarrow.dataset  # noqa: F401

    ready = time.perf_counter()
    loaded = False
    try:
        with shown(f"loading {name.rstrip('/').rpartition('/')[2]}", progress_after) as bar:

            def progress(written: int, nbytes: int | None) -> None:
                nonlocal loaded
                loaded = True
                bar(written, nbytes)

            attachment = open_store().attachment(name, **options, wait=wait, progress=progress)
    except ArrowSHMError:
        raise  # some of them are a ValueError, too
    except (KeyError, ValueError, ImportError) as error:  # no such column, or a library's complaint about the data
        raise usage_error(str(error.args[0] if error.args else error)) from None
    took = time.perf_counter() - ready - attachment.importing
    library = attachment.kind.partition(".")[0]
    duration = results.duration(took, {"pyarrow": ready - begun, library: attachment.importing})
    return attachment, f"{'loaded and ' if loaded else ''}attached in {duration}"


def follow(store: Store, bindings: Bindings) -> None:
    """Bind the variables of ``%attach --follow`` to the newest versions, and say so."""
    for binding in bindings.live():
        if not binding.follow:
            continue
        try:
            version = store.version(binding.name)
            if version == binding.version:
                continue
            if version is None:
                binding.follow = False
                print(f"{binding.name} is shared no longer; {binding.variable} keeps the last version")
                continue
            attachment, _ = attach(lambda: store, binding.name, binding.options, None)
        except (ArrowSHMError, UsageError) as error:
            print(f"{binding.variable} keeps its version: {in_notebooks(error)}")
            continue
        bindings.bind(binding.variable, attachment, binding.options, follow=True)
        print(f"{binding.variable}: newer version, {results.attached_as(attachment)}")
