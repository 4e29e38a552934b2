"""A file of the file browser as a table: nothing is loaded, and nothing runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from browser.lab import Desk, Server
from browser.test_preview import Tab
from playwright.sync_api import expect

Snap = Callable[[Desk, str], None]


def write(path: Path, rows: int) -> None:
    """Another file takes the place, whole at once."""
    cities = ["Bern", None, "Basel", "Oslo"]
    table = pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "city": pa.array([cities[row % 4] for row in range(rows)]).dictionary_encode(),
            "fare": pa.array([row % 97 / 4 for row in range(rows)]),
        }
    )
    pq.write_table(table, path.with_suffix(".new"), row_group_size=1000)
    os.replace(path.with_suffix(".new"), path)


def preview(desk: Desk, name: str) -> Tab:
    desk.page.locator(".jp-DirListing-item", has_text=name).click(button="right")
    desk.page.get_by_role("menuitem", name="Preview as Table").click()
    return Tab(desk)


def test_a_file_is_shown_as_a_table_and_nothing_runs(desk: Desk, server: Server, snap: Snap) -> None:
    (server.root / "my data").mkdir(exist_ok=True)
    path = server.root / "my data" / "rides.parquet"
    write(path, 5000)
    (path.parent / "notes.txt").write_text("none")
    desk.lab()
    desk.command("filebrowser:activate")
    desk.command("filebrowser:go-to-path", path="my data")
    desk.page.locator(".jp-DirListing-item", has_text="notes.txt").click(button="right")
    expect(desk.page.get_by_role("menuitem", name="Copy Path")).to_be_visible()
    expect(desk.page.get_by_role("menuitem", name="Preview as Table")).to_have_count(0)
    desk.page.keyboard.press("Escape")

    tab = preview(desk, "rides.parquet")
    expect(tab.shape).to_have_text("5,000 rows")
    tab.at("Row 1, id: 0")
    tab.press("ArrowRight")
    tab.at("Row 1, city: Bern")
    tab.wait_for_charts()
    tab.click_header()
    tab.click_header()
    expect(tab.chips).to_have_text(["id ▼"])
    tab.press("Home", "Control+Home")
    tab.at("Row 1, id: 4999")
    for theme in ("Light", "Dark"):
        desk.theme(f"JupyterLab {theme}")
        snap(desk, f"file-{theme.lower()}")
    desk.check(".jp-ArrowSHM-previewTab")
    # SQL is for what is shared, and code attaches the file.
    expect(tab.node.get_by_role("button", name="SQL")).to_have_count(0)
    tab.node.get_by_role("button", name="Copy as code").click()
    desk.page.get_by_role("menuitem", name="pyarrow").click()
    assert 'rides = shm.attach("./my data/rides.parquet")' in tab.copied()
    # Nothing has tables, and nothing has run.
    assert not server.tables() and server.request("GET", "api/kernels") == []
    assert not list((server.store / ".loaded").glob("*.arrow"))

    write(path, 200)
    expect(tab.shape).to_have_text("200 rows")
    # The same file has one tab, also after a reload.
    preview(desk, "rides.parquet")
    expect(desk.page.locator(".jp-ArrowSHM-previewTab")).to_have_count(1)
    desk.saved("my data/rides.parquet")
    desk.page.reload()
    desk.wait()
    tab = Tab(desk)
    expect(tab.shape).to_have_text("200 rows")
    expect(tab.chips).to_have_text(["id ▼"])
    path.unlink()
    expect(tab.node.get_by_role("alert")).to_contain_text("There is no such file any more.")
    assert all("404 (FileNotFound)" in error for error in desk.errors), desk.errors
    desk.errors.clear()


def test_what_is_cut_and_what_is_no_table_are_said(desk: Desk, server: Server, snap: Snap) -> None:
    line = "1,Bern,2.5\n"
    (server.root / "long.csv").write_text("id,city,fare\n" + line * ((17 << 20) // len(line)))
    (server.root / "text.parquet").write_text("hello, this is text")
    desk.lab()
    desk.command("filebrowser:activate")
    desk.command("filebrowser:go-to-path", path="/")
    tab = preview(desk, "long.csv")
    rows = ((16 << 20) - len("id,city,fare\n")) // len(line)
    expect(tab.shape).to_have_text(f"the first {rows:,} rows of the file")
    snap(desk, "file-first-rows")
    tab = preview(desk, "text.parquet")
    expect(tab.node.get_by_role("alert")).to_contain_text(
        "text.parquet cannot be loaded: it is damaged, or another kind"
    )
    snap(desk, "file-no-table")
    write(server.root / "text.parquet", 10)
    expect(tab.shape).to_have_text("10 rows")
    expect(tab.node.get_by_role("alert")).to_have_count(0)
    assert all("422 (LoadFailed)" in error for error in desk.errors), desk.errors
    desk.errors.clear()
