"""The widgets in a notebook's output, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.lab import Desk, Server
from peers import Peer
from playwright.sync_api import Locator, expect

Snap = Callable[[Desk, str], None]
LIST = "from jupyter_arrowshm import SharedTables, TablePreview\nshown = SharedTables()\nshown"
SHARE = """
cities = ["Bern", "Basel", None, "Zürich"]
def trips(n):
    return pa.table({
        "id": pa.array(range(n), pa.int64()),
        "city": pa.array([cities[i % 4] for i in range(n)]),
        "fare": pa.array([None if i % 10 == 0 else i % 97 / 4 for i in range(n)]),
    })
shm.share(trips(3000), "trips")
"""
# What the page around the widget looks like, with the widget's style and without it; and the style's selectors.
HOST = """() => {
  const ours = [...document.querySelectorAll('style')].filter(one => one.textContent.includes('jp-ArrowSHM-widget'));
  const selectors = rule => [
    ...(rule.selectorText ? rule.selectorText.split(',') : []),
    ...[...(rule.cssRules ?? [])].flatMap(selectors)
  ];
  const found = ours.flatMap(one => [...one.sheet.cssRules].flatMap(selectors)).map(text => text.trim());
  const kinds = new Map();
  for (const node of document.querySelectorAll('html, body, body *')) {
    if (!node.closest('.jp-ArrowSHM-widget')) kinds.set(`${node.tagName} ${node.getAttribute('class')}`, node);
  }
  const look = () => [...kinds].map(([kind, node]) => {
    const style = getComputedStyle(node);
    // The output, and so all around it, has another size without the style.
    const names = [...style].filter(name => !/size|width|height|origin|inset|top|bottom|left|right/.test(name));
    return `${kind}: ${names.map(name => style.getPropertyValue(name)).join(';')}`;
  });
  const before = look();
  for (const one of ours) one.disabled = true;
  const after = look();
  for (const one of ours) one.disabled = false;
  return { found, kinds: kinds.size, changed: before.filter((text, i) => text !== after[i]) };
}"""


@pytest.fixture
def sharer(server: Server) -> Iterator[Peer]:
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    peer.run(SHARE)
    yield peer
    peer.quit()


# Where the grid's canvas has nothing to show, it has the colour of the page around it.
PAINTED = """viewport => {
  const canvas = viewport.querySelector('canvas');
  const [x, y] = [viewport.clientWidth - 40, viewport.clientHeight - 40].map(place => place * devicePixelRatio);
  const painted = [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);
  const around = getComputedStyle(viewport.closest('.jp-ArrowSHM')).backgroundColor;
  return `rgb(${painted.join(', ')})` === around;
}"""


def check_host(desk: Desk) -> None:
    """Every rule is the widget's alone: the page around it looks the same."""
    seen = desk.page.evaluate(HOST)
    assert seen["kinds"] > 100 and len(seen["found"]) > 100
    assert [text for text in seen["found"] if not text.startswith(".jp-ArrowSHM-widget")] == []
    assert seen["changed"] == []


def value(desk: Desk, expression: str) -> str:
    """In the kernel of the notebook in front, beside its cells."""
    found: str = desk.page.evaluate(
        """async expression => {
          const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
          const future = kernel.requestExecute({
            code: '', silent: true, store_history: false, user_expressions: { value: expression }
          });
          return (await future.done).content.user_expressions.value.data['text/plain'];
        }""",
        expression,
    )
    return found


def until(desk: Desk, expression: str, expected: str) -> None:
    deadline = 100
    while (found := value(desk, expression)) != expected:
        deadline -= 1
        assert deadline, f"{expression} is {found}"
        desk.page.wait_for_timeout(200)


def widget(desk: Desk) -> Locator:
    return desk.notebook.locator(".jp-ArrowSHM-widget")


@pytest.fixture
def show(desk: Desk, server: Server) -> Callable[..., Locator]:
    """Open a notebook in JupyterLab, run its first cell, and give the widget that this shows."""

    def run(cell: str) -> Locator:
        server.write("show.ipynb", cell)
        desk.lab("show.ipynb")
        desk.run()
        expect(widget(desk)).to_be_visible()
        return widget(desk)

    return run


def test_a_list_of_many_tables_shows_many(desk: Desk, sharer: Peer, show: Callable[..., Locator], snap: Snap) -> None:
    sharer.run("for i in range(20): shm.share(pa.table({'a': range(i + 1)}), f'table-{i:02d}')")
    shown = show(LIST)
    rows = shown.locator("[data-table]")
    expect(rows).to_have_count(21)
    inside = shown.locator(".jp-ArrowSHM-list").bounding_box()
    assert inside
    boxes = [box for row in rows.all() if (box := row.bounding_box())]
    seen = [box for box in boxes if box["y"] + box["height"] <= inside["y"] + inside["height"] + 1]
    assert len(seen) >= 12, "%shared had room for three or four"
    snap(desk, "widget-many")


