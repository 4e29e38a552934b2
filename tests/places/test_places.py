"""docs/how-to/other-places.md, each place with the program itself: make test-places."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
import pandas as pd
import psutil
import pytest
from browser.conftest import browser as browser
from playwright.sync_api import Browser, Page, expect

import jupyter_arrowshm as shm

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "other-places.md").read_text()
# What the page says works there; each is tried below.
PROGRAMS = ("dask", "gunicorn", "ipcluster", "jupyter-console", "jupyter-nbconvert", "marimo")
PROGRAMS += ("papermill", "voila")
FRAME = pd.DataFrame({"city": ["Aachen", "Bonn"], "fare": [1.5, 2.5]})


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """On one file system: where the tables are is not what is tested here."""
    return tmp_path


@pytest.fixture
def place(store: shm.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page, beside a store with the table that they use."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name, code in re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(code)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    store.share(FRAME, "trips")
    return folder


def run(*command: str, **keywords: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, **keywords)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.mark.parametrize("way", ["spawn", "forkserver", "fork"])
def test_multiprocessing(place: Path, way: str) -> None:
    assert run(sys.executable, "-W", "error", "pool.py", way) == "4.0\n"


def test_joblib(place: Path) -> None:
    assert run(sys.executable, "parallel.py") == "4.0\n"


def test_ipyparallel(place: Path) -> None:
    assert run(sys.executable, "engines.py").endswith("4.0\n")


def test_dask(place: Path) -> None:
    assert run(sys.executable, "cluster.py") == "4.0\n"


DASK = """
import re, sys
import dask.dataframe as dd, dask.array as da, pandas as pd
import jupyter_arrowshm as shm
frame = dd.from_pandas(pd.DataFrame({"fare": [1.5, 2.5, 4.0]}), npartitions=2)
for name, made in {"frame": frame, "column": frame.fare, "array": da.ones((3, 2))}.items():
    try:
        shm.share(made, name)
        sys.exit(f"{name} was shared")
    except shm.UnsupportedSource as error:
        (fix,) = re.findall("`(.+)`", error.fix)
    variables = {"x": made}
    exec(fix, variables)
    print(name, shm.share(variables["x"], name).num_rows, fix)
"""


def test_a_table_of_dask_is_refused_with_the_call_that_makes_one(place: Path, store: shm.Store) -> None:
    said = run(sys.executable, "-c", DASK).splitlines()
    assert said == [f"{name} 3 x = x.compute()" for name in ("frame", "column", "array")]
    assert store.attach("frame", to="pandas")["fare"].sum() == 8 and store.attach("array", to="numpy").sum() == 6


@pytest.mark.parametrize("options", [(), ("--preload",)])
def test_gunicorn(place: Path, store: shm.Store, options: tuple[str, ...]) -> None:
    server = subprocess.Popen(["gunicorn", *options, "--workers", "2", "--bind", "unix:web", "web:app"], stderr=-1)
    try:
        answers = [ask(place / "web") for _ in range(20)]
        assert {answer.rpartition("\r\n\r\n")[2] for answer in answers} == {"2\n"}
        users = [user.script for user in store.info("trips").holders if user.pid != os.getpid()]
        assert 1 <= len(users) <= 2 and all(script.endswith("gunicorn") for script in users)
    finally:
        server.terminate()
        server.communicate(timeout=60)


def ask(path: Path) -> str:
    """The answer to ``GET /``, once the server is there."""
    deadline = time.monotonic() + 60
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
                continue
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with connection.makefile() as file:
                return file.read().replace("\n", "\r\n").replace("2\r\n", "2\n")


def notebook(name: str, *cells: str) -> None:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in ("%load_ext jupyter_arrowshm", *cells)]
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, name)


def outputs(name: str) -> list[str]:
    """The kinds of all outputs of a notebook, and no error among them."""
    found = [one for cell in nbformat.read(name, as_version=4).cells for one in cell.outputs]
    assert not [one for one in found if one.output_type == "error"]
    return [kind for one in found for kind in one.get("data", {})]


MAKE = "import pandas as pd\nfares = pd.DataFrame({'fare': [7.25]})"


def test_papermill_runs_a_notebook_again(place: Path, store: shm.Store) -> None:
    """Each time it replaces its own table, is called by its name, and shows tables that outlive it."""
    notebook("load.ipynb", MAKE, "%share fares", "%shared")
    for _ in range(2):
        run("papermill", "--kernel", "python3", "load.ipynb", "out.ipynb")
        assert str(store.info("fares").publisher) == "load.ipynb (python) (ended)"
    kinds = outputs("out.ipynb")
    assert "text/html" in kinds and "application/vnd.jupyter.widget-view+json" not in kinds


SESSION = """\
import pandas as pd
def load(city, scale):
    fares = pd.DataFrame({'city': [city] * 2, 'fare': [1.0 * scale, 2.0 * scale]})
    %share fares as fares_{city.name}
