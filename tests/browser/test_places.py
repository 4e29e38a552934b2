"""Other places than this machine's tables, in the sidebar and in a notebook's widget, on real folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import Desk, Server
from browser.test_looks import listing, serve, table, widen
from browser.test_preview import Tab
from peers import Peer
from playwright.sync_api import Locator, Request, Route, expect

import jupyter_arrowshm as shm

Snap = Callable[[Desk, str], None]
NOBODY = 65534
can_give_away = os.geteuid() == 0
SHARE = "for name in ({names}): {where}.share(pa.table({{'fare': list(range({rows}))}}), name)"


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """A bucket that takes questions, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as server:
        yield server


@pytest.fixture(scope="module")
def placed(start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory, silent: socket.socket) -> Server:
    bucket = f"s3://key:secret@bucket/tables?scheme=http&region=r&endpoint_override=127.0.0.1:{silent.getsockname()[1]}"
    return start(places={"team": str(tmp_path_factory.mktemp("team")), "bucket": bucket})


@pytest.fixture
def team(placed: Server) -> Iterator[shm.Place]:
    description = next(
        one["description"] for one in placed.request("GET", "arrowshm/places")["places"] if one["name"] == "team"
    )
    place = shm.place(description)
    yield place
    for name in place.names():
        place.unshare(name)


@pytest.fixture
def script(placed: Server) -> Iterator[Peer]:
    """Another process of this user."""
    parent = str(placed.store.parent)
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(placed.store), "JUPYTER_ARROWSHM_OPEN_PARENT": parent})
    yield peer
    peer.quit()
    for folder in Path(parent).glob("jupyter-arrowshm-*"):
        shutil.rmtree(folder)


def share(peer: Peer, *names: str, where: str = "shm", rows: int = 3) -> None:
    peer.run(SHARE.format(names="".join(f"{name!r}," for name in names), where=where, rows=rows))


def section(desk: Desk, name: str) -> Locator:
    return desk.panel.locator(f'.jp-ArrowSHM-place[data-place="{name}"]')


def opened(desk: Desk, name: str) -> Locator:
    section(desk, name).locator(".jp-ArrowSHM-placeTitle").click()
    return section(desk, name)


