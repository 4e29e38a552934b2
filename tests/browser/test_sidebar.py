"""The sidebar, as a user sees it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

from browser.lab import Desk, Server
from julia_peers import Julia, program
from peers import Peer
from playwright.sync_api import Locator, expect

Snap = Callable[[Desk, str], None]
SHARE = """import os
import pandas as pd
%load_ext jupyter_arrowshm
trips = pd.DataFrame({"city": ["Bern", "Basel"] * 50_000, "fare": range(100_000)})
%share trips
print("pid", os.getpid())"""
ATTACH = """import os
%load_ext jupyter_arrowshm
%attach trips
print("pid", os.getpid())"""


def pid(desk: Desk) -> int:
    """The kernel's, as a cell that was run has printed it."""
    output = desk.notebook.locator(".jp-OutputArea-output", has_text="pid").last
    expect(output).to_have_text(re.compile(r"pid \d+"))
    return int(output.inner_text().split()[-1])


def share(desk: Desk, table: str = "trips") -> Locator:
    desk.run()
    pid(desk)
    expect(desk.row(table)).to_contain_text("in use by 1")
    return desk.row(table)


def test_without_tables_it_teaches_how_to_share_one(desk: Desk, snap: Snap) -> None:
    desk.lab()
    expect(desk.panel).to_contain_text("No shared tables")
    expect(desk.panel.locator("pre").nth(0)).to_contain_text("%share df")
    expect(desk.panel.locator("pre").nth(1)).to_contain_text("%attach df")
    desk.panel.get_by_role("button", name="Copy").first.click()
    expect(desk.panel.get_by_role("button", name="Copied")).to_have_count(1)
    snap(desk, "empty")


def test_the_count_follows_those_who_attach_and_those_who_die(desk: Desk, server: Server, snap: Snap) -> None:
    server.write("load.ipynb", SHARE)
    server.write("model.ipynb", ATTACH)
    desk.lab("load.ipynb", "model.ipynb")
    trips = share(desk)
    expect(trips).to_contain_text("100,000 rows x 2 columns")
    expect(trips).to_contain_text("load.ipynb (python), now")

    desk.activate("model.ipynb")
    desk.run()
    reader = pid(desk)
    expect(trips).to_contain_text("in use by 2")
    expect(desk.panel.get_by_role("status")).to_contain_text("trips: in use by 2")
    trips.locator(".jp-ArrowSHM-row").click()
    users = trips.locator(".jp-ArrowSHM-processes li")
    expect(users).to_have_count(2)
    expect(trips).to_contain_text("model.ipynb (python)")
    snap(desk, "two-users")

    trips.get_by_role("button", name="load.ipynb (python)", exact=True).click()
    expect(desk.notebook.locator(".jp-OutputArea-output").first).to_contain_text("shared in")
    desk.command("docmanager:open", path="model.ipynb")

    desk.page.evaluate(
        """() => {
          const open = [...jupyterapp.shell.widgets('main')].find(one => one.context?.path === 'model.ipynb');
          return open.context.rename('better model.ipynb');
        }"""
    )
    expect(trips).to_contain_text("better model.ipynb (python)")

    os.kill(reader, signal.SIGKILL)
    expect(trips).to_contain_text("in use by 1")
    expect(users).to_have_count(1)


def test_unsharing_says_who_uses_it_and_asks(desk: Desk, server: Server, snap: Snap) -> None:
    server.write("load.ipynb", SHARE)
    desk.lab("load.ipynb")
    trips = share(desk)
    desk.choose("trips", "Unshare…")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Unshare trips?")
    expect(dialog).to_contain_text("It is in use by load.ipynb (python).")
    snap(desk, "unshare")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(trips).to_be_visible()

    reader = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    reader.run("trips = shm.attach('trips')")
    expect(trips).to_contain_text("in use by 2")
    desk.choose("trips", "Unshare…")
    dialog.get_by_role("button", name="Unshare").click()
    expect(desk.panel).to_contain_text("No shared tables")
    assert not server.tables()
    # The name is gone, and the memory not yet: that is said, for as long as it holds.
    removed = desk.panel.get_by_role("region", name="Unshared, but still in use")
    expect(removed).to_contain_text(re.compile(r"trips was unshared, but its \S+ MB are still in use by"))
    expect(removed).to_contain_text(f"python (pid {reader.pid})")
    snap(desk, "unshared-in-use")
    reader.kill()
    expect(removed).to_have_count(0)


