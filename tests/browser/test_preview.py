"""A table's rows in a tab of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import Desk, Server
from peers import Peer
from playwright.sync_api import Locator, expect
from pyarrow import csv, ipc, parquet

Snap = Callable[[Desk, str], None]
SHARE = """
import datetime as dt
import re
start = dt.datetime(2024, 1, 1)
cities = ["Bern", "Basel", None, "Zürich\\nHB"]
def trips(n, **more):
    return pa.table({
        "id": pa.array(range(n), pa.int64()),
        "city": pa.array([cities[i % 4] for i in range(n)]),
        "fare": pa.array([None if i % 10 == 0 else i % 97 / 4 for i in range(n)]),
        "since": pa.array([start + dt.timedelta(minutes=i) for i in range(n)], pa.timestamp("us", "UTC")),
        "tags": pa.array([["a", None] for i in range(n)]),
        "raw": pa.array([bytes([i % 256]) for i in range(n)]),
        "note": pa.array(["a note that is long, " * 30 + str(i) for i in range(n)]),
        **more,
    })
shm.share(trips(3000), "trips")
"""


@pytest.fixture
def sharer(server: Server) -> Iterator[Peer]:
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    peer.run(SHARE)
    yield peer
    peer.quit()


class Tab:
    """The preview in front."""

    def __init__(self, desk: Desk, name: str = "") -> None:
        self.desk, self.page = desk, desk.page
        if name:
            desk.command("arrowshm:open", name=name)
        self.node = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
        self.grid = self.node.locator(".lm-DataGrid-viewport")
        self.status = self.node.locator(".jp-ArrowSHM-status")
        self.shape = self.node.locator(".jp-ArrowSHM-shape")
        self.chips = self.node.locator(".jp-ArrowSHM-chip")
        self.panel = self.node.get_by_role("dialog")
        expect(self.grid).to_be_visible()
        self.grid.focus()

    def at(self, text: str) -> None:
        """The cell that the keyboard is on."""
        expect(self.status).to_contain_text(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def menu(self, column: int) -> Locator:
        """Of a column, by keyboard."""
        self.grid.focus()
        self.press("Home", *["ArrowRight"] * column, "Alt+ArrowDown")
        expect(self.panel).to_be_visible()
        return self.panel

    def click_header(self, x: int = 100, y: int = 15) -> None:
        """Of the first column, where its name is; its number column is narrower than that."""
        self.grid.click(position={"x": x, "y": y})

    def wait_for_charts(self) -> None:
        """Their words are in the panel."""
        expect(self.menu(0)).to_contain_text("Median")
        self.press("Escape")

    def chart(self, text: str) -> tuple[float, float]:
        """Where the mouse shows this text in the charts of the headers."""
        box = self.grid.bounding_box()
        assert box
        y = box["y"] + 60
        for x in range(int(box["x"]), int(box["x"] + box["width"]), 3):
            self.page.mouse.move(x, y)
            if text in (self.grid.get_attribute("title") or ""):
                return x, y
        raise AssertionError(f"{text} is nowhere")

    def copied(self) -> str:
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text


def test_cells_by_keyboard(desk: Desk, sharer: Peer) -> None:
    desk.lab()
    expect(desk.row("trips")).to_contain_text("3,000 rows x 7 columns")
    desk.row("trips").locator(".jp-ArrowSHM-row").dblclick()
    tab = Tab(desk, "trips")
    expect(desk.page.locator(".jp-ArrowSHM-previewTab")).to_have_count(1)
    tab.at("Row 1, id: 0")
    tab.press("ArrowRight", "ArrowDown")
    tab.at("Row 2, city: Basel")
    tab.press("ArrowDown")
    tab.at("Row 3, city: null")
    tab.press("ArrowDown")
    tab.at("Row 4, city: Zürich↵HB")
    tab.press("ArrowRight")
    tab.at("Row 4, fare: 0.75")
    tab.press("ArrowRight")
    tab.at("Row 4, since: 2024-01-01 00:03:00")
    tab.press("ArrowRight")
    tab.at("Row 4, tags: [")
    tab.press("Control+End")
    tab.at("Row 3,000, note: a note that is long")
    tab.press("Control+Home")
    tab.at("Row 1, id: 0")
    # Tab leaves the grid: it is not a trap.
    tab.press("Tab")
    expect(tab.grid).not_to_be_focused()

    go = tab.node.get_by_label("Go to row")
    go.fill("2,500")
    go.press("Enter")
    expect(tab.grid).to_be_focused()
    tab.at("Row 2,500, id: 2499")


def test_copying(desk: Desk, sharer: Peer) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    tab.press("ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Control+c")
    expect(desk.page.get_by_text("Copied 3 rows x 3 columns")).to_be_visible()
    assert tab.copied() == 'id\tcity\tfare\n1\tBasel\t0.25\n2\t\t0.5\n3\t"Zürich\nHB"\t0.75'
    # All of one cell, of which the grid has the beginning.
    tab.press("Control+Home", "End", "Control+c")
    expect(desk.page.get_by_text("Copied", exact=True)).to_be_visible()
    assert tab.copied() == "a note that is long, " * 30 + "0"
    tab.press("Control+a", "Shift+End")
    tab.press("Enter")
    expect(tab.panel.locator("pre")).to_have_text("a note that is long, " * 30 + "0")
    tab.press("Escape")
    expect(tab.panel).to_have_count(0)
    expect(tab.grid).to_be_focused()


def test_sorting_and_filtering(desk: Desk, sharer: Peer, snap: Snap) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    # By mouse: ascending, descending, as it was.
    tab.click_header()
    expect(tab.chips).to_have_text(["id ▲"])
    tab.click_header()
    expect(tab.chips).to_have_text(["id ▼"])
    tab.at("Row 1, id: 2999")
    tab.click_header()
    expect(tab.chips).to_have_count(0)
    tab.at("Row 1, id: 0")

    # By keyboard alone: values of a text column.
    panel = tab.menu(1)
    expect(panel.get_by_role("heading")).to_have_text("city")
    expect(panel).to_contain_text("750 (25%)")
    boxes = panel.get_by_role("listitem")
    expect(boxes).to_have_text(["Bern750", "Basel750", "Zürich↵HB750", "null750"])
    snap(desk, "column")
    boxes.nth(1).get_by_role("checkbox").press("Space")
    boxes.nth(3).get_by_role("checkbox").press("Space")
    panel.get_by_role("button", name="Apply").press("Enter")
    expect(tab.shape).to_have_text("1,500 of 3,000 rows")
    expect(tab.chips).to_have_text(["city in Basel, null"])
    tab.at("Row 1, city: Basel")

    # What the filter leaves out can be chosen again.
    expect(tab.menu(1).get_by_role("listitem")).to_have_count(4)
    tab.press("Escape")

    # A range, by Enter; and another column, descending.
    panel = tab.menu(0)
    panel.get_by_label("From").fill("100")
    panel.get_by_label("To", exact=True).fill("200")
    panel.get_by_label("To", exact=True).press("Enter")
    expect(tab.shape).to_have_text("50 of 3,000 rows")
    tab.menu(0).get_by_role("button", name="Descending").press("Enter")
    tab.press("Escape")
    expect(tab.chips).to_have_text(["city in Basel, null", "id from 100 to 200", "id ▼"])
    tab.press("Control+Home")
    tab.at("Row 1, id: 198")

    # Text, of which nothing is found.
    panel = tab.menu(6)
    panel.get_by_label("Filter").select_option(label="Contains")
    panel.get_by_label("Text").fill("LONG, nothing like it")
    panel.get_by_label("Text").press("Enter")
    expect(tab.shape).to_have_text("0 of 3,000 rows")
    expect(tab.node).to_contain_text("No row matches the filter.")
    tab.node.get_by_role("button", name="Remove the filter: note contains").click()
    expect(tab.shape).to_have_text("50 of 3,000 rows")

    # What is typed wrong is told, and nothing is lost.
    panel = tab.menu(0)
    panel.get_by_label("From").fill("many")
    panel.get_by_label("From").press("Enter")
    expect(tab.node.get_by_role("alert")).to_contain_text("many")
    tab.node.get_by_role("button", name="Clear all").click()
    expect(tab.shape).to_have_text("3,000 rows")
    expect(tab.node.get_by_role("alert")).to_have_count(0)
    # The browser itself reports the question that was refused.
    assert all("(InvalidQuery)" in error for error in desk.errors), desk.errors
    desk.errors.clear()


def test_a_view_as_code(desk: Desk, sharer: Peer) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    tab.click_header()
    tab.node.get_by_role("button", name="Copy as code").click()
    tab.press("ArrowDown", "Enter")
    expect(desk.page.get_by_text("Copied the polars code for this view")).to_be_visible()
    assert tab.copied().splitlines()[-1].startswith('trips = trips.sort(pl.col("id"), descending=[False]')


def test_a_view_as_a_file(desk: Desk, sharer: Peer, tmp_path: Path) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    tab.click_header()
    tab.click_header()
    expect(tab.chips).to_have_text(["id ▼"])
    read = {"CSV": csv.read_csv, "Parquet": parquet.read_table, "Arrow": lambda path: ipc.open_file(path).read_all()}
    for label, reader in read.items():
        tab.node.get_by_role("button", name="Save").click()
        with desk.page.expect_download() as download:
            tab.node.get_by_role("menuitem", name=label).click()
        assert download.value.suggested_filename == f"trips.{label.lower()}"
        download.value.save_as(tmp_path / label)
        assert reader(tmp_path / label)["id"].to_pylist() == list(range(2999, -1, -1))
    expect(desk.page.get_by_text("Saved: 3,000 rows").first).to_be_visible()


def test_new_versions(desk: Desk, sharer: Peer, server: Server, snap: Snap) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    panel = tab.menu(1)
    panel.get_by_role("listitem").nth(0).get_by_role("checkbox").press("Space")
    panel.get_by_role("button", name="Apply").press("Enter")
    expect(tab.shape).to_have_text("750 of 3,000 rows")

    # It follows; the filter finds its column where that is now.
    sharer.run("t = trips(4000); t = t.select([6, 5, 4, 3, 2, 1, 0]); shm.share(t, 'trips')")
    expect(tab.shape).to_have_text("1,000 of 4,000 rows")
    expect(tab.chips).to_have_text(["city = Bern"])
    tab.grid.focus()
    tab.press("Control+Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    tab.at("Row 1, city: Bern")

    # It stays, if it is told to: rows that were never looked at come from the older version, too.
    tab.node.get_by_label("Follow").uncheck()
    sharer.run("shm.share(trips(10).drop_columns(['city']), 'trips')")
    alert = tab.node.get_by_role("alert")
    expect(alert).to_contain_text("There is a new version of this table.")
    expect(tab.shape).to_have_text("1,000 of 4,000 rows")
    tab.grid.focus()
    tab.press("Control+End")
    tab.at("Row 1,000, id: 3996")
    snap(desk, "older-version")

    # What the new version has not is told.
    alert.get_by_role("button", name="Show the new version").click()
    expect(tab.shape).to_have_text("10 rows")
    expect(alert).to_contain_text("The new version does not have city")
    tab.grid.focus()
    tab.press("Control+Home")
    tab.at("Row 1, id: 0")

    sharer.run("shm.unshare('trips')")
    expect(alert).to_contain_text("This table is no longer shared.")
    # The page may have asked for rows at the very moment at which the table went.
    assert all("(TableNotFound)" in error for error in desk.errors), desk.errors
    desk.errors.clear()


def test_a_reload_brings_the_view_back(desk: Desk, sharer: Peer) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    tab.click_header()
    tab.click_header()
    panel = tab.menu(2)
    panel.get_by_label("Filter").select_option(label="Is null")
    panel.get_by_role("button", name="Apply").press("Enter")
    expect(tab.shape).to_have_text("300 of 3,000 rows")
    desk.saved('"kind":"missing"')
    desk.page.reload()
    desk.wait()
    expect(tab.chips).to_have_text(["fare is null", "id ▼"])
    expect(tab.shape).to_have_text("300 of 3,000 rows")
    tab.grid.focus()
    tab.at("Row 1, id: 2990")


def test_a_cells_menu(desk: Desk, sharer: Peer, snap: Snap) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    # By keyboard: only the value, and all but it; nulls stay.
    tab.press("ArrowRight", "ArrowDown", "ContextMenu")
    menu = tab.node.get_by_role("menu", name="Cell")
    items = menu.get_by_role("menuitem")
    expect(items).to_have_text(
        ["Only this value", "Exclude this value", "Copy", "Copy with column name", "Copy as condition", "Show in full"]
    )
    expect(items.first).to_be_focused()
    desk.check(".jp-ArrowSHM-previewTab")
    snap(desk, "cell-menu")
    tab.press("ArrowDown", "Enter")
    expect(tab.chips).to_have_text(["city is not Basel"])
    expect(tab.shape).to_have_text("2,250 of 3,000 rows")
    tab.at("Row 2, city: null")
    # By mouse, from here on: another value is left out, too.
    cell = {"x": 200, "y": 100 + 24 * 2}
    tab.grid.click(button="right", position=cell)
    tab.at("Row 3, city: Zürich↵HB")
    items.nth(1).click()
    expect(tab.chips).to_have_text(["city not in Basel, Zürich↵HB"])
    expect(tab.shape).to_have_text("1,500 of 3,000 rows")
    expect(tab.menu(1).get_by_role("combobox", name="Filter")).to_have_value("except")
    tab.press("Escape")
    tab.grid.click(button="right", position={"x": 200, "y": 100 + 24})
    expect(items.first).to_have_text("Only nulls")
    items.first.click()
    expect(tab.shape).to_have_text("750 of 3,000 rows")
    tab.chips.click()
    # Copies are of the whole value.
    desk.page.set_viewport_size({"width": 700, "height": 760})
    desk.theme("JupyterLab Dark")
    tab.grid.focus()
    tab.press("Control+Home", "ArrowRight", "Shift+F10")
    snap(desk, "cell-menu-dark-700")
    menu.get_by_role("menuitem", name="Copy as condition").click()
    expect(desk.page.get_by_text("Copied", exact=True).first).to_be_visible()
    assert tab.copied() == 'trips["city"] == "Bern"'
    tab.press("End", "Shift+F10")
    menu.get_by_role("menuitem", name="Copy with column name").click()
    desk.page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('note'))")
    assert tab.copied() == "note\n" + "a note that is long, " * 30 + "0"
    tab.press("Shift+F10", "ArrowUp", "Enter")
    expect(tab.panel.locator("pre")).to_have_text("a note that is long, " * 30 + "0")


BRUSHED = """
n = 2000
shm.share(pa.table({
    "fare": pa.array([i % 200 / 10 for i in range(n)]),
    "city": pa.array(["Bern", "Basel", "Chur", "Genf"][i * i % 7 % 4] for i in range(n)),
    "since": pa.array([start + dt.timedelta(hours=i) for i in range(n)], pa.timestamp("us")),
}), "brushed")
"""


def test_a_chart_filters(desk: Desk, sharer: Peer, snap: Snap) -> None:
    """By the mouse on the header, by the keyboard in the column's panel; the other charts show what is left."""
    sharer.run(BRUSHED)
    desk.lab()
    tab = Tab(desk, "brushed")
    tab.at("Row 1, fare: 0.0")
    tab.wait_for_charts()
    first, last = tab.chart("5 to 6: 100 rows"), tab.chart("8 to 9: 100 rows")
    mouse = desk.page.mouse
    mouse.move(*first)
    mouse.down()
    mouse.move(*last, steps=3)
    snap(desk, "brushing")
    mouse.up()
    # Not sorted, and as many as the bars said.
    expect(tab.chips).to_have_text(["fare from 5 to below 9"])
    expect(tab.shape).to_have_text("400 of 2,000 rows")
    snap(desk, "brushed")
    desk.theme("JupyterLab Dark")
    snap(desk, "brushed-dark")
    # The same once more takes it away; a click is one bar.
    first, last = tab.chart("5 to 6: 100 rows"), tab.chart("8 to 9: 100 rows")
    mouse.move(*last)
    mouse.down()
    mouse.move(*first)
    mouse.up()
    expect(tab.chips).to_have_count(0)
    mouse.click(*tab.chart("19 to 20"))
    expect(tab.chips).to_have_text(["fare ≥ 19"])
    expect(tab.shape).to_have_text("100 of 2,000 rows")
    tab.chips.click()
    # A value, and another one.
    mouse.click(*tab.chart("Basel: "))
    expect(tab.chips).to_have_text(["city = Basel"])
    desk.page.keyboard.down("Shift")
    mouse.click(*tab.chart("Chur: "))
    desk.page.keyboard.up("Shift")
    expect(tab.chips).to_have_text([re.compile("city in Basel, Chur")])
    tab.chips.click()

    # By keyboard.
    bars = tab.menu(2).get_by_role("group", name="Histogram").get_by_role("button")
    expect(bars).to_have_count(13)
    bars.first.focus()
    tab.press("ArrowRight", "Shift+ArrowRight")
    desk.check(".jp-ArrowSHM-previewTab")
    snap(desk, "brushed-panel-dark")
    tab.press("Enter")
    expect(tab.shape).to_have_text("336 of 2,000 rows")
    expect(tab.chips).to_have_text(["since from 2024-01-04 to below 2024-01-18"])
    tab.press("Escape")
    expect(tab.grid).to_be_focused()


