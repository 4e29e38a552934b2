"""Find a text in the cells of a preview: by keyboard and mouse, in sorted and filtered views, in a tab and a widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.lab import Desk, Server
from browser.test_widget import until, value
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
    expect(status).to_contain_text("Row 1, twin: Basel and BERN")
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
    """The search and the formats are traits: what is typed is there in Python, and what Python sets is shown."""
    server.write(
        "find.ipynb",
        "import jupyter_arrowshm as shm\nshown = shm.TablePreview('trips')\nshown",
    )
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
    until(desk, "shown.search", "'zürich'")
    value(desk, "setattr(shown, 'search', 'basel and')")
    expect(node.get_by_label("Find in the text columns")).to_have_value("basel and")
    expect(node.get_by_role("search").get_by_role("status")).to_have_text("1 of 3 rows")
    expect(node.locator(".jp-ArrowSHM-status")).to_contain_text("Row 1, twin: Basel and BERN")
    value(desk, "setattr(shown, 'search', '')")
    expect(node.get_by_role("search")).to_have_count(0)

    until(desk, "shown.version == shm.info('trips').version", "True")
    value(desk, "setattr(shown, 'formats', {'id': 2})")
    node.locator(".lm-DataGrid-viewport").focus()
    desk.page.keyboard.press("Control+Home")
    desk.page.keyboard.press("Alt+ArrowDown")
    numbers = node.get_by_role("dialog").get_by_label("Numbers")
    expect(numbers).to_have_value("2")
    numbers.select_option("percent")
    until(desk, "shown.formats", "{'id': 'percent'}")


def test_a_nested_cell_opens_as_a_tree(desk: Desk, sharer: Peer, snap: Snap) -> None:
    sharer.run(
        "stops = [[{'city': 'Bern', 'fares': [1.5, None]}, None], None]\n"
        "shm.share(pa.table({'id': [0, 1], 'stops': stops}), 'trips', replace=True)"
    )
    node = opened(desk)
    desk.page.keyboard.press("ArrowRight")
    desk.page.keyboard.press("Enter")
    panel = node.get_by_role("dialog")
    expect(panel).to_contain_text("list of 2 values")
    branch = panel.locator("summary")
    expect(branch).to_have_text("0 2 fields")
    expect(panel.get_by_text("Bern")).to_have_count(0)
    # By keyboard, level by level.
    branch.press("Enter")
    expect(panel.get_by_role("listitem").filter(has_text="city").last).to_have_text("city Bern")
    panel.locator("summary").nth(1).press("Space")
    expect(panel).to_contain_text("1.5")
    desk.check(".jp-ArrowSHM-previewTab:not(.lm-mod-hidden)")
    snap(desk, "tree")
    panel.get_by_role("button", name="Copy").press("Enter")
    desk.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    # A missing value has nothing inside.
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(panel.locator("pre")).to_have_text("null")