def test_what_nobody_uses_is_kept_or_removed(desk: Desk, server: Server, snap: Snap) -> None:
    script = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    script.run("for name in ('trips', 'zones', 'kept'): shm.share({'a': list(range(1000))}, name)")
    desk.lab()
    expect(desk.row("trips")).to_contain_text("in use by 1")
    script.kill()
    for name in ("trips", "zones", "kept"):
        expect(desk.row(name)).to_contain_text("program ended")
        expect(desk.row(name)).to_contain_text(re.compile("unused, removed in (23 hours|1 day)"))
    expect(desk.panel).to_contain_text("3 tables unused")
    desk.row("kept").get_by_role("button", name="Keep kept").click()
    expect(desk.row("kept")).to_contain_text("pinned")
    expect(desk.panel).to_contain_text("2 tables unused")
    snap(desk, "unused")
    desk.choose("kept", "Copy Path of the Arrow File")
    expect(desk.page.get_by_text(f"Copied: {server.store / 'kept.arrow'}")).to_be_visible()

    desk.panel.get_by_role("button", name="Remove…").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Remove 2 unused tables?")
    expect(dialog).to_contain_text("Nobody uses trips, zones.")
    dialog.get_by_role("button", name="Remove").click()
    expect(desk.row("trips")).to_have_count(0)
    assert list(server.tables()) == ["kept"]


def test_attach_code_runs_in_a_fresh_kernel(desk: Desk, server: Server, snap: Snap) -> None:
    server.write("load.ipynb", SHARE.replace("%share trips", "%share trips as trips-2013"))
    server.write("fresh.ipynb", "1 + 1")
    desk.lab("load.ipynb", "fresh.ipynb")
    trips = share(desk, "trips-2013")
    desk.activate("fresh.ipynb")
    desk.act("trips-2013", "insert")
    cells = desk.notebook.locator(".jp-CodeCell")
    expect(cells).to_have_count(2)
    expect(cells.nth(1).locator(".cm-line")).to_have_text(
        ["%load_ext jupyter_arrowshm", "%attach trips-2013 as trips_2013"]
    )
    desk.run()
    expect(cells.nth(1)).to_contain_text("pandas.DataFrame, 100,000 rows x 2 columns")
    expect(trips).to_contain_text("in use by 2")
    snap(desk, "inserted")


