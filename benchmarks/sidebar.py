"""The cost of the sidebar, in a real browser without a GPU:

    bundle          sizes of the JavaScript, as it is and compressed; a page loads the parts as it needs them
    first rows      from the command that opens a table to its first rows, by the number of rows
    jump            to a random row: until its cells are there
    window          one request for a window of rows, as the browser sees it
    frame           from frame to frame while the mouse wheel turns (1920 x 1000)

and, in a table of numbers, categories and texts, from a key or a click until what was asked for can be read (the
median, and the 95th percentile):

    sort            a column that nobody has sorted by yet: its first rows
    sort all        until the last row of it is there, once
    sorted jump     to a random row of it
    find            from the last letter of a text until the first cell that has it; the box waits for more letters
    next            Enter, until the next cell that has it
    brush           a bar of a histogram is clicked: until it is said how many rows are left
    column          in tables of 300 and 2,000 columns, from the Enter behind a column's name until its cell is there

Run by `python benchmarks/sidebar.py [--rows 100000000]` after `make js` and `make .venv/.browser`; --json for programs.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser.conftest import FLAGS
from browser.lab import LABEXTENSION, Desk, Server
from peers import Peer
from playwright.sync_api import Page, expect, sync_playwright

SHARE = """
import numpy as np
def make(name, rows):
    schema = pa.schema([("n", pa.int32()), ("x", pa.float32()), ("even", pa.bool_())])
    with shm.writer(name, schema) as w:
        for i in range(0, rows, 10_000_000):
            n = np.arange(i, min(i + 10_000_000, rows), dtype="int32")
            x = np.sin(n).astype("float32")
            w.write(pa.record_batch([pa.array(n), pa.array(x), pa.array(n % 2 == 0)], schema=schema))

def make_mixed(rows):
    words = pa.array([f"word {number}" for number in range(1000)])
    n = np.arange(rows)
    codes = pa.array((n * 31 % 1000).astype("int16"))
    kinds = pa.DictionaryArray.from_arrays(codes, words)
    made = pa.table({"x": n * 7919 % rows, "n": n, "kind": kinds, "text": words.take(codes)})
    shm.share(made, f"mixed_{rows}")

def make_wide(columns):
    n = np.arange(20_000)
    made = {f"c{i}": n + i if i % 2 else pa.array(n + i).cast(pa.string()) for i in range(columns)}
    shm.share(pa.table(made), f"wide_{columns}")