def test_a_hundred_million_rows(desk: Desk, sharer: Peer, snap: Snap) -> None:
    sharer.run(
        """
import numpy as np
with shm.writer("long", pa.schema([("n", pa.int32())])) as w:
    for i in range(0, 100_000_000, 10_000_000):
        w.write(pa.record_batch([pa.array(np.arange(i, i + 10_000_000, dtype="int32"))], names=["n"]))
"""
    )
    desk.lab()
    tab = Tab(desk, "long")
    tab.at("Row 1, n: 0")
    expect(tab.shape).to_have_text("100,000,000 rows")
    tab.press("Control+End")
    tab.at("Row 100,000,000, n: 99999999")
    go = tab.node.get_by_label("Go to row")
    go.fill("50000000")
    go.press("Enter")
    tab.at("Row 50,000,000, n: 49999999")
    # Rows that nobody looks at any more are not asked for: dragging the thumb from end to end is few requests.
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url) if "/rows?" in request.url else None)
    box = tab.node.locator(".lm-DataGrid-scrollBar .lm-ScrollBar-thumb:visible").first.bounding_box()
    assert box
    mouse = desk.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"], 200, steps=50)
    mouse.move(box["x"], 600, steps=50)
    mouse.up()
    tab.press("ArrowDown")
    tab.at("Row 50,000,001, n: 50000000")
    assert len(asked) < 60, "of 100 places at which the thumb was"
    snap(desk, "long")
    panel = tab.menu(0)
    expect(panel).to_contain_text("From a sample of")
    # A sorted view scrolls to its end, too.
    panel.get_by_role("button", name="Descending").click()
    tab.press("Escape", "Control+End")
    tab.at("Row 100,000,000, n: 0")
    expect(tab.shape).to_have_text("100,000,000 rows")
    go.fill("50000000")
    go.press("Enter")
    tab.at("Row 50,000,000, n: 50000000")


