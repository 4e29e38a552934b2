"""Find a text in the cells of a preview: by keyboard and mouse, in sorted and filtered views, in a tab and a widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.lab import Desk, Server
from peers import Peer
from playwright.sync_api import Locator, expect

Snap = Callable[[Desk, str], None]
SHARE = """
cities = ["Bern", "Basel", None, "Zürich"]
shm.share(pa.table({
    "id": pa.array(range(3000), pa.int64()),
    "city": pa.array([cities[i % 4] for i in range(3000)]),
    "twin": pa.array(["Oslo" if i % 1000 else "Basel and BERN" for i in range(3000)]),
}), "trips")
"""


@pytest.fixture(scope="module")
def sharer(server: Server) -> Iterator[Peer]:
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    yield peer
    peer.quit()


@pytest.fixture
def shared(sharer: Peer) -> None:
    sharer.run(SHARE)


def opened(desk: Desk) -> Locator:
    desk.lab()
    desk.command("arrowshm:open", name="trips")
    node = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
    node.locator(".lm-DataGrid-viewport").focus()
    expect(node.locator(".jp-ArrowSHM-status")).to_contain_text("Row 1, id: 0")
    return node


def test_find_by_keyboard(desk: Desk, shared: None, snap: Snap) -> None:
    node = opened(desk)
    grid, status, bar = (
        node.locator(".lm-DataGrid-viewport"),
        node.locator(".jp-ArrowSHM-status"),
        node.get_by_role("search"),
    )
    said = bar.get_by_role("status")
    desk.page.keyboard.press("Control+f")
    box = bar.get_by_label("Find in the text columns")
    expect(box).to_be_focused()
    desk.page.keyboard.type("bern")
    expect(said).to_have_text("1 of 750 rows")
    expect(status).to_contain_text("Row 1, city: Bern")
    expect(box).to_be_focused()
    # From cell to cell, in the row and then in the next one that has the text.
    desk.page.keyboard.press("Enter")
    expect(status).to_contain_text("Row 1, twin: Basel and BERN")
    desk.page.keyboard.press("Enter")
    expect(status).to_contain_text("Row 5, city: Bern")
    expect(said).to_have_text("2 of 750 rows")
    desk.page.keyboard.press("Shift+Enter")
    desk.page.keyboard.press("Shift+Enter")
    expect(status).to_contain_text("Row 1, city: Bern")
    # Around the beginning to the last one.
    desk.page.keyboard.press("Shift+Enter")
    expect(status).to_contain_text("Row 2,997, city: Bern")
    expect(said).to_have_text("750 of 750 rows")
    snap(desk, "find")
    desk.check(".jp-ArrowSHM-previewTab:not(.lm-mod-hidden)")

    # What is typed is told from what has other capitals, if that is wanted.
    bar.get_by_role("button", name="Match case").click()
    expect(said).to_have_text("No row has it.")
    box.fill("BERN")
    expect(said).to_have_text("1 of 3 rows")
    expect(status).to_contain_text("Row 1, twin: Basel and BERN")
    box.press("Escape")
    expect(bar).to_have_count(0)
    expect(grid).to_be_focused()
    # In the grid, too, the keys go on with an open search.
    desk.page.keyboard.press("Control+f")
    desk.page.keyboard.type("BERN")
    expect(said).to_have_text("1 of 3 rows")
    grid.focus()
    desk.page.keyboard.press("F3")
    expect(status).to_contain_text("Row 1,001, twin: Basel and BERN")
    desk.page.keyboard.press("Shift+F3")
    expect(status).to_contain_text("Row 1, twin: Basel and BERN")


def test_find_in_a_sorted_and_filtered_view(desk: Desk, shared: None) -> None:
    node = opened(desk)
    status, grid = node.locator(".jp-ArrowSHM-status"), node.locator(".lm-DataGrid-viewport")
    for _ in range(2):
        grid.click(position={"x": 100, "y": 15})
    expect(node.locator(".jp-ArrowSHM-chip")).to_have_text(["id ▼"])
    expect(status).to_contain_text("Row 1, id: 2999")
    node.get_by_role("button", name="Find", exact=True).click()
    bar = node.get_by_role("search")
    said = bar.get_by_role("status")
    bar.get_by_label("Find in the text columns").fill("basel and")
    expect(said).to_have_text("1 of 3 rows")
    expect(status).to_contain_text("Row 1,000, twin: Basel and BERN")
    bar.get_by_role("button", name="Next match").click()
    expect(status).to_contain_text("Row 2,000, twin: Basel and BERN")
    bar.get_by_role("button", name="Previous match").click()
    bar.get_by_role("button", name="Previous match").click()
    expect(status).to_contain_text("Row 3,000, twin: Basel and BERN")
    # The view changes: the rows with the text are counted again.
    grid.focus()
    desk.page.keyboard.press("Home")
    desk.page.keyboard.press("Alt+ArrowDown")
    panel = node.get_by_role("dialog")
    panel.get_by_label("From").fill("1000")
    panel.get_by_label("From").press("Enter")
    expect(node.locator(".jp-ArrowSHM-shape")).to_have_text("2,000 of 3,000 rows")
    expect(said).to_have_text("2 rows")
    bar.get_by_role("button", name="Close the search").click()
    expect(grid).to_be_focused()


def test_find_in_a_widget(desk: Desk, server: Server, shared: None, snap: Snap) -> None:
    server.write("find.ipynb", "from jupyter_arrowshm import TablePreview\nshown = TablePreview('trips')\nshown")
    desk.lab("find.ipynb")
    desk.run()
    node = desk.notebook.locator(".jp-ArrowSHM-widget")
    node.locator(".lm-DataGrid-viewport").focus()
    expect(node.locator(".jp-ArrowSHM-status")).to_contain_text("Row 1, id: 0")
    desk.page.keyboard.press("Control+f")
    expect(node.get_by_label("Find in the text columns")).to_be_focused()
    desk.page.keyboard.type("zürich")
    expect(node.get_by_role("search").get_by_role("status")).to_have_text("1 of 750 rows")
    expect(node.locator(".jp-ArrowSHM-status")).to_contain_text("Row 4, city: Zürich")
    snap(desk, "find-widget")