"""
# Milliseconds from a step until the status line, which reads the cell that the keyboard is on, says this.
UNTIL = """async ([step, name, text]) => {
  const shown = () => [...document.querySelectorAll('.jp-ArrowSHM-previewTab')].find(one => one.offsetParent);
  const begun = performance.now();
  if (step === 'open') jupyterapp.commands.execute('arrowshm:open', { name });
  else {
    const input = shown().querySelector('.jp-ArrowSHM-jump input');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, name);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.form.requestSubmit();
  }
  while (!shown()?.querySelector('.jp-ArrowSHM-status')?.textContent.includes(text)) {
    // The keyboard is on no cell before the grid has it.
    if (step === 'open') shown()?.querySelector('.lm-DataGrid-viewport')?.focus();
    if (performance.now() - begun > 60000) throw new Error(`never: ${text}`);
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - begun;
}"""
# Milliseconds from frame to frame while the wheel turns.
SCROLL = """async () => {
  const shown = [...document.querySelectorAll('.jp-ArrowSHM-previewTab')].find(one => one.offsetParent);
  const grid = shown.querySelector('.lm-DataGrid');
  const frames = [];
  for (let last = performance.now(), i = 0; i < 120; i++) {
    grid.dispatchEvent(new WheelEvent('wheel', { deltaY: 180, bubbles: true, cancelable: true }));
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames;
}"""
WIDE = (300, 2000)


def bundle() -> dict[str, dict[str, int]]:
    widget = LABEXTENSION.parent / "static" / "widget.js"
    files = [*sorted((LABEXTENSION / "static").glob("*.js")), widget]
    return {
        file.name.partition(".")[0] + ".js": {
            "bytes": file.stat().st_size,
            "gzip": len(gzip.compress(file.read_bytes())),
        }
        for file in files
    }


def open_table(page: Page, name: str) -> float:
    taken: float = page.evaluate(UNTIL, ["open", name, "Row 1, n: 0"])
    return taken


def jumps(page: Page, rows: int, times: int) -> list[float]:
    chance = random.Random(1)
    wanted = [chance.randrange(1, rows) for _ in range(times)]
    return [page.evaluate(UNTIL, ["jump", str(row + 1), f", n: {row}"]) for row in wanted]


def requests(page: Page) -> list[float]:
    taken: list[float] = page.evaluate(
        "() => performance.getEntriesByType('resource').filter(e => e.name.includes('/rows?')).map(e => e.duration)"
    )
    return taken


class Interactions:
    """A table in front, and how long it takes until what was asked for can be read."""

    def __init__(self, desk: Desk, name: str, first: str) -> None:
        desk.command("arrowshm:open", name=name)
        self.page = desk.page
        self.node = desk.page.locator(".jp-ArrowSHM-previewTab:visible")
        self.grid = self.node.locator(".lm-DataGrid-viewport")
        self.grid.focus()
        self.until("status", first)

    def until(self, part: str, text: str) -> None:
        self.page.wait_for_function(
            """([part, text]) => [...document.querySelectorAll('.jp-ArrowSHM-previewTab')].find(one => one.offsetParent)
              ?.querySelector(`.jp-ArrowSHM-${part}`)?.textContent.includes(text)""",
            arg=[part, text],
            timeout=60_000,
        )

    def time(self, act: Callable[[], object], part: str, text: str) -> float:
        """Milliseconds, of which some are this program's way to the browser."""
        begun = time.perf_counter()
        act()
        self.until(part, text)
        return 1000 * (time.perf_counter() - begun)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def sort(self, rows: int, times: int) -> dict[str, list[float]]:
        chance = random.Random(1)

        def click() -> None:
            self.grid.click(position={"x": 100, "y": 15})

        click()
        self.until("chip", "x ▲")
        found = {"sort": [self.time(click, "status", f"Row 1, x: {rows - 1}")]}
        found["sort all"] = [self.page.evaluate(UNTIL, ["jump", str(rows), "x: 0"])]
        places = [chance.randrange(1, rows - 1) for _ in range(times)]
        found["sorted jump"] = [
            self.page.evaluate(UNTIL, ["jump", str(place + 1), f"x: {rows - 1 - place}"]) for place in places
        ]
        click()  # as the table is
        self.grid.focus()
        self.press("Control+Home")
        self.until("status", "Row 1, x: 0")
        return found

    def find(self, times: int) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"find": [], "next": []}
        for turn in range(times):
            self.press("Control+f")
            number = 131 + 31 * turn
            self.page.keyboard.insert_text(f"word {number}")
            wanted = next(row for row in range(1000) if 31 * row % 1000 == number)
            found["find"].append(self.time(lambda: None, "status", f"Row {wanted + 1:,}, kind: word {number}"))
            self.press("Enter")
            self.until("status", f"Row {wanted + 1:,}, text")
            found["next"].append(self.time(lambda: self.press("Enter"), "status", f"Row {wanted + 1001:,}, kind"))
            self.press("Escape")
            self.grid.focus()
            self.press("Control+Home")
            self.until("status", "Row 1, x: 0")
        return found

    def brush(self, rows: int, times: int) -> dict[str, list[float]]:
        box = self.grid.bounding_box()
        assert box
        y, bars = box["y"] + 60, {}
        for x in range(int(box["x"]), int(box["x"]) + 400, 3):
            self.page.mouse.move(x, y)
            if " rows" in (title := self.grid.get_attribute("title") or ""):
                bars.setdefault(title, (x, y))
        taken = []
        chips = self.node.locator(".jp-ArrowSHM-chip")
        for bar in itertools.islice(itertools.cycle([*bars.values()][1:-1]), times):
            taken.append(self.time(lambda at=bar: self.page.mouse.click(*at), "shape", f"of {rows:,} rows"))  # type: ignore[misc]
            chips.click()
            expect(chips).to_have_count(0)
        return {"brush": taken}

    def columns(self, columns: int, times: int) -> list[float]:
        chance, taken = random.Random(1), []
        for _ in range(times):
            column = chance.randrange(columns)
            self.node.get_by_role("button", name="Columns").click()
            self.page.keyboard.insert_text(f"c{column}")
            taken.append(self.time(lambda: self.press("Enter"), "status", f"Row 1, c{column}: {column}"))
        return taken