MEASURED = """
import numpy as np
shm.share(pa.table({
    "year": pa.array(range(2000, 2050)),
    "code": pa.array(range(1_000_000, 1_000_050)),
    "third": pa.array([i / 3 for i in range(50)]),
    "tiny": pa.array([1.5 * 10.0 ** -(i % 9) for i in range(50)]),
    "share": pa.array([i / 50 for i in range(50)]),
    "day": pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(i) for i in range(50)], pa.timestamp("us")),
    "nothing": pa.nulls(50),
}), "measured")
"""


def test_numbers_and_types_for_people(desk: Desk, sharer: Peer, snap: Snap) -> None:
    sharer.run(MEASURED)
    desk.lab()
    tab = Tab(desk, "measured")
    # The whole value is told where there is room for it, and is what is copied.
    tab.press("ArrowRight", "ArrowRight", "ArrowDown")
    tab.at("Row 2, third: 0.3333333333333333")
    tab.press("Enter")
    expect(tab.panel.locator("pre")).to_have_text("0.3333333333333333")
    tab.press("Escape")
    snap(desk, "numbers")
    panel = tab.menu(4)
    expect(panel).to_contain_text("sharefloat")
    expect(panel).to_contain_text("Arrow typedouble")
    panel.get_by_role("combobox", name="Numbers").select_option(label="Percent")
    tab.press("Escape")
    snap(desk, "numbers-percent")
    # It is kept with the tab.
    desk.saved('"numbers":{"share":"percent"}')
    expect(tab.menu(4).get_by_role("combobox", name="Numbers")).to_have_value("percent")
    tab.press("Escape")
    expect(tab.menu(6)).to_contain_text("nothingempty")
    tab.press("Escape")
    tab.grid.hover(position={"x": 100, "y": 15})
    expect(tab.grid).to_have_attribute("title", re.compile(": int64$"))


