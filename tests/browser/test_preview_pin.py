"""Pinned columns: they come first, stay in view, and can be used as the others."""

from __future__ import annotations

from collections.abc import Callable

from browser.lab import Desk, Server
from peers import Peer
from playwright.sync_api import expect

Snap = Callable[[Desk, str], None]
SHARE = """
columns = {f"c{i:02d}": pa.array(range(i, 2000 + i)) for i in range(60)}
shm.share(pa.table({**columns, "name": pa.array([f"row {i}" for i in range(2000)])}), "wide")
"""


def test_pinned_columns(desk: Desk, server: Server, snap: Snap) -> None:
    sharer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    try:
        sharer.run(SHARE)
        desk.lab()
        desk.command("arrowshm:open", name="wide")
        node = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
        grid, status = (
            node.locator(".jp-ArrowSHM-grid > .lm-DataGrid .lm-DataGrid-viewport"),
            node.locator(".jp-ArrowSHM-status"),
        )
        frozen, panel = node.locator(".jp-ArrowSHM-frozen"), node.get_by_role("dialog")
        grid.focus()
        expect(status).to_contain_text("Row 1, c00: 0")
        expect(frozen).to_be_hidden()
        # The last column, by keyboard.
        desk.page.keyboard.press("End")
        expect(status).to_contain_text("Row 1, name: row 0")
        desk.page.keyboard.press("Alt+ArrowDown")
        panel.get_by_role("button", name="Pin").press("Enter")
        expect(frozen).to_be_visible()
        grid.focus()
        expect(status).to_contain_text("Row 1, c")
        desk.page.keyboard.press("End")
        expect(status).to_contain_text("Row 1, c59: 59")
        # It is there though the others have scrolled away: with the mouse on it.
        box = frozen.bounding_box()
        assert box and 100 < box["width"] < 400
        desk.page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 88 + 24 * 3 + 12)
        expect(status).to_contain_text("Row 4, name: row 3")
        expect(grid).to_be_focused()
        # It scrolls with the rows.
        desk.page.mouse.move(box["x"] + 60, box["y"] + 200)
        desk.page.mouse.wheel(0, 24 * 100)
        desk.page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 88 + 24 * 3 + 12)
        expect(status).to_contain_text("Row 104, name: row 103")
        snap(desk, "pinned")
        # A cell is never below it.
        desk.page.keyboard.press("End")
        for _ in range(55):
            desk.page.keyboard.press("ArrowLeft")
        expect(status).to_contain_text("Row 104, c04: 107")
        snap(desk, "pinned-left")
        desk.check(".jp-ArrowSHM-previewTab:not(.lm-mod-hidden)")
        # The menu of a pinned column, from its header.
        desk.page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 15)
        expect(panel.get_by_role("heading")).to_have_text("name")
        expect(panel.get_by_role("button", name="Pin")).to_have_attribute("aria-pressed", "true")
        panel.get_by_role("button", name="Descending").click()
        desk.page.keyboard.press("Escape")
        expect(node.locator(".jp-ArrowSHM-chip")).to_have_text(["name ▼"])
        desk.saved('"pinned":[{"column":60')
        desk.page.reload()
        desk.wait()
        expect(frozen).to_be_visible()
    finally:
        sharer.quit()