def interactions(desk: Desk, rows: int, times: int) -> dict[str, list[float]]:
    mixed = Interactions(desk, f"mixed_{rows}", "Row 1, x: 0")
    found = mixed.sort(rows, times) | mixed.find(times) | mixed.brush(rows, times)
    for columns in WIDE:
        found[f"column, of {columns:,}"] = Interactions(desk, f"wide_{columns}", "Row 1, c0: 0").columns(columns, times)
    return found


def run(rows: list[int], times: int) -> dict[str, Any]:
    place = Path(tempfile.mkdtemp(prefix="arrowshm-bench-"))
    store = Path(f"/dev/shm/arrowshm-bench-{secrets.token_hex(4)}")
    store.mkdir(0o700)
    found: dict[str, Any] = {"bundle": bundle(), "first rows": {}, "jump": {}}
    server = Server(place, store / "store")
    peer = Peer(env={"JUPYTER_ARROWSHM_DIR": str(store / "store")})
    finder = Path(__file__).parent.parent / "tests" / "browser" / "find_chromium.sh"
    chromium = subprocess.run([finder], capture_output=True, text=True, check=True).stdout.strip()
    try:
        peer.run(SHARE)
        for count in rows:
            peer.run(f"make('rows_{count}', {count})")
        peer.run(f"make_mixed({rows[-1]})")
        for columns in WIDE:
            peer.run(f"make_wide({columns})")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1920, "height": 1000})
            desk = Desk(page, server)
            desk.lab()
            expect(desk.row(f"rows_{rows[-1]}")).to_be_visible(timeout=60_000)
            for count in rows:
                found["first rows"][count] = open_table(page, f"rows_{count}")
                found["jump"][count] = statistics.median(jumps(page, count, times))
            found["window"] = statistics.median(requests(page))
            frames = page.evaluate(SCROLL)
            found["frame"] = {"median": statistics.median(frames), "longest": max(frames)}
            found["interactions"] = {
                name: {"p50": statistics.median(taken), "p95": sorted(taken)[int(0.95 * len(taken))]}
                for name, taken in interactions(desk, rows[-1], times).items()
            }
            browser.close()
    finally:
        peer.quit()
        server.stop()
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000, help="of the largest table")
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    counts = sorted({min(10_000, arguments.rows), min(1_000_000, arguments.rows), arguments.rows})
    found = run(counts, arguments.times)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, size in found["bundle"].items():
        print(f"bundle {name:<24} {size['bytes'] / 1000:8.1f} kB {size['gzip'] / 1000:8.1f} kB gzip")
    for count in counts:
        print(f"first rows of {count:>13,} {found['first rows'][count]:10.0f} ms")
    for count in counts:
        print(f"jump within   {count:>13,} {found['jump'][count]:10.0f} ms")
    print(f"window (request)            {found['window']:10.0f} ms")
    print(
        f"frame (scrolling)           {found['frame']['median']:10.0f} ms, longest {found['frame']['longest']:.0f} ms"
    )
    for name, taken in found["interactions"].items():
        print(f"{name:<27} {taken['p50']:10.0f} ms, p95 {taken['p95']:.0f} ms")


if __name__ == "__main__":
    main()
