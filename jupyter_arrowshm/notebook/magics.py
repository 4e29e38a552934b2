"""``%share``, ``%%share``, ``%attach``, ``%shared``, ``%detach`` and ``%unshare``.

A user's mistake is one line (``UsageError``); a bug of ours shows its
traceback. No magic returns a table, so ``Out`` never keeps one alive.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Enum, Float

from .. import words
from ..kinds import KINDS
from . import attaching, cell, hints, lines, release, results, sharing
from .bindings import Bindings, holding
from .completion import complete
from .mistakes import one_line
from .scope import Scope
from .snippets import is_address, python_line, quoted, variable_for

if TYPE_CHECKING:
    # Not at run time: they import pyarrow, which can wait until a magic is used.
    from ..core import Attachment, Store
    from ..elsewhere import Place
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
    progress_after = Float(0.5, help="Seconds after which %share and %attach show a progress bar.").tag(config=True)

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, **keywords: Any) -> None:
        super().__init__(shell, **keywords)
        self.bindings = Bindings(shell)
        self.hints = hints.Hints(self.bindings)
        self._noticed = False
        self._explained = False
        self._listed: tuple[Store | None, SharedTables | None] = None, None

    @property
    def store(self) -> Store:
        from ..core import default_store

        return default_store()

    # -- %share --------------------------------------------------------------------------------------------------------

    @line_cell_magic
    @no_var_expand
    @one_line
    def share(self, line: str, body: str | None = None) -> None:
        """Share a table with your other notebooks.

            %share df                       under the name of the variable
            %share df.head(100) as sample   any expression, under a name
            %share trips zones fares        several at once
            %%share trips                   the last expression of the cell
            %share                          what is shared now, and who uses it

        --replace   take the name over, even if another notebook's table has it now
        --move      then make the variable the shared copy, so that the table is in memory once
        --pin       never remove the table automatically, even if nobody uses it
        --to PLACE  share elsewhere: everyone (all users of this machine), group:NAME, a folder or
                    bucket, ray:// (the Ray cluster), or a name that your administrator gave to one

        The table is copied once, into shared memory: `%attach df` uses that
        copy elsewhere, in Julia `@attach df`. It stays until `%unshare df`, or
        until nobody has used it for a day. A new one of the same name replaces
        it; notebooks that have the older version attached keep it.
        """
        scope = Scope.of_caller(self.shell)
        line, options = lines.take_options(line)
        if body is not None:
            name = lines.only_name(line, scope.variables)
            self._share(lambda: cell.last_value(self.shell, body), name, "%%share", variable_for(name), options)
            return
        if not line:
            if options:
                raise UsageError("share what? %share df, or %share EXPRESSION as NAME")
            self._show_tables()
            return
        sources = lines.items(line, scope.variables)
        if "--move" in options:
            for source, name in sources:
                if not source.isidentifier():
                    raise UsageError(f"--move needs a variable, and {source} is not one")
                if scope.is_function:
                    instead = python_line(name, source, {"to": "source"})
                    raise UsageError(
                        f"--move cannot change a variable of a function: %share {source} as {quoted(name)}, "
                        f"then {scope.importing}{instead}"
                    )
        for source, name in sources:
            get = functools.partial(sharing.evaluate, scope, source)
            self._share(get, name, f"%share {source} as", source, options)

    def _share(self, get: Callable[[], Any], name: str, command: str, variable: str, options: dict[str, str]) -> None:
        if "--to" in options:
            place = self._place(options["--to"])
            table, took = sharing.share_in(place, get, name, command, options, self.progress_after)
            notes = [f"shared in {took}, in {place.description}"]
            display(results.of_table(table, notes, results.how_to_attach(name, place.read_as)))
            return
        table, took, private = sharing.share(self.store, get, name, command, options, self.progress_after)
        notes = [f"shared in {took}"]
        if "--move" in options:
            notes += self._move(variable, name, private)
        if self.store.notice and not self._noticed:
            self._noticed = True
            notes.append(self.store.notice)
        display(results.of_table(table, notes, results.how_to_attach(name)))

    def _move(self, variable: str, name: str, private: Callable[[], Any]) -> list[str]:
        attachment = self.store.attachment(name, to="source")
        self.bindings.bind(variable, attachment, {"to": "source"}, follow=False)
        gc.collect()
        notes = [f"{variable} is the shared copy now: {results.attached_as(attachment)}"]
        if (value := private()) is not None:
            held_by = ", ".join(holding(self.shell, value)) or "something else"
            notes.append(f"the private copy stays in memory: {held_by} still refers to it")
        return notes + self._read_only(variable, attachment)

    def _read_only(self, variable: str, attachment: Attachment) -> list[str]:
        notes = results.read_only(variable, attachment, explain=not self._explained)
        self._explained = self._explained or attachment.kind == "pandas"
        return notes

    def _names(self) -> str:
        return ", ".join(self.store.names()) or "nothing is shared now"

    # -- %attach -------------------------------------------------------------------------------------------------------

    @line_magic
    @no_var_expand
    @one_line
    def attach(self, line: str) -> None:
        """Use a table that another notebook shared, without copying it.

            %attach df                  as the variable df
            %attach df as trips         as another variable
            %attach trips zones         several at once
            %attach ./trips.parquet     a file: read once on this machine, whoever attaches it
            %attach df or pd.read_csv("a.csv")    nobody shares df yet: make it so

        --to KIND       pandas, polars, pyarrow, duckdb, numpy, stored; else the kind that was shared
        --columns a,b   only these columns
        --where FILTER  of a file, only these rows: --where "fare > 10 and city == 'Oslo'"
        --copy          a private copy that you can write into
        --wait SECONDS  until somebody shares a table of that name
        --follow        bind the variable to the newest version before each later cell
        --from PLACE    from another user, by name, from a folder or bucket, or from ray:// (the Ray cluster)

        The variable stays valid whatever happens to the name or to the notebook
        that shared it. `%detach df` lets go of it.
        """
        scope = Scope.of_caller(self.shell)
        line, source = lines.alternative(line)
        given, options, wait, follow, elsewhere = lines.attach_arguments(line, scope.variables, self.attach_to)
        if not given:
            names = ", ".join(self._place(elsewhere).names()) if elsewhere else self._names()
            raise UsageError("attach what? " + (names or "nothing is shared there now"))
        targets = lines.targets(given, scope.variables)
        if scope.is_function:
            instead = [python_line(name, variable, {**options, "wait": wait}) for name, variable in targets]
            if source:
                instead = [f"{line[:-1]}, load=lambda: {source})" for line in instead]
            raise UsageError(
                "%attach makes variables of the notebook, and this is a function; write here: "
                + scope.importing
                + "; ".join(instead)
            )
        if source:
            if len(targets) != 1 or elsewhere or is_address(targets[0][0]):
                raise UsageError("'or' stands between the name of one table and the code that makes it")
            options["load"] = lambda: sharing.frame_of_records(sharing.evaluate(scope, source))
        for name, variable in targets:
            if follow and is_address(name):
                raise UsageError("--follow is for shared tables: attach a file again to have its newest version")
            try:
                place = functools.partial(self._place, elsewhere) if elsewhere else lambda: self.store
                attachment, took = attaching.attach(place, name, options, wait, self.progress_after)
            except KeyboardInterrupt:
                raise UsageError(f"interrupted: {variable} is as it was") from None
            again = {key: value for key, value in options.items() if key != "load"}
            self.bindings.bind(variable, attachment, again, follow, elsewhere)
            notes = [f"as the variable {variable}"] if variable != name else []
            notes += results.how_it_was_attached(attachment, options["copy"])
            if not options["copy"]:
                notes += self._read_only(variable, attachment)
            size = words.size(attachment.nbytes)
            display(
                results.Result(
                    f"{variable}: {results.attached_as(attachment)}, {size}, {took}",
                    notes,
                    data={"name": name, "variable": variable, "kind": attachment.kind, "copied": attachment.copied},
                )
            )

    def update_followed(self, info: object = None) -> None:
        """Before each cell: bind the variables of ``%attach --follow`` to the newest versions."""
        if any(binding.follow for binding in self.bindings.live()):
            attaching.follow(self.store, self.bindings)

    # -- %shared, %detach, %unshare ------------------------------------------------------------------------------------

    @line_magic
    @no_var_expand
    @one_line
    def shared(self, line: str) -> None:
        """Show what is shared now, how big it is, and who uses it.

        %shared         all tables, in a list that keeps itself up to date
        %shared df      one table, with its columns

        --from PLACE    the tables of another user, in a folder or bucket, or of a Ray cluster
        """
        given, options = lines.options("shared", line, lines.SHARED_OPTIONS)
        names = lines.expand_all(given, Scope.of_caller(self.shell).variables)
        if "--from" in options:
            self._show_place(self._place(options["--from"]), names)
            return
        if not names:
            self._show_tables()
        for name in names:
            table = self.store.info(name)
            notes = [f"shared by {table.publisher}", *table.remarks, *results.columns_of(table.schema)]
            display(results.of_table(table, notes, results.how_to_attach(name)))

    def _show_place(self, place: Place, names: list[str]) -> None:
        if not names:
            display(place.tables())
        for name in names:
            table = place.info(name)
            notes = [f"shared by {table.publisher}", *table.remarks, *results.columns_of(table.schema)]
            display(results.of_table(table, notes, results.how_to_attach(name, place.name)))

    def _place(self, name: str) -> Place:
        from ..elsewhere import place

        return place(name)

    def _show_tables(self) -> None:
        # In a terminal nobody could see a widget, and it would cost the import of ipywidgets.
        if self.show_tables_as == "html" or not hasattr(self.shell, "kernel"):
            display(self.store.tables())
            return
        self.store.names()  # a fault of the store is an error here, not a widget that reports it
        # One for all cells that list the same store: each brings half a megabyte to the page.
        store, widget = self._listed
        if widget is None or widget.comm is None or store is not self.store:
            from ..widget import SharedTables

            widget = SharedTables(self.store)
            self._listed = self.store, widget
        display(widget)

    @line_magic
    @no_var_expand
    @one_line
    def detach(self, line: str) -> None:
        """Let go of an attached table: the opposite of `%attach`.

            %detach df

        Deletes the variables that `%attach` bound to it, and the copies that
        IPython keeps in `Out`, `_` and the last traceback. Says what else of
        yours still uses the table. The table itself stays shared.
        """
        names = self._names_on(line, "detach")
        if not names:
            bound = ", ".join(one.variable for one in self.bindings.live())
            raise UsageError(f"detach what? {bound or 'nothing is attached'}")
        for name in names:
            display(release.detach(self.store, self.shell, self.bindings, name))

    @line_magic
    @no_var_expand
    @one_line
    def unshare(self, line: str) -> None:
        """Remove a shared table. Notebooks that have it attached keep it; its memory is freed when the last lets go.

            %unshare df
            %unshare trips zones

        --force         even if another notebook shared it
        --from PLACE    remove it there
        """
        given, options = lines.options("unshare", line, lines.UNSHARE_OPTIONS)
        names = lines.expand_all(given, Scope.of_caller(self.shell).variables)
        if not names:
            raise UsageError("unshare what? " + self._names())
        for name in dict.fromkeys(names):
            if "--from" in options:
                display(release.unshare_in(self._place(options["--from"]), name, "--force" in options))
                continue
            display(release.unshare(self.store, name, "--force" in options))

    def _names_on(self, line: str, magic: str) -> list[str]:
        given, _ = lines.options(magic, line, {})
        return lines.expand_all(given, Scope.of_caller(self.shell).variables)


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion, and the hooks of cells; again is harmless."""
    unload(shell)
    magics = shell.magics_manager.registry.get(ArrowSHMMagics.__name__)
    if not isinstance(magics, ArrowSHMMagics):  # else it knows what is attached and followed, and how it was set up
        magics = ArrowSHMMagics(shell, parent=shell)
    shell.register_magics(magics)
    for event, hook in _hooks(magics):
        shell.events.register(event, hook)
    shell.Completer.custom_matchers.append(complete)


def unload(shell: InteractiveShell) -> None:
    """Forget the magics; what they bound stays bound."""
    for kind in shell.magics_manager.magics.values():
        for name in ("share", "attach", "shared", "detach", "unshare"):
            # A magic that IPython 9 has yet to load would load us if asked for any attribute.
            if isinstance(magic := kind.get(name), MethodType) and isinstance(magic.__self__, ArrowSHMMagics):
                del kind[name]
    magics = shell.magics_manager.registry.get(ArrowSHMMagics.__name__)
    for event, hook in _hooks(magics) if isinstance(magics, ArrowSHMMagics) else ():
        if hook in shell.events.callbacks[event]:
            shell.events.unregister(event, hook)
    if complete in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(complete)


def _hooks(magics: ArrowSHMMagics) -> list[tuple[str, Callable[..., None]]]:
    return [("pre_run_cell", magics.update_followed), ("post_run_cell", magics.hints.after_cell)]
