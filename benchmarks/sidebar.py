"""The cost of the sidebar, in a real browser without a GPU:

    bundle          sizes of the JavaScript, as it is and compressed; a page loads the parts as it needs them
    first rows      from the command that opens a table to its first rows, by the number of rows
    jump            to a random row: until its cells are there
    window          one request for a window of rows, as the browser sees it
    frame           from frame to frame while the mouse wheel turns (1920 x 1000)

Run by `python benchmarks/sidebar.py [--rows 100000000]` after `make js` and `make .venv/.browser`; --json for programs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
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


if __name__ == "__main__":
    main()