def test_julia_is_a_user_as_any_other(desk: Desk, server: Server) -> None:
    script = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    script.run("shm.share({'a': list(range(1000))}, 'trips')")
    julia = Julia(program(), env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    try:
        desk.lab()
        trips = desk.row("trips")
        expect(trips).to_contain_text("in use by 1")
        julia.run('t = attach("trips"); sum(t.a)')
        expect(trips).to_contain_text("in use by 2")
        trips.locator(".jp-ArrowSHM-row").click()
        expect(trips.locator(".jp-ArrowSHM-processes")).to_contain_text(f"julia (pid {julia.pid})")
        script.run("shm.share({'a': list(range(10))}, 'trips')")
        expect(trips).to_contain_text("1 older version, ")
        expect(trips).to_contain_text("still in use by")
        julia.run('share("zones", (a = [1, 2],))')
        expect(desk.row("zones")).to_contain_text(f"julia (pid {julia.pid})")
    finally:
        julia.kill()
        script.kill()
    expect(trips).not_to_contain_text("older version")


def test_attach_code_for_julia(desk: Desk, server: Server) -> None:
    server.write("load.ipynb", SHARE)
    # The cell that is selected is empty: the code goes into it.
    server.write("model.ipynb", "", kernel="julia")
    desk.lab("load.ipynb", "model.ipynb")
    share(desk)
    desk.activate("model.ipynb")
    desk.act("trips", "insert")
    expect(desk.notebook.locator(".jp-CodeCell")).to_have_count(1)
    expect(desk.notebook.locator(".cm-line")).to_have_text(["using ArrowSHM", "@attach trips"])
    desk.choose("trips", "Copy Line for Julia")
    expect(desk.page.get_by_text("Copied: @attach trips")).to_be_visible()
    desk.choose("trips", "Insert Code to Detach")
    expect(desk.notebook.locator(".cm-line")).to_have_text(
        ["using ArrowSHM", "@attach trips", "using ArrowSHM", "@detach trips"]
    )


def test_what_was_loaded_from_a_file_is_listed_apart(desk: Desk, server: Server, snap: Snap) -> None:
    (server.root / "my data").mkdir(exist_ok=True)
    path = server.root / "my data" / "trips.2013.csv"
    path.write_text("city,fare\nBern,1.5\nBasel,2.5\n")
    script = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    script.run("shm.share({'a': [1]}, 'zones')")
    script.run(f"table = shm.attach({str(path)!r})")
    server.write("fresh.ipynb", "1 + 1")
    desk.lab("fresh.ipynb")
    loaded = desk.panel.get_by_role("list", name="Loaded").locator("[data-table]")
    expect(loaded).to_have_count(1)
    expect(desk.panel.locator(".jp-ArrowSHM-groupTitle")).to_have_text(re.compile("^Loaded1 table, "))
    expect(desk.panel.get_by_role("list", name="Shared tables").locator("[data-table]")).to_have_count(1)
    script.kill()
    # Whoever loaded it need not run: only what was shared says that its program has ended.
    expect(desk.row("zones")).to_contain_text("program ended")
    expect(loaded).to_contain_text("unused")
    expect(loaded).not_to_contain_text("program ended")
    expect(loaded).to_contain_text(f"loaded from {path}")
    loaded.locator(".jp-ArrowSHM-row").click()
    expect(loaded.locator(".jp-ArrowSHM-details")).to_contain_text(f"Loaded from {path} on")
    for theme in ("Light", "Dark"):
        desk.theme(f"JupyterLab {theme}")
        snap(desk, f"loaded-{theme.lower()}")
    desk.check("#jp-arrowshm-tables")

    name = loaded.get_attribute("data-table")
    assert name
    desk.act(name, "insert")
    cell = desk.notebook.locator(".jp-CodeCell").nth(1)
    expect(cell.locator(".cm-line")).to_have_text(["%load_ext jupyter_arrowshm", f"%attach '{path}'"])
    desk.run()
    expect(cell).to_contain_text("trips: pandas.DataFrame, 2 rows x 2 columns")
    expect(loaded).to_contain_text("in use by 1")
    desk.choose(name, "Remove…")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("whoever attaches it next loads it again")
    dialog.get_by_role("button", name="Remove").click()
    expect(loaded).to_have_count(0)


def test_the_file_browser_copies_the_line_that_attaches_a_file(desk: Desk, server: Server) -> None:
    (server.root / "my data").mkdir(exist_ok=True)
    (server.root / "my data" / "trips.csv").write_text("city,fare\nBern,1.5\n")
    (server.root / "zones.csv").write_text("zone\n1\n")
    (server.root / "notes.txt").write_text("none")
    server.write("my data/fresh.ipynb", "1 + 1")
    desk.lab()
    desk.command("filebrowser:activate")

    def check(name: str, line: str) -> None:
        desk.page.locator(".jp-DirListing-item", has_text=name).click(button="right")
        desk.page.get_by_role("menuitem", name="Copy %attach Line").click()
        expect(desk.page.get_by_text(f"Copied: {line}", exact=True)).to_be_visible()

    check("zones.csv", "%attach ./zones.csv")
    desk.command("filebrowser:go-to-path", path="my data")
    check("trips.csv", "%attach './my data/trips.csv'")
    # A notebook's paths begin in its own folder.
    desk.command("docmanager:open", path="my data/fresh.ipynb")
    expect(desk.notebook.locator(".jp-CodeCell").first).to_be_visible()
    check("trips.csv", "%attach ./trips.csv")
    desk.command("filebrowser:go-to-path", path="")
    check("zones.csv", "%attach ../zones.csv")
    desk.page.locator(".jp-DirListing-item", has_text="notes.txt").click(button="right")
    expect(desk.page.get_by_role("menuitem", name="Copy Path")).to_be_visible()
    expect(desk.page.get_by_role("menuitem", name="Copy %attach Line")).to_have_count(0)


def test_pinning(desk: Desk, server: Server) -> None:
    server.write("load.ipynb", SHARE)
    desk.lab("load.ipynb")
    trips = share(desk)
    desk.act("trips", "pin")
    expect(trips).to_contain_text("pinned")
    assert server.tables()["trips"]["pinned"]
    desk.act("trips", "pin")
    expect(trips).not_to_contain_text("pinned")
    assert not server.tables()["trips"]["pinned"]


def test_a_table_by_keyboard_alone(desk: Desk, server: Server) -> None:
    server.write("load.ipynb", SHARE)
    desk.lab("load.ipynb")
    trips = share(desk)
    desk.command("arrowshm:show")
    keys = desk.page.keyboard
    expect(desk.panel.get_by_role("searchbox")).to_be_focused()
    keys.press("Tab")
    expect(desk.panel.get_by_role("combobox")).to_be_focused()
    keys.press("Tab")
    expect(desk.panel.get_by_role("button", name="View")).to_be_focused()
    keys.press("Tab")
    expect(trips.locator(".jp-ArrowSHM-row")).to_be_focused()
    keys.press("ArrowRight")
    expect(trips.locator(".jp-ArrowSHM-details")).to_be_visible()
    for name in ("Open", "Insert", "Pin"):
        keys.press("Tab")
        expect(trips.get_by_role("button", name=re.compile(f"^{name} "))).to_be_focused()
    keys.press("Enter")
    expect(trips).to_contain_text("pinned")
    # The list was drawn anew, and the focus is where it was.
    expect(trips.get_by_role("button", name=re.compile("^Unpin "))).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(desk.page.get_by_role("menuitem", name="Copy Path")).to_be_visible()
    keys.press("Escape")
    trips.locator(".jp-ArrowSHM-row").focus()
    keys.press("Delete")
    expect(desk.page.get_by_role("dialog")).to_contain_text("Unshare trips?")
    keys.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect(trips).to_be_visible()


def test_notebook_7(desk: Desk, server: Server, snap: Snap) -> None:
    server.write("load.ipynb", SHARE)
    desk.open("notebooks/load.ipynb")
    # Where the README says that it is.
    desk.page.get_by_role("menuitem", name="View").click()
    desk.page.get_by_role("menuitem", name="Show Shared Tables").click()
    expect(desk.panel).to_be_visible()
    trips = share(desk)
    trips.locator(".jp-ArrowSHM-row").click()
    expect(trips).to_contain_text("by load.ipynb (python)")
    desk.act("trips", "insert")
    expect(desk.notebook.locator(".jp-CodeCell")).to_have_count(2)
    snap(desk, "notebook-7")


def test_without_the_server_extension_it_says_how_to_mend_it(
    open_desk: Callable[[Server], Desk], start: Callable[..., Server], snap: Snap
) -> None:
    desk = open_desk(start(extension=False))
    desk.lab()
    expect(desk.panel).to_contain_text("The server extension is missing")
    expect(desk.panel.locator("pre")).to_contain_text("pip install jupyter-arrowshm")
    expect(desk.panel.locator("pre")).to_contain_text("jupyter server extension enable jupyter_arrowshm")
    expect(desk.panel.get_by_role("button", name="Try again")).to_be_visible()
    snap(desk, "missing")
    # The browser itself reports the 404, once for each time that it was asked for.
    assert all("404" in error for error in desk.errors), desk.errors
    desk.errors.clear()
