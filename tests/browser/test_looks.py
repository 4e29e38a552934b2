"""Every state that the panel can show, from a made-up list: for assertions, and for pictures to look at."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from browser.lab import Desk, Server
from playwright.sync_api import Locator, Route, expect

from jupyter_arrowshm import __version__

Snap = Callable[[Desk, str], None]
LIST = re.compile(r"/arrowshm/tables(\?|$)")
NOW = dt.datetime.now(dt.timezone.utc)


def process(label: str, pid: int | None = 100, path: str = "", **more: object) -> dict[str, Any]:
    kernel = {"kernel_id": "k", "notebook_path": path} if path else {"kernel_id": ""}
    return {"label": label, "pid": pid, "language": "python", "notebook": "", **kernel, **more}


def table(name: str, **facts: object) -> dict[str, Any]:
    usual = {
        "name": name,
        "num_rows": 336_776,
        "num_columns": 19,
        "num_batches": 1,
        "nbytes": 42_300_000,
        "published_at": (NOW - dt.timedelta(minutes=3, seconds=5)).isoformat(),
        "publisher": process("load.ipynb (python)", 1, "load.ipynb", alive=True),
        "holders": [process("load.ipynb (python)", 1, "load.ipynb")],
        "countable": True,
        "pinned": False,
        "schema": [{"name": "carrier", "type": "string", "nullable": True}],
        "source": "pandas",
        "older": [],
        "version": name,
        "origin": "",
        "removed_at": None,
    }
    return {**usual, **facts}


TABLES = [
    table(
        "flights",
        older=[{"nbytes": 38_000_000, "holders": [process("report.ipynb (julia)", 5, "reports/report.ipynb")]}],
        holders=[
            process("load.ipynb (python)", 1, "load.ipynb"),
            process("model with a rather long name.ipynb (python)", 2, "a/model with a rather long name.ipynb"),
            process("etl.py", 3),
            process("unknown process", None),
        ],
    ),
    table("airports", pinned=True, num_rows=1, num_columns=1, nbytes=980),
    table(
        "a-very-long-name-of-a-table-that-does-not-fit-anywhere-2013-2014-2015",
        num_rows=1_234_567_890,
        num_columns=1_200,
        nbytes=6_400_000_000,
    ),
    table(
        "weather",
        holders=[],
        publisher=process("etl.py", 77, alive=False),
        removed_at=(NOW + dt.timedelta(hours=23, minutes=30)).isoformat(),
    ),
    table(
        "zones",
        countable=False,
        published_at=NOW.isoformat(),
        schema=[{"name": "since", "type": "timestamp[us]", "nullable": True}],
    ),
]


def listing(tables: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    return {
        "tables": tables,  # and no "removed", as an older release answers
        "free": 12_000_000_000,
        "total": 25_300_000_000,
        "version": __version__,
        "protocol": 1,
        **more,
    }


def serve(desk: Desk, body: dict[str, Any], status: int = 200) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=status, body=json.dumps(body), headers={"Content-Type": "application/json"})

    desk.page.unroute_all()
    desk.page.route(LIST, answer)


def widen(desk: Desk, width: int) -> None:
    """Drag the edge of the panel, as a user does."""
    box = desk.page.locator("#jp-left-stack").bounding_box()
    assert box
    x, y = box["x"] + box["width"] + 1, box["y"] + 300
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + width, y, steps=4)
    desk.page.mouse.up()


def test_every_state_of_a_table(desk: Desk, snap: Snap) -> None:
    serve(desk, listing(TABLES))
    desk.lab()
    expect(desk.row("flights")).to_contain_text("336,776 rows x 19 columns")
    expect(desk.row("flights")).to_contain_text("1 older version, 38.0 MB")
    expect(desk.row("airports")).to_contain_text("1 row x 1 column")
    expect(desk.row("airports")).to_contain_text("980 bytes")
    expect(desk.row("weather")).to_contain_text("program ended")
    expect(desk.row("weather")).to_contain_text("unused, removed in 23 hours")
    expect(desk.row("zones")).to_contain_text("in use")
    desk.row("flights").locator(".jp-ArrowSHM-row").click()
    expect(desk.row("flights")).to_contain_text("Older version (38.0 MB), still in use by")
    expect(desk.panel).to_contain_text("1 table unused, 42.3 MB")
    desk.row("weather").locator(".jp-ArrowSHM-row").click()
    expect(desk.row("weather")).to_contain_text("by etl.py (ended)")
    expect(desk.row("weather")).to_contain_text("It will be removed in 23 hours.")
    # JupyterLab lets nobody drag it below 250 pixels.
    for width in (250, 320, 560, 200):
        if width < 250:
            desk.panel.evaluate(
                "(panel, width) => { panel.style.cssText += `width: ${width}px; min-width: 0`; }", width
            )
        else:
            widen(desk, width)
        desk.row("airports").hover()
        sideways = desk.panel.evaluate(
            "panel => [...panel.querySelectorAll('ul, .jp-ArrowSHM-row, .jp-ArrowSHM-content')]"
            ".filter(one => one.scrollWidth > one.clientWidth).map(one => one.className)"
        )
        assert not sideways, "nothing may be wider than the panel"
        for theme in ("Light", "Dark", "Dark High Contrast"):
            desk.theme(f"JupyterLab {theme}")
            snap(desk, f"{theme.lower().replace(' ', '-')}-{width}")


def test_the_filter_and_the_order(desk: Desk) -> None:
    serve(desk, listing(TABLES))
    desk.lab()
    box = desk.panel.get_by_role("searchbox")
    rows = desk.panel.locator("[data-table]")
    expect(rows).to_have_count(len(TABLES))
    for words, found in {"weat": 1, "MODEL long": 1, "carrier": len(TABLES) - 1, "timestamp": 1, "reports/": 1}.items():
        box.fill(words)
        expect(rows).to_have_count(found)
    box.fill("nothing like it")
    expect(desk.panel).to_contain_text("No table matches")
    box.press("Escape")
    expect(rows).to_have_count(len(TABLES))
    order = desk.panel.get_by_role("combobox")
    for by, first in {"Size": "a-very-long-name", "Newest": "zones", "Users": "flights", "Name": "a-very"}.items():
        order.select_option(label=by)
        expect(rows.first).to_contain_text(first)
    box.fill("o")
    order.select_option(label="Users")
    desk.row("flights").locator(".jp-ArrowSHM-row").click()
    desk.saved('"open":["flights"]')
    desk.page.reload()
    desk.wait()
    expect(box).to_have_value("o")
    expect(rows.first).to_contain_text("flights")
    expect(desk.row("flights").locator(".jp-ArrowSHM-details")).to_be_visible()


def many(count: int) -> list[dict[str, Any]]:
    """Tables in use and unused, pinned, of a program that has ended, with older versions, of all sizes."""
    ended = {"publisher": process("etl.py", 77, alive=False)}
    older = [{"nbytes": 1_000_000, "holders": [process("a.ipynb (python)", 5, "a.ipynb")]}]
    goes = (NOW + dt.timedelta(hours=23, minutes=30)).isoformat()
    return [
        table(
            f"table-{i:02d}" + ("-with-a-name-that-is-rather-long" if i % 8 == 5 else ""),
            nbytes=int(980 * 3.1**i) if i < 18 else 42_300_000 * i,
            **({"holders": [], "removed_at": goes} if i % 2 else {}),
            **(ended if i % 4 == 1 else {}),
            **({"older": older} if i % 6 == 2 else {}),
            pinned=i % 10 == 3,
        )
        for i in range(count)
    ]


def test_many_tables_have_a_line_each(desk: Desk, snap: Snap) -> None:
    desk.page.set_viewport_size({"width": 1400, "height": 900})
    serve(desk, listing(many(32)))
    desk.lab()
    rows = desk.panel.locator("[data-table]")
    expect(rows).to_have_count(32)
    bottom = desk.panel.locator(".jp-ArrowSHM-list").bounding_box()
    assert bottom
    seen = [box for row in rows.all() if (box := row.bounding_box()) and box["y"] < bottom["y"] + bottom["height"]]
    assert len(seen) >= 24, "one line each"
    # The words of the icons: by the pointer, and for those who do not see them.
    one = desk.row("table-01")
    expect(
        one.get_by_role("button", name=re.compile("table-01.*program ended.*unused, removed in 23 hours"))
    ).to_be_visible()
    expect(one.locator("[title*='Nobody uses it. It will be removed on']")).to_be_visible()
    expect(desk.row("table-00").get_by_role("button", name=re.compile("in use by 1"))).to_be_visible()
    rights = {
        round(box["x"] + box["width"])
        for at in desk.panel.locator(".jp-ArrowSHM-sizeColumn").all()
        if (box := at.bounding_box())
    }
    assert len(rights) == 1, "sizes are aligned"
    # The keyboard goes from row to row, and opens one.
    desk.row("table-00").locator(".jp-ArrowSHM-row").focus()
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("ArrowRight")
    expect(one.locator(".jp-ArrowSHM-details")).to_contain_text("336,776 rows x 19 columns")
    expect(one.locator(".jp-ArrowSHM-details")).to_contain_text("etl.py (ended)")
    desk.page.keyboard.press("ArrowLeft")
    for width in (250, 320, 620):
        widen(desk, width)
        for theme in ("Light", "Dark"):
            desk.theme(f"JupyterLab {theme}")
            desk.row("table-05-with-a-name-that-is-rather-long").hover()
            snap(desk, f"many-{theme.lower()}-{width}")
    desk.check("#jp-arrowshm-tables")


def test_groups_and_density(desk: Desk, snap: Snap) -> None:
    serve(desk, listing(many(14)))
    desk.lab()
    view = desk.panel.get_by_role("button", name="View")
    view.click()
    snap(desk, "view-menu")
    desk.check("#jp-arrowshm-tables")
    desk.page.get_by_role("menuitemradio", name="In use or unused").click()
    heads = desk.panel.locator(".jp-ArrowSHM-groupTitle")
    expect(heads).to_have_text([re.compile("^In use7 tables, "), re.compile("^Unused7 tables, ")])
    expect(desk.panel.get_by_role("list", name="Unused").locator("[data-table]")).to_have_count(7)
    # Up and Down go on from one group to the next.
    desk.row("table-12").locator(".jp-ArrowSHM-row").focus()
    desk.page.keyboard.press("ArrowDown")
    expect(desk.row("table-01").locator(".jp-ArrowSHM-row")).to_be_focused()
    snap(desk, "groups-use")
    view.focus()
    desk.page.keyboard.press("ArrowDown")
    for _ in range(5):
        desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.row("table-01")).to_contain_text("program ended")
    expect(desk.row("table-01").get_by_role("button", name="Keep table-01")).to_be_visible()
    desk.saved('"density":"roomy"')
    desk.page.reload()
    desk.wait()
    expect(heads).to_have_count(2)
    view.click()
    desk.page.get_by_role("menuitemradio", name="By notebook or program").click()
    expect(heads).to_have_text([re.compile("^etl.py"), re.compile("^load.ipynb")])
    snap(desk, "groups-publisher")


def test_the_pointer_leaves_the_name_as_it_is(desk: Desk, open_desk: Callable[..., Desk], server: Server) -> None:
    def width(row: Locator) -> float:
        box = row.locator(".jp-ArrowSHM-name").bounding_box()
        assert box
        return box["width"]

    serve(desk, listing(TABLES))
    desk.lab()
    for row in (desk.row(TABLES[2]["name"]), desk.row("airports")):
        before = width(row)
        row.hover()
        expect(row.locator(".jp-ArrowSHM-tools")).to_be_visible()
        assert width(row) == before
    # On a screen that is touched, what was touched last counts as hovered for ever.
    touched = open_desk(server, has_touch=True, is_mobile=True)
    serve(touched, listing(TABLES))
    touched.lab()
    row = touched.row(TABLES[2]["name"])
    before = width(row)
    row.locator(".jp-ArrowSHM-name").tap()
    expect(row.locator(".jp-ArrowSHM-details")).to_be_visible()
    assert width(row) == before
    expect(touched.row("airports").locator(".jp-ArrowSHM-tools")).to_be_visible()


def test_another_release_of_the_server_is_told(desk: Desk, snap: Snap) -> None:
    serve(desk, listing(TABLES, version="0.0.9"))
    desk.lab()
    expect(desk.panel.get_by_role("alert")).to_contain_text(
        f"The server has jupyter-arrowshm 0.0.9, but this page has {__version__}"
    )
    expect(desk.row("flights")).to_be_visible()
    snap(desk, "other-release")
    serve(desk, listing(TABLES, protocol=2))
    desk.page.reload()
    desk.wait()
    desk.show()
    expect(desk.panel.get_by_role("button", name="Try again")).to_be_visible()
    expect(desk.row("flights")).to_have_count(0)


def test_a_server_that_cannot_remove_unused_tables_says_so(desk: Desk, snap: Snap) -> None:
    serve(desk, listing(TABLES, problem="[Errno 13] Permission denied: '/dev/shm/somewhere'"))
    desk.lab()
    told = desk.panel.get_by_role("status").filter(has_text="Unused tables are not being removed.")
    expect(told).to_contain_text("Permission denied")
    expect(desk.row("flights")).to_be_visible()
    snap(desk, "monitor-problem")
    serve(desk, listing(TABLES))
    desk.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(told).to_have_count(0)


def test_the_bar_tells_whose_limit_it_is(desk: Desk, snap: Snap) -> None:
    bar = desk.panel.get_by_role("meter")
    for limit, text in {
        "file system": "12.0 GB of 25.3 GB free",
        "memory": "12.0 GB of 25.3 GB of memory free",
        "container": "12.0 GB of 25.3 GB of this container free",
    }.items():
        serve(desk, listing(TABLES, used=13_300_000_000, limited_by=limit))
        desk.lab()
        expect(desk.panel).to_contain_text(text)
        expect(bar).to_have_attribute("aria-valuenow", "53")
        expect(bar).to_have_attribute("title", "Tables: 6.6 GB. Other programs: 6.7 GB.")
    snap(desk, "limit")


def test_a_server_that_does_not_answer_and_comes_back(desk: Desk) -> None:
    serve(desk, listing(TABLES))
    desk.lab()
    expect(desk.row("flights")).to_be_visible()
    desk.page.route(LIST, lambda route: route.abort())
    desk.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(desk.panel.get_by_role("alert")).to_contain_text("No connection")
    expect(desk.row("flights")).to_be_visible()
    serve(desk, listing(TABLES[1:]))
    expect(desk.row("flights")).to_have_count(0)
    expect(desk.panel.get_by_role("alert")).to_have_count(0)
    # The browser itself reports the request that was refused.
    assert all("net::ERR_FAILED" in error for error in desk.errors), desk.errors
    desk.errors.clear()