class City:
    def __init__(self, name):
        self.name = name
    __str__ = lambda self: self.name

for scale, name in enumerate(['Bern', 'Basel'], start=1):
    load(City(name), scale)

%%share trips --replace
parts = []
for name in ['Bern', 'Basel']:
    %attach fares_{name} as part
    parts.append(part)
pd.concat(parts)
"""


def test_a_session_with_functions_and_a_loop_runs_again_and_marimo_reads_it(place: Path, store: shm.Store) -> None:
    """The load is a job of papermill, run twice; the page is a notebook of marimo. Nothing is cleaned up in between."""
    store.unshare("trips")
    notebook("load.ipynb", *SESSION.replace("[city] * 2", "[city.name] * 2").split("\n\n"))
    for _ in range(2):
        run("papermill", "--kernel", "python3", "load.ipynb", "out.ipynb")
        outputs("out.ipynb")
        assert store.names() == ["fares_Basel", "fares_Bern", "trips"]
        assert store.attach("fares_Basel")["fare"].to_pylist() == [2.0, 4.0]
    run("marimo", "-q", "export", "html", "notebook.py", "-o", "page.html")
    assert "9.0" in Path("page.html").read_text(), "the sum of all fares"


def test_jupyter_console(place: Path) -> None:
    lines = ["%load_ext jupyter_arrowshm", "%attach trips", "print(trips['fare'].sum())", "%shared", "exit", ""]
    said = run("jupyter", "console", "--simple-prompt", input="\n".join(lines))
    assert "trips: pandas.DataFrame, 2 rows x 2 columns" in said and "4.0" in said and "in use by" in said


def test_marimo(place: Path) -> None:
    run(sys.executable, "notebook.py")
    run("marimo", "-q", "export", "html", "notebook.py", "-o", "page.html")
    page = Path("page.html").read_text()
    assert "4.0" in page and page.count("marimo-anywidget") >= 2


# -- pages ---------------------------------------------------------------------------------------------------------

# The command that serves the notebook, without its port, and where the notebook is then.
SERVERS = {
    "voila": (["voila", "report.ipynb", "--no-browser", "--Voila.ip=127.0.0.1"], ""),
    "marimo": (["marimo", "-q", "run", "notebook.py", "--headless", "--no-token", "--host", "127.0.0.1"], ""),
}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1000, "height": 1200}) as context:
        yield context.new_page()


def saved(widget_state: bool) -> None:
    """The notebook as a person's front end saves it: with the widgets, for which the front end may keep their state."""
    made = nbformat.read("report.ipynb", as_version=4)
    nbclient.NotebookClient(made, kernel_name="python3", store_widget_state=widget_state).execute()
    nbformat.write(made, "report.ipynb")
    assert outputs("report.ipynb").count("application/vnd.jupyter.widget-view+json") == 3
    assert ("widgets" in made.metadata) is widget_state