def test_the_list(desk: Desk, server: Server, sharer: Peer, show: Callable[..., Locator], snap: Snap) -> None:
    shown = show(LIST)
    trips = shown.locator('[data-table="trips"]')
    expect(trips).to_contain_text("3,000 rows x 3 columns")
    reader = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    reader.run("trips = shm.attach('trips')")
    expect(trips).to_contain_text("in use by 2")
    reader.kill()
    expect(trips).to_contain_text("in use by 1")

    sharer.run("shm.share(pa.table({'zone': [1, 2]}), 'zones')")
    zones = shown.locator('[data-table="zones"]')
    expect(zones).to_be_visible()
    shown.get_by_role("searchbox").fill("zon")
    expect(trips).to_have_count(0)
    until(desk, "shown.filter", "'zon'")
    value(desk, "setattr(shown, 'filter', ''), setattr(shown, 'sort', 'size')")
    expect(shown.locator(".jp-ArrowSHM-name")).to_have_text(["trips", "zones"])
    shown.get_by_label("Sort by").select_option("name")
    until(desk, "shown.sort", "'name'")
    zones.hover()
    zones.locator('[data-action="pin"]').click()
    expect(zones).to_contain_text("pinned")

    # Its rows, which are no use of the table.
    trips.locator(".jp-ArrowSHM-row").dblclick()
    until(desk, "shown.selected", "'trips'")
    expect(shown.locator(".jp-ArrowSHM-shape")).to_have_text("3,000 rows")
    grid = shown.locator(".lm-DataGrid-viewport")
    grid.focus()
    status = shown.locator(".jp-ArrowSHM-status")
    expect(status).to_contain_text("Row 1, id: 0")
    # Keys are the grid's: in a notebook, these would cut the cell, and leave a line.
    for key in ("x", "d", "d", "End", "ArrowDown"):
        desk.page.keyboard.press(key)
    expect(status).to_contain_text("Row 2, fare: 0.25")
    expect(desk.notebook.locator(".jp-CodeCell")).to_have_count(1)
    expect(trips).to_contain_text("in use by 1")
    snap(desk, "widget-list")
    check_host(desk)
    value(desk, "setattr(shown, 'selected', 'zones')")
    expect(shown.locator(".jp-ArrowSHM-shape")).to_have_text("2 rows")
    shown.get_by_role("button", name="Close zones").click()
    until(desk, "shown.selected", "None")
    trips.locator(".jp-ArrowSHM-row").dblclick()
    grid.focus()
    expect(status).to_contain_text("Row 1, id: 0")
    light = shown.locator(".jp-ArrowSHM").evaluate("node => getComputedStyle(node).backgroundColor")
    desk.theme("JupyterLab Dark")
    expect(desk.page.locator("#jupyterlab-splash")).to_have_count(0)
    assert light != shown.locator(".jp-ArrowSHM").evaluate("node => getComputedStyle(node).backgroundColor")
    desk.page.wait_for_function(PAINTED, arg=grid.element_handle())
    snap(desk, "widget-list-dark")


def test_what_was_loaded_from_a_file(desk: Desk, server: Server, sharer: Peer, show: Callable[..., Locator]) -> None:
    path = server.root / "zones.csv"
    path.write_text("zone\n1\n2\n")
    sharer.run(f"zones = shm.attach({str(path)!r})")
    shown = show(LIST)
    loaded = shown.get_by_role("list", name="Loaded").locator("[data-table]")
    expect(loaded).to_contain_text("2 rows x 1 column")
    # What the page keeps has no paths of this machine.
    expect(loaded).to_contain_text("loaded from zones.csv")
    expect(shown.get_by_role("list", name="Shared tables").locator("[data-table]")).to_have_count(1)
    loaded.locator(".jp-ArrowSHM-row").dblclick()
    expect(shown.locator(".jp-ArrowSHM-shape")).to_have_text("2 rows")


def test_shared(desk: Desk, sharer: Peer, show: Callable[..., Locator]) -> None:
    shown = show("%load_ext jupyter_arrowshm\n%shared")
    expect(shown.locator('[data-table="trips"]')).to_contain_text("in use by 1")
    sharer.run("shm.share(pa.table({'zone': [1, 2]}), 'zones')")
    expect(shown.locator('[data-table="zones"]')).to_be_visible()


PREVIEW = LIST.replace("shown = SharedTables()", "shown = TablePreview('trips', sort=[('id', 'descending')])")