@pytest.mark.skipif(not can_give_away, reason="only root can give files to another user")
def test_another_user_s_tables(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, silent: socket.socket, snap: Snap
) -> None:
    share(script, "trips", where="shm.place('everyone')")
    mine = placed.store.parent / f"jupyter-arrowshm-{os.geteuid()}-open"
    theirs = mine.with_name(f"jupyter-arrowshm-{NOBODY}-open")
    mine.rename(theirs)
    for path in (theirs, *theirs.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    placed.write("read.ipynb", "")
    desk = open_desk(placed)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.extend(re.findall(r"arrowshm/places/(.+)/tables\b", request.url))

    desk.page.on("request", note)
    desk.lab("read.ipynb")
    expect(section(desk, "nobody")).to_contain_text("shared with you")
    expect(section(desk, "team")).to_be_visible()
    assert not asked, "no place is asked before it is opened"

    # A bucket that does not answer keeps nobody waiting: neither the list of this machine nor another place.
    expect(opened(desk, "bucket")).to_contain_text("Looking for tables…")
    share(script, "mine")
    expect(desk.panel.locator('[data-table="mine"]')).to_be_visible()
    row = opened(desk, "nobody").locator('[data-table="trips"]')
    expect(row).to_contain_text("from nobody")
    expect(row).to_contain_text("3 rows x 1 column")
    expect(section(desk, "bucket")).to_contain_text("Looking for tables…")
    assert set(asked) == {"bucket", "nobody"}
    snap(desk, "places")
    desk.check("#jp-arrowshm-tables")

    # The code that is inserted runs, and the reader is counted; an open place of this machine is asked again by itself.
    row.hover()
    row.locator('[data-action="insert"]').click()
    expect(desk.run()).to_contain_text("3 rows x 1 column")
    expect(row).to_contain_text("in use by 1")
    row.locator(".jp-ArrowSHM-row").click(button="right")
    expect(desk.page.get_by_role("menuitem", name="Remove There…")).to_be_disabled()
    desk.page.get_by_role("menuitem", name="Copy Line for R").click()
    expect(desk.page.get_by_text('Copied: trips <- attach_table("trips", from = "nobody")')).to_be_visible()

    # Where it lies in memory, all of a preview works without a copy.
    row.locator(".jp-ArrowSHM-row").click(button="right")
    desk.page.get_by_role("menuitem", name="Open", exact=True).click()
    tab = Tab(desk)
    expect(tab.shape).to_have_text("3 rows")
    tab.at("Row 1, fare: 0")
    tab.wait_for_charts()
    for _ in "▲▼":
        tab.click_header()
    expect(tab.chips).to_have_text(["fare ▼"])
    tab.press("Home", "Control+Home")
    tab.at("Row 1, fare: 2")
    expect(tab.node.get_by_role("button", name="Find")).to_be_visible()
    expect(tab.node.get_by_role("note")).to_have_count(0)
    snap(desk, "places-preview")
    assert set(placed.tables()) == {"mine"}
    opened(desk, "bucket")
    expect(section(desk, "bucket")).not_to_contain_text("Looking for tables…")
    # The page asks for these tables every few seconds, and they go before it does.
    desk.page.close()
    # The browser itself reports what the bucket did not answer.
    assert all("503 (PlaceFailed)" in error for error in desk.errors), desk.errors
    desk.errors.clear()


def test_a_table_goes_to_a_place_and_comes_back(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, team: shm.Place
) -> None:
    share(script, "trips", "zones")
    share(script, "zones", where=f"shm.place({team.description!r})", rows=5)
    desk = open_desk(placed)
    desk.lab()
    dialog = desk.page.get_by_role("dialog")
    desk.choose("trips", "Copy to Another Place…")
    expect(dialog).to_contain_text("Copy trips to")
    dialog.get_by_role("combobox").fill("team")
    desk.check(".jp-Dialog")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_text("Copied trips to team")).to_be_visible()
    assert team.info("trips").num_rows == 3

    # What somebody else shared there is replaced only on request.
    desk.choose("zones", "Copy to Another Place…")
    dialog.get_by_role("combobox").fill("team")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog).to_contain_text("Replace zones in team?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert team.info("zones").num_rows == 5

    there = opened(desk, "team")
    expect(there.locator("[data-table]")).to_have_count(2)
    trips = there.locator('[data-table="trips"]')
    trips.locator(".jp-ArrowSHM-row").click()
    expect(trips).to_contain_text("Who uses it is not known here.")
    expect(trips).not_to_contain_text("unused")
    zones = there.locator('[data-table="zones"]')
    zones.locator(".jp-ArrowSHM-row").click(button="right")
    desk.page.get_by_role("menuitem", name="Copy to This Machine").click()
    expect(dialog).to_contain_text("Replace zones in this machine?")
    dialog.get_by_role("button", name="Replace").click()
    expect(desk.panel.locator('[data-table="zones"]').first).to_contain_text("5 rows")
    zones.locator(".jp-ArrowSHM-row").click(button="right")
    desk.page.get_by_role("menuitem", name="Remove There…").click()
    expect(dialog).to_contain_text("Remove zones from team?")
    dialog.get_by_role("button", name="Remove").click()
    expect(zones).to_have_count(0)
    assert team.names() == ["trips"]
    # The browser itself reports each refusal.
    assert all("409 (TableExists)" in error for error in desk.errors), desk.errors
    desk.errors.clear()


def test_rows_of_a_folder_are_shown_where_they_are(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, team: shm.Place, snap: Snap
) -> None:
    share(script, "trips", where=f"shm.place({team.description!r})", rows=5000)
    desk = open_desk(placed)
    asked: set[str] = set()
    desk.page.on("request", lambda request: asked.update(re.findall(r"/tables/trips/(\w+)", request.url)))
    desk.lab()
    opened(desk, "team").locator(".jp-ArrowSHM-row").dblclick()
    tab = Tab(desk)
    label = desk.page.locator(".lm-TabBar-tabLabel", has_text="trips (team)")
    expect(label).to_have_count(1)
    expect(tab.shape).to_have_text("5,000 rows")
    tab.at("Row 1, fare: 0")
    tab.press("Control+End")
    tab.at("Row 5,000, fare: 4999")

    # What needs all rows is not offered, nor asked for by mistake.
    note = tab.node.get_by_role("note")
    expect(note).to_contain_text("Copy it to this machine to sort and filter.")
    for name in ("Find", "Quick look", "SQL", "Save", "Copy as code"):
        expect(tab.node.get_by_role("button", name=name)).to_have_count(0)
    tab.click_header()
    tab.grid.focus()
    tab.press("Control+f")
    expect(tab.node.get_by_role("search")).to_have_count(0)
    menu = tab.menu(0)
    expect(menu.get_by_role("button", name="Hide")).to_be_visible()
    expect(menu.get_by_role("group", name="Sort")).to_have_count(0)
    expect(menu).not_to_contain_text("Filter")
    tab.press("Escape")
    expect(tab.chips).to_have_count(0)
    for size in (700, 1400):
        desk.page.set_viewport_size({"width": size, "height": 900})
        for theme in ("Light", "Dark"):
            desk.theme(f"JupyterLab {theme}")
            snap(desk, f"place-preview-{size}-{theme.lower()}")
    desk.check(".jp-ArrowSHM-previewTab")
    assert asked == {"rows"} and not placed.tables()

    # The same tab comes back, with a version that was shared meanwhile.
    share(script, "trips", where=f"shm.place({team.description!r})", rows=700)
    desk.saved("trips/team")
    desk.page.reload()
    desk.wait()
    tab = Tab(desk)
    expect(label).to_have_count(1)
    expect(tab.shape).to_have_text("700 rows")
    # A folder is asked when somebody comes to look.
    share(script, "trips", where=f"shm.place({team.description!r})", rows=900)
    desk.show()
    opened(desk, "team").locator(".jp-ArrowSHM-row").dblclick()
    expect(label).to_have_count(1)
    expect(tab.shape).to_have_text("900 rows")
    note.get_by_role("button", name="Copy").click()
    expect(tab.node.get_by_role("button", name="Quick look")).to_be_visible()
    expect(tab.shape).to_have_text("900 rows")
    assert placed.tables()["trips"]["num_rows"] == 900

    # What the place says is one sentence in the tab.
    team.unshare("trips")
    label.click()
    expect(tab.node.get_by_role("alert")).to_contain_text("This table is no longer shared.")
    # The browser itself reports each refusal.
    assert all(re.search("409 \\(TableReplaced|404 \\(TableNotFound", error) for error in desk.errors), desk.errors
    desk.errors.clear()


def test_places_by_keyboard_alone(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, team: shm.Place
) -> None:
    share(script, "trips", where=f"shm.place({team.description!r})")
    desk = open_desk(placed)
    desk.lab()
    keys = desk.page.keyboard
    title = section(desk, "team").locator(".jp-ArrowSHM-placeTitle")
    section(desk, "bucket").locator(".jp-ArrowSHM-placeTitle").focus()
    keys.press("ArrowDown")
    expect(title).to_be_focused()
    keys.press("ArrowRight")
    row = section(desk, "team").locator('[data-table="trips"]')
    expect(row).to_be_visible()
    keys.press("ArrowDown")
    expect(row.locator(".jp-ArrowSHM-row")).to_be_focused()
    keys.press("Tab")
    expect(row.get_by_role("button", name="Open trips")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(row.get_by_role("button", name="Copy trips to this machine")).to_be_focused()
    keys.press("Enter")
    expect(desk.panel.locator('[data-table="trips"]')).to_have_count(2)
    expect(row.get_by_role("button", name="Copy trips to this machine")).to_be_focused()
    keys.press("Tab")
    expect(row.get_by_role("button", name="More actions for trips")).to_be_focused()
    keys.press("Enter")
    expect(desk.page.get_by_role("menuitem", name="Copy to This Machine")).to_be_visible()
    keys.press("Escape")
    title.focus()
    keys.press("ArrowLeft")
    expect(row).to_have_count(0)


def test_places_in_a_widget(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, team: shm.Place, snap: Snap
) -> None:
    share(script, "trips")
    placed.write("show.ipynb", "from jupyter_arrowshm import SharedTables\nSharedTables()")
    desk = open_desk(placed)
    desk.lab("show.ipynb")
    desk.run()
    shown = desk.notebook.locator(".jp-ArrowSHM-widget")
    trips = shown.locator('[data-table="trips"]').first
    trips.hover()
    trips.get_by_role("button", name="Copy trips to another place").click()
    snap(desk, "widget-put")
    shown.get_by_role("menuitem", name="team").click()
    expect(shown.get_by_text("Copied trips to team")).to_be_visible()
    assert team.names() == ["trips"]
    script.run("shm.unshare('trips')")
    expect(shown).to_contain_text("No shared tables")
    title = shown.locator('.jp-ArrowSHM-place[data-place="team"] .jp-ArrowSHM-placeTitle')
    title.click()
    there = shown.locator('.jp-ArrowSHM-place [data-table="trips"]')
    there.hover()
    snap(desk, "widget-places")
    desk.check(".jp-ArrowSHM-widget")
    there.get_by_role("button", name="Copy trips to this machine").click()
    expect(shown.get_by_text("Copied trips to this machine")).to_be_visible()
    assert placed.tables()["trips"]["num_rows"] == 3


def test_rows_of_places_in_a_widget(
    open_desk: Callable[[Server], Desk], placed: Server, script: Peer, team: shm.Place, snap: Snap
) -> None:
    """They are shown where they are: nothing is copied before the user says so."""
    share(script, "trips", where=f"shm.place({team.description!r})", rows=5000)
    share(script, "marks", where="shm.place('everyone')", rows=40)
    share(script, "own")
    cell = "from jupyter_arrowshm import SharedTables, TablePreview\nshown = SharedTables()\nshown"
    placed.write("rows.ipynb", cell)
    desk = open_desk(placed)
    desk.lab("rows.ipynb")
    desk.run()
    shown = desk.notebook.locator(".jp-ArrowSHM-widget")
    chosen = shown.locator(".jp-ArrowSHM-selected")
    grid, status = chosen.locator(".lm-DataGrid-viewport"), chosen.locator(".jp-ArrowSHM-status")

    def look(place: str, name: str) -> None:
        there = shown.locator(f'.jp-ArrowSHM-place[data-place="{place}"]')
        if there.locator("[data-table]").count() == 0:
            there.locator(".jp-ArrowSHM-placeTitle").click()
        there.locator(f'[data-table="{name}"] .jp-ArrowSHM-row').dblclick()

    look("team", "trips")
    expect(chosen.locator("strong")).to_have_text("trips (team)")
    expect(chosen.locator(".jp-ArrowSHM-shape")).to_have_text("5,000 rows")
    grid.focus()
    expect(status).to_contain_text("Row 1, fare: 0")
    grid.press("Control+End")
    expect(status).to_contain_text("Row 5,000, fare: 4999")
    expect(chosen.get_by_role("note")).to_contain_text("Copy it to this machine to sort and filter.")
    for name in ("Find", "Quick look", "Save", "Copy as code"):
        expect(chosen.get_by_role("button", name=name)).to_have_count(0)
    grid.click(position={"x": 100, "y": 15})
    expect(chosen.locator(".jp-ArrowSHM-chip")).to_have_count(0)
    for theme in ("Dark", "Light"):
        desk.theme(f"JupyterLab {theme}")
        snap(desk, f"widget-place-preview-{theme.lower()}")
    desk.check(".jp-ArrowSHM-widget")
    assert set(placed.tables()) == {"own"} and not placed.tables()["own"]["holders"][1:]

    # Those of this machine's users are sorted and filtered where they are.
    look("everyone", "marks")
    expect(chosen.locator("strong")).to_have_text("marks (everyone)")
    expect(chosen.locator(".jp-ArrowSHM-shape")).to_have_text("40 rows")
    grid.click(position={"x": 100, "y": 15})
    grid.click(position={"x": 100, "y": 15})
    expect(chosen.locator(".jp-ArrowSHM-chip")).to_have_text(["fare ▼"])
    grid.press("Control+Home")
    expect(status).to_contain_text("Row 1, fare: 39")
    # It follows: there is a newer version, and then none.
    share(script, "marks", where="shm.place('everyone')", rows=50)
    expect(chosen.locator(".jp-ArrowSHM-shape")).to_have_text("50 rows", timeout=15_000)

    # One table at a time, whoever chooses it.
    shown.locator('[data-table="own"] .jp-ArrowSHM-row').first.dblclick()
    expect(chosen.locator("strong")).to_have_text(["own"])
    look("team", "trips")
    expect(chosen.locator("strong")).to_have_text(["trips (team)"])
    # What was replaced while it is shown: its rows are of the newer version, and never of both.
    share(script, "trips", where=f"shm.place({team.description!r})", rows=700)
    chosen.get_by_role("button", name="Close trips (team)").click()
    expect(chosen).to_have_count(0)
    look("team", "trips")
    expect(chosen.locator(".jp-ArrowSHM-shape")).to_have_text("700 rows")
    chosen.get_by_role("note").get_by_role("button", name="Copy").click()
    expect(shown.get_by_text("Copied trips to this machine")).to_be_visible()
    assert placed.tables()["trips"]["num_rows"] == 700


PLACES = [
    {"name": "everyone", "description": "your tables that every user may read", "read_as": "me", "kind": "yours"},
    {"name": "ada", "description": "tables of ada, read without a copy", "read_as": "ada", "kind": "user"},
    {"name": "a.user.with.a.very.long.name", "description": "tables of a user", "read_as": "a", "kind": "user"},
    {"name": "team", "description": "s3://a-bucket-with-a-long-name/tables/of/2026", "read_as": "t", "kind": "folder"},
    {"name": "course", "description": "/srv/course", "read_as": "course", "kind": "folder"},
]


def test_how_places_look(desk: Desk, snap: Snap) -> None:
    places = [{**place, "writable": place["kind"] != "user"} for place in PLACES]

    def answer(route: Route) -> None:
        path = route.request.url.partition("?")[0]
        name = path.rpartition("/places/")[2].partition("/")[0]
        if path.endswith("/places"):
            body: dict[str, object] = {"places": places, "targets": places[:1]}
        elif name == "course":
            body = {"message": "course cannot be used (the disk is gone). Nothing was changed there.", "reason": "x"}
        else:
            countable = None if name == "team" else True
            names = ("flights", "a-very-long-name-of-a-table-that-does-not-fit-anywhere", "zones")
            more = {"holders": []} if name == "team" else {}
            body = {"tables": [table(one, countable=countable, **more) for one in names]}
        status = 503 if name == "course" else 200
        route.fulfill(status=status, body=json.dumps(body), headers={"Content-Type": "application/json"})

    serve(desk, listing([table("flights"), table("zones", holders=[])]))
    desk.page.route(re.compile("/arrowshm/places"), answer)
    desk.lab()
    expect(desk.panel.locator(".jp-ArrowSHM-place")).to_have_count(5)
    for name in ("ada", "a.user.with.a.very.long.name", "team", "course"):
        opened(desk, name)
    expect(section(desk, "course").get_by_role("alert")).to_contain_text("the disk is gone")
    expect(section(desk, "team")).not_to_contain_text("unused")
    for size, width in ((700, 280), (1400, 620)):
        desk.page.set_viewport_size({"width": size, "height": 1100})
        widen(desk, width)
        for theme in ("Light", "Dark"):
            desk.theme(f"JupyterLab {theme}")
            section(desk, "ada").locator('[data-table="flights"]').hover()
            desk.check("#jp-arrowshm-tables")
            snap(desk, f"places-{size}-{theme.lower()}")
    serve(desk, listing([]))
    desk.page.route(re.compile("/arrowshm/places"), answer)
    desk.page.reload()
    desk.wait()
    desk.show()
    expect(desk.panel).to_contain_text("No shared tables")
    expect(desk.panel.locator(".jp-ArrowSHM-place")).to_have_count(5)
    snap(desk, "places-empty")
    # The browser itself reports the 503.
    assert all("503" in error for error in desk.errors), desk.errors
    desk.errors.clear()