CONVERT = ("jupyter", "nbconvert", "--to", "html")
(WITH_STATE,) = re.findall(r"^jupyter nbconvert --to html (--Clear\S+) report.ipynb$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("way", ["executed", "papermill", "saved", "saved with state"])
def test_the_page_that_nbconvert_makes_shows_the_tables(place: Path, page: Page, way: str) -> None:
    """Opened as a file, without a network: what `%share`, `%shared` and both widgets have to show."""
    widgets = ("import jupyter_arrowshm as shm\nshm.SharedTables()", "shm.TablePreview('trips')")
    notebook("report.ipynb", MAKE, "%share fares", "%shared", *widgets)
    if way == "executed":
        run(*CONVERT, "--execute", "report.ipynb")
    elif way == "papermill":
        run("papermill", "--kernel", "python3", "report.ipynb", "out.ipynb")
        run(*CONVERT, "out.ipynb", "--output", "report.html")
    else:
        saved(way == "saved with state")
        run(*CONVERT, *([WITH_STATE] if way == "saved with state" else []), "report.ipynb")

    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.goto((place / "report.html").as_uri(), wait_until="domcontentloaded")
    shown = page.locator(".jp-OutputArea-output:visible")
    expect(shown.filter(has=page.get_by_role("cell", name="trips", exact=True))).to_have_count(2)
    expect(shown.filter(has=page.get_by_role("cell", name="Aachen", exact=True))).to_have_count(1)
    expect(shown.filter(has_text="%attach fares")).not_to_have_count(0)


@pytest.fixture
def address(place: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The page of the front end that is the test's parameter."""
    notebook("report.ipynb", "%attach trips", "%shared", "import jupyter_arrowshm as shm\nshm.TablePreview(trips)")
    command, path = SERVERS[request.param]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open("log", "wb") as log:
        server = subprocess.Popen([*command, f"--port={port}"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert server.poll() is None and time.monotonic() < deadline, Path("log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/{path}"
    finally:
        started = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
        server.terminate()
        server.wait(timeout=60)
        for process in psutil.wait_procs(started, timeout=30)[1]:
            process.kill()


def answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("address", SERVERS, indirect=True)
def test_widgets_in_the_page_of_another_front_end(address: str, store: shm.Store, page: Page) -> None:
    """They are drawn, the list is live, and the kernel answers what is asked in the page."""
    page.goto(address, timeout=60_000)
    listed = page.locator('.jp-ArrowSHM-widget [data-table="trips"]')
    expect(listed).to_contain_text("2 rows x 2 columns", timeout=60_000)
    expect(listed).to_contain_text("in use by 2")
    store.share(FRAME.head(1), "zones")
    expect(page.locator('[data-table="zones"]')).to_contain_text("1 row x 2 columns")

    preview = page.locator(".jp-ArrowSHM-widget").nth(1)
    grid, status = preview.locator(".lm-DataGrid-viewport"), preview.locator(".jp-ArrowSHM-status")
    grid.click(position={"x": 60, "y": 15})
    expect(preview.locator(".jp-ArrowSHM-chip")).to_have_text(["city ▲"])
    grid.click(position={"x": 60, "y": 15})
    expect(preview.locator(".jp-ArrowSHM-chip")).to_have_text(["city ▼"])
    grid.press("Control+Home")
    expect(status).to_contain_text("Row 1, city: Bonn")


@pytest.mark.parametrize("address", ["marimo"], indirect=True)
def test_a_cell_of_marimo_runs_again_with_a_new_version(address: str, store: shm.Store, page: Page) -> None:
    """... and when somebody sorts; `.value` has what is public, and nothing else (notebook.py says the rest)."""
    page.goto(address, timeout=60_000)
    preview = page.locator(".jp-ArrowSHM-widget").nth(1)
    expect(preview.locator(".jp-ArrowSHM-shape")).to_have_text("2 rows", timeout=60_000)
    expect(page.get_by_text("2 rows, of which 0 are selected, sorted by []")).to_be_visible()
    preview.locator(".lm-DataGrid-viewport").click(position={"x": 60, "y": 15})
    expect(
        page.get_by_text("sorted by [['city', 'ascending']]").or_(page.get_by_text("sorted by [('city', 'ascending')]"))
    ).to_be_visible()
    store.share(pd.concat([FRAME, FRAME]), "trips", replace=True)
    expect(page.get_by_text("4 rows, of which")).to_be_visible()
    expect(preview.locator(".jp-ArrowSHM-shape")).to_have_text("4 rows")


def test_every_program_of_the_page_is_there() -> None:
    """Nothing here is left out because something is not installed."""
    for program in PROGRAMS:
        assert shutil.which(program, path=str(Path(sys.executable).parent)), program