def test_a_column_is_found_by_its_name(desk: Desk, sharer: Peer, snap: Snap) -> None:
    sharer.run(
        "shm.share(pa.table({f'{n}_{i:03d}': [i, None] for i in range(100) for n in ('dep', 'delay', 'fare')}), 'w')"
    )
    desk.lab()
    tab = Tab(desk, "w")
    tab.at("Row 1, dep_000: 0")
    tab.press("ArrowDown")
    tab.at("Row 2, dep_000: null")
    find = tab.node.get_by_role("button", name="Columns")
    find.click()
    box = tab.panel.get_by_role("combobox", name="Find a column")
    options = tab.panel.get_by_role("option")
    expect(box).to_be_focused()
    expect(options).to_have_count(200)
    expect(tab.panel).to_contain_text("100 more match.")
    expect(options.first).to_contain_text("integer, 50% null")
    # Letters in between are left out; the row stays.
    box.fill("fr09")
    expect(options.first).to_contain_text("fare_090")
    box.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    desk.check(".jp-ArrowSHM-previewTab")
    snap(desk, "find-column")
    desk.theme("JupyterLab Dark")
    desk.page.set_viewport_size({"width": 700, "height": 760})
    snap(desk, "find-column-dark-700")
    box.press("Enter")
    tab.at("Row 2, fare_091: null")
    expect(tab.grid).to_be_focused()
    # By the mouse, too; Escape changes nothing.
    find.click()
    box.fill("delay_07")
    options.filter(has_text="delay_070").click()
    tab.at("Row 2, delay_070: null")
    find.click()
    tab.press("Escape")
    expect(find).to_be_focused()
    expect(tab.panel).to_have_count(0)


