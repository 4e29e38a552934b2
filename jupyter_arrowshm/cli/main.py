"""``jupyter arrowshm``: the shared tables from a terminal."""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence

from .. import __version__, words
from ..core import Store, default_store
from ..elsewhere import Place, copy, own, place, places
from ..errors import ArrowSHMError, DamagedTable
from ..notebook import startup
from ..notebook.progress import shown
from ..notebook.results import seconds

_PATIENCE = 0.5  # s until a bar appears


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names and columns may be more than the locale can write
    parsed = _parser().parse_args(arguments)
    try:
        code = int(parsed.run(parsed) or 0)
        sys.stdout.flush()
        return code
    except ArrowSHMError as error:
        print(f"jupyter arrowshm: {error.says('cli')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader, say `head`, has seen enough. What is still buffered must not fail again at exit.
        sys.stdout = None
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter arrowshm", description="The tables that your notebooks share.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        # argparse reads % as a format in a help text, but not in a description.
        added = commands.add_parser(name, help=text, description=text.replace("%%", "%"))
        added.set_defaults(run=run)
        return added

    def from_place(of: argparse.ArgumentParser, text: str) -> None:
        of.add_argument("--from", dest="place", metavar="PLACE", help=text)

    listing = command("list", _list, "List the shared tables and who uses them.")
    listing.add_argument("--json", action="store_true", help="print JSON, for programs")
    listing.add_argument("--watch", action="store_true", help="look again each second, until Ctrl-C")
    from_place(listing, "the tables of another user, in a folder or bucket, or of a Ray cluster (ray://)")
    one = command("info", _info, "Show one table: its columns, who uses it, and its older versions.")
    one.add_argument("name", help="the table's name")
    one.add_argument("--json", action="store_true", help="print JSON, for programs")
    from_place(one, "a table of another user, in a folder or bucket, or of a Ray cluster (ray://)")
    first = command("head", _head, "Show the first rows of a table, sorted and filtered if you like.")
    first.add_argument("name", help="the table's name")
    first.add_argument("--rows", type=int, default=10, help="how many to show (default 10, at most 1000)")
    first.add_argument("--columns", metavar="a,b", help="show only these columns")
    first.add_argument("--sort", metavar="a,-b", help="sort by these columns; a minus sorts downwards: --sort=-b")
    text = "show only such rows: 'fare > 20', 'city contains new', 'fare is null'; several must all hold"
    first.add_argument("--filter", action="append", default=[], metavar="CONDITION", help=text)
    from_place(first, "a table of another user, in a folder or bucket, or of a Ray cluster: its first rows alone")
    text = "Load a file, or a directory of files, for all notebooks: %%attach of its path then takes no time."
    load = command("load", _load, text)
    load.add_argument("path", help="a path or URI of Parquet, Arrow, CSV, JSON or ORC files")
    load.add_argument("--columns", metavar="a,b", help="only these columns")
    load.add_argument("--where", metavar="FILTER", help="only these rows: \"fare > 10 and city == 'Oslo'\"")
    load.add_argument("--pin", action="store_true", help="never remove the table automatically, even if nobody uses it")
    command("path", _path, "Print where the Arrow file of a table is, for any Arrow reader.").add_argument(
        "name", help="the table's name"
    )
    removal = command("unshare", _unshare, "Remove tables. Anybody who has one attached keeps it.")
    removal.add_argument("names", nargs="+", metavar="name", help="the table's name")
    from_place(removal, "remove it there")
    copy = command("copy", _copy, "Copy a table of this machine to another place, or one from there to this machine.")
    copy.add_argument("name", help="the table's name")
    ways = copy.add_mutually_exclusive_group(required=True)
    ways.add_argument(
        "--to", metavar="PLACE", help="everyone, group:NAME, a folder or bucket, ray://, or a configured name"
    )
    ways.add_argument("--from", dest="place", metavar="PLACE", help="the same, or a user whose tables you may read")
    copy.add_argument("--replace", action="store_true", help="even if somebody else's table has the name there")
    command("places", _places, "List the places besides this machine's tables: where tables can be had from, and put.")
    command("gc", _gc, "Remove every table that nobody uses, except pinned ones.")
    command("doctor", _doctor, "Check this machine and environment, and say what to do where something is wrong.")
    command("demo", _demo, "Show how it works, with real kernels and real data.")
    magics = command("enable-magics", _enable_magics, "Let %%share and %%attach work without %%load_ext here.")
    magics.add_argument("--disable", action="store_true", help="take it back")
    julia = command("julia", _julia, "Tell Julia where ArrowSHM is: print the line that does it, or write it for you.")
    julia.add_argument("--startup", action="store_true", help="write the line into Julia's startup.jl")
    julia.add_argument("--kernel", nargs="?", const="", metavar="NAME", help="set it for IJulia's kernels, or for one")
    julia.add_argument("--remove", action="store_true", help="take it back, in startup.jl, in kernels, or in both")
    r = command("r", _r, "Give R the package arrowshm: print the command that installs it, or run it.")
    r.add_argument(
        "--install", action="store_true", help="compile it into R's library; needs R, nanoarrow and a C compiler"
    )
    return parser


def _place(arguments: argparse.Namespace) -> Store | Place:
    return place(arguments.place) if arguments.place else default_store()


def _places(arguments: argparse.Namespace) -> None:
    print(_each_line(repr(places())))


def _copy(arguments: argparse.Namespace) -> None:
    here = default_store()
    source, target = (here, place(arguments.to)) if arguments.to else (place(arguments.place), here)
    print(_each_line(str(copy(source, target, arguments.name, replace=arguments.replace))))


def _list(arguments: argparse.Namespace) -> None:
    store = _place(arguments)
    while True:
        tables = store.tables()
        facts = [table.as_dict() for table in tables.everything]
        shown = _each_line(json.dumps(facts, indent=2) if arguments.json else tables.text())
        if not arguments.watch:
            print(shown)
            return
        print(f"\x1b[2J\x1b[H{shown}" if sys.stdout.isatty() else shown, flush=True)
        time.sleep(1)


def _info(arguments: argparse.Namespace) -> None:
    store = _place(arguments)
    table = store.info(arguments.name)
    if arguments.json:
        print(json.dumps(table.as_dict(), indent=2))
        return
    print(_each_line(str(table)))
    when = f", {words.age(table.published_at)}" if table.published_at else ""
    _say("shared by", f"{table.publisher}{when}")
    for user in table.holders:
        _say("in use by", f"{user}{f', pid {user.pid}' if user.pid else ''}")
    for version in table.older:
        _say("older version", version.users)
    for user in store.readers_by_path(table.name) if isinstance(store, Store) else ():
        _say("also read by", f"{user}, pid {user.pid}, which opened the file by its path")
    if table.pinned:
        _say("pinned", "never removed automatically")
    _say("file", table.path)
    _say("batches", str(table.num_batches))
    _say("columns", "")
    width = max((len(words.printable(column.name)) for column in table.schema), default=0)
    for column in table.schema:
        name, type_ = words.printable(column.name), words.printable(str(column.type))
        print(f"    {name:<{width}}  {type_}{'' if column.nullable else ' not null'}")


def _each_line(text: str) -> str:
    """Make each line printable: a notebook's name in it may have any characters."""
    return "\n".join(map(words.printable, text.split("\n")))


def _say(what: str, text: str) -> None:
    print(f"  {what:<13} {words.printable(text)}".rstrip())


def _head(arguments: argparse.Namespace) -> None:
    from ..looking.answers import OpenTables, explained
    from ..looking.questions import RowsQuestion
    from .head import head

    question = RowsQuestion(arguments.name, default_store().directory, place=arguments.place or "")
    try:
        table = OpenTables().view(question).source
        shown = head(table, arguments.rows, arguments.columns or "", arguments.sort or "", arguments.filter)
    except Exception as error:
        raise explained(error, question) from None
    print(shown)


def _load(arguments: argparse.Namespace) -> None:
    path = arguments.path if "/" in arguments.path else f"./{arguments.path}"
    columns = arguments.columns.split(",") if arguments.columns else None
    store = default_store()
    begun = time.perf_counter()
    try:
        after = _PATIENCE if sys.stderr.isatty() else float("inf")
        with shown(f"loading {arguments.path}", after) as progress:
            options = {"columns": columns, "where": arguments.where, "progress": progress}
            name = store.attachment(path, to="stored", **options).name
    except (KeyError, ValueError) as error:  # no such column, or a filter that cannot be read
        raise SystemExit(f"jupyter arrowshm: {error.args[0] if error.args else error}") from None
    if arguments.pin:
        store.pin(name)
    print(_each_line(str(store.info(name))))
    _say("took", seconds(time.perf_counter() - begun))


def _path(arguments: argparse.Namespace) -> None:
    print(default_store().info(arguments.name).path)


def _unshare(arguments: argparse.Namespace) -> None:
    store = _place(arguments)
    for name in arguments.names:
        try:
            table = store.info(name)
        except DamagedTable:
            store.unshare(name)
            print(f"{name}: removed; it could not be read")
            continue
        store.unshare(name)
        kept = f"; kept by {', '.join(map(str, table.holders))}" if table.holders else ""
        print(f"{name}: unshared, {words.size(table.nbytes)}{kept}")


def _gc(arguments: argparse.Namespace) -> None:
    removed = default_store().gc()
    for one in own():  # what others may read stays no longer than the rest
        removed |= {f"{name} ({one.name})": nbytes for name, nbytes in one.store.gc().items()}
    for name, nbytes in removed.items():
        print(f"{name}: removed, {words.size(nbytes)}")
    if not removed:
        print("nothing to remove: every table is in use or pinned" if default_store().names() else "no shared tables")


def _doctor(arguments: argparse.Namespace) -> int:
    from . import doctor

    return doctor.report(Store())


def _demo(arguments: argparse.Namespace) -> None:
    from . import demo

    demo.main()


def _enable_magics(arguments: argparse.Namespace) -> None:
    if arguments.disable:
        startup.disable()
        print("The magics need %load_ext jupyter_arrowshm again, in notebooks that are started from now on.")
    else:
        path = startup.enable()
        print(f"%share and %attach work in every notebook of this environment that is started from now on ({path}).")


def _julia(arguments: argparse.Namespace) -> None:
    from . import julia_setup

    startup, kernel, remove = arguments.startup, arguments.kernel, arguments.remove
    if not startup and kernel is None and not remove:
        print(julia_setup.line())
    if startup or (remove and kernel is None):
        print(julia_setup.remove_from_startup() if remove else julia_setup.add_to_startup())
    if kernel is not None or (remove and not startup and julia_setup.kernels()):
        change = julia_setup.remove_from_kernels if remove else julia_setup.add_to_kernels
        print(*change(kernel or ""), sep="\n")


def _r(arguments: argparse.Namespace) -> None:
    from . import r_setup

    print(r_setup.install() if arguments.install else r_setup.line())


if __name__ == "__main__":
    sys.exit(main())
