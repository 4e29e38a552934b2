"""A quick look at a view: groups and charts; and SQL over shared tables, whose result is shared."""

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
    "id": pa.array(range(6000), pa.int64()),
    "city": pa.array([cities[i % 4] for i in range(6000)]),
    "fare": pa.array([i % 97 / 4 for i in range(6000)]),
    "hour": pa.array([i // 300 for i in range(6000)]),
}), "trips", replace=True)
shm.share(pa.table({"city": ["Bern", "Basel"], "river": ["Aare", "Rhine"]}), "rivers", replace=True)
"""
INK = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
  return painted / (canvas.width * canvas.height);
}"""


@pytest.fixture(scope="module")
def sharer(server: Server) -> Iterator[Peer]:
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    yield peer
    peer.quit()


@pytest.fixture
def node(desk: Desk, sharer: Peer) -> Locator:
    """The preview of trips."""
    sharer.run(SHARE)
    desk.lab()
    desk.command("arrowshm:open", name="trips")
    node = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
    node.locator(".lm-DataGrid-viewport").focus()
    expect(node.locator(".jp-ArrowSHM-status")).to_contain_text("Row 1, id: 0")
    return node


def test_a_quick_look(desk: Desk, node: Locator, snap: Snap) -> None:
    # By keyboard alone.
    node.get_by_role("button", name="Quick look").press("Enter")
    look = node.get_by_role("dialog", name="Quick look")
    rows = look.get_by_role("row")
    expect(look.get_by_label("Chart", exact=True)).to_be_focused()
    expect(look.get_by_label("Group by", exact=True)).to_have_value("1")
    expect(rows).to_have_text(["Basel1,500", "Bern1,500", "Zürich1,500", "null1,500"])
    look.get_by_label("Show", exact=True).select_option("mean")
    look.get_by_label("Of column", exact=True).select_option(label="id")
    expect(rows).to_have_text(["Zürich3,001", "null3,000", "Basel2,999", "Bern2,998"])
    expect(look.get_by_role("status")).to_have_text("4 groups")
    assert look.locator("canvas").evaluate(INK) > 0.3
    desk.check(".jp-ArrowSHM-previewTab:not(.lm-mod-hidden)")
    snap(desk, "quick-groups")
    look.get_by_label("Group by", exact=True).select_option(label="hour")
    expect(look.get_by_role("status")).to_have_text("20 groups")
    expect(rows.first).to_have_text("0149.5")

    look.get_by_label("Chart", exact=True).select_option("dots")
    look.get_by_label("Up", exact=True).select_option(label="fare")
    expect(look.get_by_role("status")).to_have_text("5,000 points, of 5,000 of 6,000 rows")
    assert look.get_by_role("img", name="fare by id").evaluate(INK) > 0.05
    look.get_by_label("Chart", exact=True).select_option("line")
    expect(look.get_by_role("img", name="fare by id")).to_be_visible()
    snap(desk, "quick-line")
    # It looks at the view, not at the table.
    look.press("Escape")
    expect(look).to_have_count(0)
    expect(node.locator(".lm-DataGrid-viewport")).to_be_focused()
    desk.page.keyboard.press("Alt+ArrowDown")
    node.get_by_role("dialog").get_by_label("To", exact=True).fill("9")
    desk.page.keyboard.press("Enter")
    expect(node.locator(".jp-ArrowSHM-shape")).to_have_text("10 of 6,000 rows")
    node.get_by_role("button", name="Quick look").click()
    expect(rows).to_have_text(["Basel3", "Bern3", "Zürich2", "null2"])


def test_sql_over_shared_tables(desk: Desk, node: Locator, snap: Snap) -> None:
    node.get_by_role("button", name="SQL").click()
    tab = desk.page.locator(".jp-ArrowSHM-sqlTab:visible")
    box = tab.get_by_label("SQL")
    expect(box).to_be_focused()
    expect(box).to_have_value('FROM "trips"')
    box.press("Control+Enter")
    expect(tab.get_by_role("status")).to_have_text("More than 1,000 rows, the first 200 are shown")
    box.fill(
        "FROM trips JOIN rivers USING (city) SELECT river, count(*) AS trips, max(fare) AS most GROUP BY ALL ORDER BY 1"
    )
    box.press("Control+Enter")
    expect(tab.get_by_role("status")).to_have_text("2 rows")
    expect(tab.get_by_role("row")).to_have_text(["rivertripsmost", "Aare150024.0", "Rhine150024.0"])
    desk.check(".jp-ArrowSHM-sqlTab:not(.lm-mod-hidden)")
    snap(desk, "sql")
    # A fault is said, and the last result stays.
    box.fill("SELECT * FROM read_csv('/etc/passwd')")
    box.press("Control+Enter")
    expect(tab.get_by_role("alert")).to_contain_text("reads shared tables alone, and no files")
    expect(tab.get_by_role("row")).to_have_count(3)
    # What is shared is what was asked for last with success; it opens.
    tab.get_by_label("Name").fill("by-river")
    tab.get_by_role("button", name="Share the result").click()
    shared = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
    expect(shared.locator(".jp-ArrowSHM-shape")).to_have_text("2 rows")
    expect(desk.row("by-river")).to_contain_text("2 rows x 3 columns")
    assert all("(InvalidQuery)" in error for error in desk.errors), desk.errors
    desk.errors.clear()
