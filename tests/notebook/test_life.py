"""A kernel's life: it is interrupted, restarted and killed; it has threads and async cells."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow.compute as pc
from kernel import leases
from measures import leftovers
from notebooks import Desk, Notebook

import jupyter_arrowshm as shm

TABLE = "import pyarrow as pa\nt = pa.table({'a': [1, 2, 3]})"
# A thousand batches, so that the interrupt comes while the table is written, even on a fast machine.
LARGE = """\
import pyarrow as pa, time
def batches():
    for number in range(1000):
        print("batch", number)
        time.sleep(0.02)
        yield batch
batch = pa.record_batch({'a': pa.array(range(1 << 16))})
def large():
    return pa.RecordBatchReader.from_batches(batch.schema, batches())
"""


def test_interrupt_of_a_share_leaves_nothing(model: Notebook, store: shm.Store, directory: Path) -> None:
    model.ok(LARGE)
    request = model.start("%share large() as big")
    model.until(request, "batch 5")
    model.interrupt()
    assert model.wait(request).error == "interrupted: 'big' was not shared, and nothing is left of it"
    assert not store.tables() and [name for name in leftovers(directory) if not name.startswith(".live/")] == []
    model.ok(f"{TABLE}\n%share t as big")
    assert store.info("big").num_rows == 3


def test_interrupt_of_a_share_keeps_the_version_before(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\n%share t as big\n{LARGE}")
    report.ok("%attach big")
    request = model.start("%share large() as big")
    model.until(request, "batch 5")
    model.interrupt()
    assert "was not shared" in model.wait(request).error
    assert store.info("big").num_rows == 3 and not store.info("big").older
    assert report.get("big['a'].to_pylist()") == "[1, 2, 3]"


def test_interrupt_after_the_table_has_its_name_says_so(desk: Desk, store: shm.Store) -> None:
    model = desk.start("model.ipynb")
    # This raises a real KeyboardInterrupt at the point where freeing a large older version would meet one.
    model.ok(f"{TABLE}\n%share t\nimport jupyter_arrowshm.core.publication as publication\nreal = publication.info")
    model.ok("def interrupted(*arguments):\n    raise KeyboardInterrupt\npublication.info = interrupted")
    assert model.error("t = t.slice(1)\n%share t") == "interrupted, but 't' was shared already"
    model.ok("publication.info = real")
    assert store.info("t").num_rows == 2


def test_interrupts_at_any_moment(model: Notebook, store: shm.Store, directory: Path) -> None:
    """Wherever it hits, one version or the other is there, whole, and the message is true."""
    model.ok("import numpy as np\nbig = {f'c{i}': np.full(1 << 21, 0) for i in range(8)}\n%share big")
    for round_, delay in enumerate([0, 0.002, 0.01, 0.02, 0.04, 0.06, 0.08], start=1):
        model.ok(f"big = {{f'c{{i}}': np.full(1 << 21, {round_}) for i in range(8)}}")
        before = store.version("big")
        # The cell outlasts the interrupt: ipykernel takes an interrupt that finds no cell for the end of a reply.
        request = model.start("import time\nprint('begun', flush=True)\n%share big\ntime.sleep(600)")
        model.until(request, "begun")
        time.sleep(delay)
        model.interrupt()
        ran = model.wait(request)
        if ran.traceback:  # outside our work, as in any cell
            assert "KeyboardInterrupt" in ran.traceback[-1]
        elif ran.status == "error":
            assert ("was not shared" in ran.error) == (store.version("big") == before), ran.error
        values = {value for column in store.attach("big").columns for value in pc.min_max(column).as_py().values()}
        assert len(values) == 1 and (values == {round_}) == (store.version("big") != before)
        assert all(name.startswith(".live/") for name in leftovers(directory))


def test_three_notebooks_at_once(desk: Desk, model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\n%share t")
    third = desk.open("third.ipynb")
    requests = {
        one: one.start("%attach t --wait 60\nassert t['a'].to_pylist() == [1, 2, 3]") for one in (report, third)
    }
    assert [one.wait(request).status for one, request in requests.items()] == ["ok", "ok"]
    assert sorted(user.notebook for user in store.info("t").holders) == ["model.ipynb", "report.ipynb", "third.ipynb"]
    model.ok("%unshare t")
    report.ok("%detach t")
    assert "t was unshared; " in model.ok("%shared") and "still in use by third.ipynb (python)" in model.ok("%shared")
    third.ok("%detach t")
    assert model.ok("%shared") == "no shared tables"


def test_a_restarted_kernel_replaces_its_tables(desk: Desk, report: Notebook, store: shm.Store) -> None:
    model = desk.start("model.ipynb")
    model.ok(f"{TABLE}\n%share t")
    report.ok("%attach t")
    model.restart()
    assert [user.notebook for user in store.info("t").holders] == ["report.ipynb"]
    assert "model.ipynb (python) (ended)" in report.ok("%shared")
    model.ok(f"{TABLE}\nt = t.slice(1)\n%share t")
    assert store.info("t").num_rows == 2
    model.restart()
    model.ok("%unshare t")
    assert store.names() == [] and report.get("t.num_rows") == "3"


def test_a_killed_kernel_counts_no_longer(desk: Desk, report: Notebook, store: shm.Store, directory: Path) -> None:
    model = desk.start("model.ipynb")
    model.ok(f"{TABLE}\n%share t --move")
    report.ok("%attach t")
    assert store.info("t").in_use_by == "2" and leases(directory / "t.arrow") == sorted([model.pid, report.pid])
    model.kill()
    assert store.info("t").in_use_by == "1" and leases(directory / "t.arrow") == [report.pid]
    assert report.ok("%shared").splitlines()[1].endswith("1: report.ipynb (python)")
    refused = report.error(f"{TABLE}\n%share t")
    assert refused.startswith("'t' was shared by model.ipynb (python)") and ", which has ended" in refused
    report.ok("%share t --replace")


def test_a_kernel_killed_while_it_shares_leaves_nothing(desk: Desk, store: shm.Store, directory: Path) -> None:
    model = desk.start("model.ipynb")
    model.ok(LARGE)
    model.until(model.start("%share large() as big"), "batch 5")
    model.kill()
    assert not store.tables() and leftovers(directory) == []


def test_magics_in_threads(model: Notebook, store: shm.Store) -> None:
    model.ok(
        f"{TABLE}\nimport jupyter_arrowshm as shm\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "run = get_ipython().run_line_magic\n"
        "def work(number):\n"
        "    run('share', f't.slice({number % 3}) as t{number}')\n"
        "    run('shared', f't{number}')\n"
        "    return shm.attach(f't{number}').num_rows\n"
        "with ThreadPoolExecutor(4) as threads:\n"
        "    rows = list(threads.map(work, range(12)))\n"
    )
    assert model.get("rows") == str([3 - number % 3 for number in range(12)])
    assert len(store.tables()) == 12
    assert model.get("Out") == "{}"


def test_async_cells(model: Notebook, report: Notebook) -> None:
    model.ok(f"import asyncio\n{TABLE}\nawait asyncio.sleep(0)\n%share t\nawait asyncio.sleep(0)")
    report.ok("import asyncio\nawait asyncio.sleep(0)\n%attach t\nassert t.num_rows == 3")
    report.ok("async def later():\n    part = t.slice(1)\n    await asyncio.sleep(0)\n    %share part\nawait later()")
    model.ok("%attach part")
    assert model.get("part.num_rows") == "2"


def test_a_background_task_does_not_disturb(model: Notebook, store: shm.Store) -> None:
    model.ok("import asyncio\nasync def tick():\n    while True:\n        await asyncio.sleep(0.001)\n")
    model.ok(f"task = asyncio.create_task(tick())\n{TABLE}")
    for _ in range(3):
        model.ok("%share t\n%attach t as u")
    model.ok("task.cancel()")
    assert store.info("t").num_rows == 3


def test_work_that_takes_long_shows_a_bar(desk: Desk, store: shm.Store) -> None:
    model = desk.start("model.ipynb")
    model.ok("%config ArrowSHMMagics.progress_after = 0.1")
    ran = model.run(LARGE.replace("1000", "20").replace('print("batch", number)', "pass") + "%share large() as big")
    assert ran.status == "ok" and "sharing big" in ran.shown
    assert store.info("big").num_rows == 20 << 16
    assert "sharing" not in model.run(f"{TABLE}\n%share t").shown