def test_columns_are_hidden_and_moved(desk: Desk, sharer: Peer, snap: Snap) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    # By keyboard, in a column's panel.
    tab.menu(0).get_by_role("button", name="Hide").press("Enter")
    expect(tab.status).to_contain_text("6 of 7 columns")
    tab.press("Control+Home")
    tab.at("Row 1, city: Bern")
    tab.menu(1).get_by_role("button", name="◀ Move").press("Enter")
    tab.press("Control+Home", "ArrowDown")
    tab.at("Row 2, fare: 0.25")
    # In the list of all.
    columns = tab.node.get_by_role("button", name="Columns")
    columns.click()
    expect(tab.panel.get_by_role("option")).to_have_count(6)
    tab.panel.get_by_role("button", name="Show, hide, order").click()
    chooser = tab.node.get_by_role("dialog", name="Show, hide and order columns")
    boxes = chooser.get_by_role("listitem")
    expect(boxes).to_have_count(7)
    expect(boxes.first.get_by_role("checkbox")).not_to_be_checked()
    boxes.nth(6).get_by_role("checkbox").uncheck()
    expect(tab.status).to_contain_text("5 of 7 columns")
    boxes.nth(5).drag_to(boxes.nth(1))
    expect(boxes.nth(1)).to_contain_text("raw")
    desk.check(".jp-ArrowSHM-previewTab")
    snap(desk, "choose-columns")
    desk.theme("JupyterLab Dark")
    desk.page.set_viewport_size({"width": 700, "height": 760})
    snap(desk, "choose-columns-dark-700")
    desk.page.set_viewport_size({"width": 1100, "height": 760})
    tab.press("Escape")
    expect(columns).to_be_focused()
    # By the mouse: the first header is dragged onto the second one.
    box = tab.grid.bounding_box()
    assert box
    mouse = desk.page.mouse
    mouse.move(box["x"] + 80, box["y"] + 15)
    mouse.down()
    mouse.move(box["x"] + 180, box["y"] + 15, steps=4)
    mouse.up()
    tab.grid.focus()
    tab.press("Control+Home")
    tab.at("Row 1, fare: null")
    # Copies and code are of what is shown; sorting and filters know the columns.
    tab.press("Shift+ArrowRight", "Control+c")
    expect(desk.page.get_by_text("Copied 1 row x 2 columns")).to_be_visible()
    assert tab.copied() == "fare\traw\n\t00"
    tab.node.get_by_role("button", name="Copy as code").click()
    tab.node.get_by_role("menuitem", name="pandas").click()
    desk.page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('shm'))")
    assert 'trips = trips[["fare", "raw", "city", "since", "tags"]]' in tab.copied()
    tab.click_header(x=60)
    expect(tab.chips).to_have_text(["fare ▲"])
    # They are kept with the tab.
    desk.saved('"descending":false')
    desk.page.reload()
    desk.wait()
    expect(tab.status).to_contain_text("5 of 7 columns")
    tab.grid.focus()
    tab.press("Control+Home")
    tab.at("Row 1, fare: 0.0")