def test_a_preview(desk: Desk, sharer: Peer, show: Callable[..., Locator], snap: Snap) -> None:
    shown = show(PREVIEW)
    chips, shape = shown.locator(".jp-ArrowSHM-chip"), shown.locator(".jp-ArrowSHM-shape")
    grid, status = shown.locator(".lm-DataGrid-viewport"), shown.locator(".jp-ArrowSHM-status")
    expect(chips).to_have_text(["id ▼"])
    grid.focus()
    expect(status).to_contain_text("Row 1, id: 2999")
    # From here to Python ...
    until(desk, "shown.selected", "[2999]")
    desk.page.keyboard.press("Shift+ArrowDown")
    until(desk, "shown.selected", "[2999, 2998]")
    grid.click(position={"x": 100, "y": 15})
    expect(chips).to_have_count(0)
    until(desk, "shown.sort", "[]")
    grid.focus()
    for key in ("Control+Home", "ArrowRight", "Alt+ArrowDown"):
        desk.page.keyboard.press(key)
    panel = shown.get_by_role("dialog")
    panel.get_by_label("Bern").check()
    panel.get_by_role("button", name="Apply").click()
    expect(shape).to_have_text("750 of 3,000 rows")
    until(desk, "shown.filter", "{'city': {'values': ['Bern']}}")
    # ... and back.
    value(desk, "setattr(shown, 'filter', {'fare': {'min': 20}, 'city': {'missing': True}})")
    expect(chips).to_have_text(["fare ≥ 20", "city is null"])
    value(desk, "shown.set_trait('filter', {}), shown.set_trait('selected', [1500])")
    expect(status).to_contain_text("Row 1,501, id: 1500")
    assert value(desk, "shown.filter, shown.selected") == "({}, [1500])"
    value(desk, "setattr(shown, 'columns', ['fare', 'id'])")
    expect(status).to_contain_text("2 columns")
    sharer.run("shm.share(trips(40), 'trips')")
    expect(shape).to_have_text("40 rows")
    until(desk, "shown.selected", "[]")
    # The user did not wish for cells that come later, though the grid has the keyboard.
    value(desk, "setattr(shown, 'columns', ['fare'])")
    expect(status).to_contain_text("1 column")
    desk.page.wait_for_timeout(1000)
    assert value(desk, "shown.selected") == "[]"
    value(desk, "setattr(shown, 'columns', ['fare', 'id'])")
    expect(status).to_contain_text("2 columns")
    desk.page.keyboard.press("Control+Home")
    expect(status).to_contain_text("Row 1, fare: null")
    snap(desk, "widget-preview")

    # What Python has stays, and comes back with the page.
    value(desk, "setattr(shown, 'sort', 'fare')")
    expect(chips).to_have_text(["fare ▲"])
    desk.command("docmanager:save")
    desk.page.reload()
    desk.wait()
    expect(widget(desk).locator(".jp-ArrowSHM-chip")).to_have_text(["fare ▲"])
    expect(widget(desk).locator(".jp-ArrowSHM-shape")).to_have_text("40 rows")
    sharer.run("shm.unshare('trips')")
    expect(widget(desk)).to_contain_text("no longer shared")


def test_in_notebook_7(desk: Desk, server: Server, sharer: Peer, snap: Snap) -> None:
    server.write(
        "show.ipynb",
        "import ipywidgets\n" + LIST.removesuffix("\nshown"),
        "trips = TablePreview({'a': [3, 1, 2]})\nipywidgets.VBox([shown, trips])",
    )
    desk.open("notebooks/show.ipynb")
    expect(desk.notebook.locator(".jp-CodeCell").first).to_be_visible()
    desk.run()
    desk.command("notebook:run-all-cells")
    listed, preview = widget(desk).nth(0), widget(desk).nth(1)
    row = listed.locator('[data-table="trips"]')
    expect(row).to_contain_text("3,000 rows x 3 columns")
    reader = Peer(env={"JUPYTER_ARROWSHM_DIR": str(server.store)})
    reader.run("trips = shm.attach('trips')")
    expect(row).to_contain_text("in use by 2")
    reader.kill()
    expect(row).to_contain_text("in use by 1")
    value(desk, "setattr(shown, 'selected', 'trips')")
    expect(listed.locator(".jp-ArrowSHM-shape")).to_have_text("3,000 rows")

    preview.locator(".lm-DataGrid-viewport").click(position={"x": 60, "y": 15})
    until(desk, "trips.sort", "[('a', 'ascending')]")
    preview.locator(".lm-DataGrid-viewport").focus()
    expect(preview.locator(".jp-ArrowSHM-status")).to_contain_text("Row 1, a: 1")
    until(desk, "trips.selected", "[1]")
    snap(desk, "notebook-7-widget")
    check_host(desk)
