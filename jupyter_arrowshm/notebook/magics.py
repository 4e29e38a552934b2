"""``%share``, ``%attach``, ``%shared``, ``%detach`` and ``%unshare``.

A user's mistake is one line (``UsageError``); a bug of ours shows its
traceback. No magic returns a table, so ``Out`` never keeps one alive.
"""

from __future__ import annotations

import gc
import shlex
import time
import weakref
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Enum, Float

from .. import words
from ..errors import TableExists
from ..kinds import KINDS
from . import progress
from .bindings import Bindings, drop_results, still_referring
from .completion import complete
from .lines import attach_arguments, items, split, take_options, targets
from .mistakes import name_is_taken, one_line, usage_error
from .results import Result, attached_as, columns_of, how_it_was_attached, how_to_attach, of_table, seconds

if TYPE_CHECKING:
    # Not at run time: they import pyarrow, which can wait until a magic is used.
    from ..core import Attachment, Store
    from ..widget import SharedTables


@magics_class
class ArrowSHMMagics(Magics):
    """Share tables between notebooks."""

    attach_to = Enum(
        KINDS, "source", help="What %attach gives without --to: 'source', the kind that was shared, or always this one."
    ).tag(config=True)
    show_tables_as = Enum(
        ("widget", "html"), "widget", help="What %shared shows: a list that keeps itself up to date, or one that stays."
    ).tag(config=True)
    progress_after = Float(0.5, help="Seconds after which %share shows a progress bar.").tag(config=True)

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, **keywords: Any) -> None:
        super().__init__(shell, **keywords)
        self.bindings = Bindings(shell.user_ns)
        self._noticed = False
        self._widget: SharedTables | None = None

    @property
    def store(self) -> Store:
        from ..core import default_store

        return default_store()

    # -- %share --------------------------------------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    def share(self, line: str) -> None:
        """Share a table with your other notebooks.

            %share df                       under the name of the variable
            %share df.head(100) as sample   any expression, under a name
            %share trips zones fares        several at once
            %share                          what is shared now, and who uses it

        --replace   take the name over, even if another notebook shared what has it now
        --move      then make the variable the shared copy, so that the table is in memory once
        --pin       never remove the table automatically, even if nobody uses it

        The table is copied once, into shared memory. In any other notebook,
        `%attach df` uses that copy; in Julia, `@attach df`. It stays until it
        is unshared (`%unshare df`), or the server finds that nobody has used
        it for a day. Running the cell again replaces the table; who has the
        older version attached keeps it.
        """
        line, options = take_options(line)
        if not line:
            if options:
                raise UsageError("share what? %share df, or %share EXPRESSION as NAME")
            self._show_tables()
            return
        sources = items(line)
        if "--move" in options and (odd := [source for source, _ in sources if not source.isidentifier()]):
            raise UsageError(f"--move needs a variable, and {odd[0]} is none")
        for source, name in sources:
            self._share(source, name, options)

    def _share(self, source: str, name: str, options: set[str]) -> None:
        value = self._evaluate(source)
        begun = time.perf_counter()
        with one_line(), progress.shown(name, self.progress_after) as written:
            before = self.store.version(name)
            try:
                table = self.store.share(
                    value, name, replace="--replace" in options, pin="--pin" in options, progress=written
                )
            except TableExists as error:
                raise UsageError(name_is_taken(error, source)) from None
            except KeyboardInterrupt:
                # Freeing a large older version takes a while, and is interrupted after the new one has the name.
                if self.store.version(name) != before and self.store.is_mine(name):
                    raise UsageError(f"interrupted, but {name!r} was shared already") from None
                raise UsageError(f"interrupted: {name!r} was not shared, and nothing is left of it") from None
        notes = [f"shared in {seconds(time.perf_counter() - begun)}"]
        if "--move" in options:
            private = _weak(value)
            del value
            notes += self._move(source, name, private)
        if self.store.notice and not self._noticed:
            self._noticed = True
            notes.append(self.store.notice)
        display(of_table(table, notes, how_to_attach(name)))

    def _move(self, variable: str, name: str, private: Callable[[], Any]) -> list[str]:
        attachment = self.store.attachment(name, to="source")
        self.bindings.bind(variable, attachment, {"to": "source"}, follow=False)
        gc.collect()
        notes = [f"{variable} is the shared copy now: {attached_as(attachment)}"]
        if (value := private()) is not None:
            others = [
                other for other, held in self.shell.user_ns.items() if held is value and not other.startswith("_")
            ]
            others += [f"Out[{number}]" for number, held in self.shell.user_ns.get("_oh", {}).items() if held is value]
            held_by = ", ".join(others) or "something else"
            notes.append(f"the private copy stays in memory: {held_by} still refers to it")
        return notes

    def _names(self) -> str:
        with one_line():
            return ", ".join(self.store.names()) or "nothing is shared now"

    def _evaluate(self, source: str) -> Any:
        try:
            return self.shell.ev(source)
        except NameError as error:
            raise usage_error(f"{error}. Share a variable or an expression: %share EXPRESSION as NAME") from None
        except Exception as error:
            raise usage_error(f"{source} failed: {type(error).__name__}: {error}") from None

    # -- %attach -------------------------------------------------------------------------------------------------------

    @line_magic
    def attach(self, line: str) -> None:
        """Use a table that another notebook shared, without copying it.

            %attach df                  as the variable df
            %attach df as trips         as another variable
            %attach trips zones         several at once

        --to KIND       pandas, polars, pyarrow, duckdb, numpy; else the kind that was shared
        --columns a,b   only these columns
        --copy          a private copy that you can write into
        --wait SECONDS  until somebody shares a table of that name
        --follow        bind the variable to the newest version before each later cell

        The variable stays valid whatever happens to the name or to the notebook
        that shared it. `%detach df` lets go of it.
        """
        if not line.strip():
            raise UsageError("attach what? " + self._names())
        arguments = attach_arguments(line)
        options = {
            "to": arguments.to or self.attach_to,
            "columns": arguments.columns,
            "copy": arguments.copy,
        }
        for name, variable in targets(arguments.words):
            begun = time.perf_counter()
            try:
                attachment = self._attach(name, options, arguments.wait)
            except KeyboardInterrupt:
                raise UsageError(f"interrupted: {variable} is as it was") from None
            took = seconds(time.perf_counter() - begun)
            self.bindings.bind(variable, attachment, options, arguments.follow)
            notes = how_it_was_attached(attachment, arguments.copy)
            if variable != name:
                notes.insert(0, f"as the variable {variable}")
            display(
                Result(
                    f"{variable}: {attached_as(attachment)}, {words.size(attachment.nbytes)}, attached in {took}",
                    notes,
                    data={"name": name, "variable": variable, "kind": attachment.kind, "copied": attachment.copied},
                )
            )

    def _attach(self, name: str, options: dict[str, Any], wait: float | None = None) -> Attachment:
        try:
            with one_line():
                return self.store.attachment(name, **options, wait=wait)
        except (KeyError, ValueError, ImportError) as error:  # no such column, or what a library says of the data
            raise usage_error(str(error.args[0] if error.args else error)) from None

    def update_followed(self, info: object = None) -> None:
        """Before each cell: bind the variables of ``%attach --follow`` to the newest versions."""
        for binding in self.bindings.live():
            if not binding.follow:
                continue
            try:
                with one_line():
                    version = self.store.version(binding.name)
                if version == binding.version:
                    continue
                if version is None:
                    binding.follow = False
                    print(f"{binding.name} is shared no longer; {binding.variable} keeps the last version")
                    continue
                attachment = self._attach(binding.name, binding.options)
            except UsageError as error:
                print(f"{binding.variable} keeps its version: {error}")
                continue
            self.bindings.bind(binding.variable, attachment, binding.options, follow=True)
            print(f"{binding.variable}: newer version, {attached_as(attachment)}")

    # -- %shared, %detach, %unshare ------------------------------------------------------------------------------------

    @line_magic
    def shared(self, line: str) -> None:
        """What is shared now, how big it is, and who uses it.

        %shared         all tables, in a list that keeps itself up to date
        %shared df      one table, with its columns
        """
        if not line.strip():
            self._show_tables()
        with one_line():
            for name in split(line):
                table = self.store.info(name)
                notes = [f"shared by {table.publisher}", *table.remarks, *columns_of(table.schema)]
                display(of_table(table, notes, how_to_attach(name)))

    def _show_tables(self) -> None:
        with one_line():
            # In a terminal nobody could see a widget, and it would cost the import of ipywidgets.
            if self.show_tables_as == "html" or not hasattr(self.shell, "kernel"):
                display(self.store.tables())
                return
            self.store.names()  # what is wrong with the store is an error here, and not a widget that says so
            # One for all cells that list: each brings half a megabyte to the page.
            if self._widget is None or self._widget.comm is None:
                from ..widget import SharedTables

                self._widget = SharedTables(self.store)
            display(self._widget)

    @line_magic
    def detach(self, line: str) -> None:
        """Let go of an attached table: the opposite of `%attach`.

            %detach df

        Deletes the variables that `%attach` bound to it, and the copies that
        IPython keeps in `Out`, `_` and the last traceback. Says what else of
        yours still uses the table. The table itself stays shared.
        """
        if not line.strip():
            raise UsageError(
                "detach what? " + (", ".join(one.variable for one in self.bindings.live()) or "nothing is attached")
            )
        for name in split(line):
            found = self.bindings.of_table(name)
            if not found:
                raise UsageError(f"nothing here was attached as {name!r}, or the variable is something else by now")
            versions = {binding.version for binding in found}
            for binding in found:
                self.bindings.forget(binding)
            gc.collect()
            flushed = any(self.store.mapped(version) for version in versions)
            if flushed:
                drop_results(self.shell)
            notes = [f"{', '.join(binding.variable for binding in found)} deleted"]
            held = [version for version in versions if self.store.mapped(version)]
            if flushed:
                notes.append("Out and _ emptied" + ("" if held else ": a result there used the table"))
            for version in held:
                users = still_referring(self.store, version, self.shell.user_ns, self.shell.user_ns_hidden)
                notes.append(f"still in use here by {', '.join(users) or 'something that cannot be seen from here'}")
            display(Result(f"{name}: {'still attached' if held else 'detached'}", notes, data={"name": name}))

    @line_magic
    def unshare(self, line: str) -> None:
        """Remove a shared table. Who has it attached keeps it; its memory is free when the last lets go.

            %unshare df
            %unshare trips zones

        --force     even if another notebook shared it
        """
        arguments = split(line)
        names = [word for word in dict.fromkeys(arguments) if word != "--force"]
        if odd := [word for word in names if word.startswith("--")]:
            raise UsageError(f"%unshare has no option {odd[0]}; it has --force")
        if not names:
            raise UsageError("unshare what? " + self._names())
        for name in names:
            with one_line():
                table = self.store.info(name)
                if "--force" not in arguments and not self.store.is_mine(name):
                    raise UsageError(
                        f"{name!r} was shared by {table.publisher} and is {table.usage}; "
                        f"to remove it all the same: %unshare {shlex.quote(name)} --force"
                    )
                self.store.unshare(name)
            later = [str(user) for user in table.holders if user.pid != table.publisher.pid]
            note = f"still in use by {', '.join(later)}" if later else "nobody else was using it"
            display(Result(f"{name}: unshared", [note], data={"name": name}))


def _weak(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:  # a dict: whether somebody else refers to it cannot be told
        return lambda: None


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion, and the hook of ``--follow``; again is harmless."""
    unload(shell)
    magics = ArrowSHMMagics(shell, parent=shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.update_followed)
    shell.Completer.custom_matchers.append(complete)


def unload(shell: InteractiveShell) -> None:
    """Forget the magics; what they bound stays bound."""
    for name in ("share", "attach", "shared", "detach", "unshare"):
        found = shell.magics_manager.magics["line"].get(name)
        # Asked for any attribute, one that IPython 9 is yet to load would load us.
        if isinstance(found, MethodType) and isinstance(found.__self__, ArrowSHMMagics):
            del shell.magics_manager.magics["line"][name]
    for hook in list(shell.events.callbacks["pre_run_cell"]):
        if isinstance(getattr(hook, "__self__", None), ArrowSHMMagics):
            shell.events.unregister("pre_run_cell", hook)
    if complete in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(complete)