def test_looks(desk: Desk, sharer: Peer, snap: Snap) -> None:
    desk.lab()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    tab.click_header()
    panel = tab.menu(2)
    panel.get_by_label("From").fill("3")
    panel.get_by_label("From").press("Enter")
    expect(tab.shape).to_contain_text("of 3,000 rows")
    for theme in ("Light", "Dark", "Dark High Contrast"):
        desk.theme(f"JupyterLab {theme}")
        kind = theme.lower().replace(" ", "-")
        desk.row("trips").hover()
        desk.check(".jp-ArrowSHM-previewTab", "#jp-arrowshm-tables")
        for width in (1920, 1100, 700):
            desk.page.set_viewport_size({"width": width, "height": 760})
            expect(tab.grid).to_be_visible()
            snap(desk, f"preview-{kind}-{width}")
        tab.menu(1)
        desk.check(".jp-ArrowSHM-previewTab")
        snap(desk, f"preview-{kind}-column")
        tab.press("Escape")


def test_notebook_7(desk: Desk, sharer: Peer, server: Server, snap: Snap) -> None:
    server.write("load.ipynb", "1 + 1")
    desk.open("notebooks/load.ipynb")
    desk.show()
    expect(desk.row("trips")).to_be_visible()
    tab = Tab(desk, "trips")
    tab.at("Row 1, id: 0")
    snap(desk, "notebook-7-preview")
