"""The widgets, as Python sees them, and the messages to a front end, even while a cell runs."""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from kernel import leases, mappings
from nbconvert import HTMLExporter
from notebooks import TIMEOUT, Desk, Notebook
from traitlets import TraitError

import jupyter_arrowshm as shm
from jupyter_arrowshm import SharedTables, TablePreview
from jupyter_arrowshm.markup import MIME_TYPE

TRIPS = pa.table({"fare": [12.5, None, 9.0, 30.0], "city": ["Oslo", "Lima", "Oslo", None], "n": [1, 2, 3, 4]})
VIEW = "application/vnd.jupyter.widget-view+json"


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Close the widgets that a test opens."""
    widgets: list[Any] = []

    def keep(widget: Any) -> Any:
        widgets.append(widget)
        return widget

    yield keep
    for widget in widgets:
        widget.close()


class Page:
    """A stand-in for a front end: it keeps the state of a notebook's widgets, and sends what its views send."""

    def __init__(self, notebook: Notebook) -> None:
        self.client = notebook.client
        self.states: dict[str, dict[str, Any]] = {}
        self.answers: dict[int, tuple[dict[str, Any], list[bytes]]] = {}
        self.subshell: str | None = None
        self._asked = 0

    def use_subshell(self) -> bool:
        """Use a subshell if the kernel has them, as JupyterLab does: messages are then handled beside the cells."""
        self._send("kernel_info_request", {})
        if "kernel subshells" not in self._reply("kernel_info_reply").get("supported_features", ()):
            return False
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        while (reply := self.client.get_control_msg(timeout=TIMEOUT))["msg_type"] != "create_subshell_reply":
            pass
        self.subshell = reply["content"]["subshell_id"]
        return True

    def show(self, code: str) -> str:
        """Run a cell that shows a widget, and return the id of its model."""
        request = self.client.execute(code)
        found = ""
        for message in self._messages():
            content = message["content"]
            assert message["msg_type"] != "error", content
            found = content.get("data", {}).get(VIEW, {}).get("model_id", found)
            ours = message["parent_header"].get("msg_id") == request
            if ours and message["msg_type"] == "status" and content["execution_state"] == "idle":
                return found
        raise AssertionError

    def tell(self, model: str, **content: Any) -> None:
        self._comm(model, {"method": "custom", "content": content})

    def change(self, model: str, **state: Any) -> None:
        self._comm(model, {"method": "update", "state": state, "buffer_paths": []})

    def ask(self, model: str, what: str, **question: Any) -> tuple[dict[str, Any], list[bytes]]:
        self._asked += 1
        self.tell(model, id=self._asked, what=what, **question)
        self.until(lambda: self._asked in self.answers)
        return self.answers.pop(self._asked)

    def rows(self, model: str, **query: Any) -> pa.Table:
        head, (body,) = self.ask(model, "rows", **{"offset": 0, "limit": 100, **query})
        assert "error" not in head, head
        return pa.ipc.open_stream(body).read_all()

    def until(self, true: Callable[[], object]) -> None:
        """Listen until the messages make this true."""
        if not true():
            next(None for _ in self._messages() if true())

    def _comm(self, model: str, data: dict[str, Any]) -> None:
        self._send("comm_msg", {"comm_id": model, "data": data})

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        message = self.client.session.msg(kind, content)
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def _reply(self, kind: str) -> dict[str, Any]:
        while (reply := self.client.get_shell_msg(timeout=TIMEOUT))["msg_type"] != kind:
            pass
        content: dict[str, Any] = reply["content"]
        return content

    def _messages(self) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + TIMEOUT
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            content = message["content"]
            if message["msg_type"] == "comm_open":
                self.states[content["comm_id"]] = dict(content["data"]["state"])
            if message["msg_type"] == "comm_msg" and content["comm_id"] in self.states:
                data = content["data"]
                if data["method"] == "update":
                    self.states[content["comm_id"]] |= data["state"]
                elif data["method"] == "custom":
                    self.answers[data["content"]["id"]] = (data["content"], [bytes(one) for one in message["buffers"]])
            yield message


# -- traits ------------------------------------------------------------------------------------------------------------


def test_the_list_follows_the_store_while_it_is_shown(store, peer, opened) -> None:
    shown = opened(SharedTables())
    assert shown.tables == [] and (shown.selected, shown.filter, shown.sort) == (None, "", "name")
    seen: list[list[str]] = []
    shown.observe(lambda change: seen.append([table["name"] for table in change["new"]]), "tables")
    shown._repr_mimebundle_()
    reader = peer()
    store.share(TRIPS, "trips")
    until(lambda: seen == [["trips"]])
    (trips,) = shown.tables
    assert (trips["num_rows"], trips["num_columns"], trips["schema"][1]["name"]) == (4, 3, "city")
    assert len(trips["holders"]) == 1 and "path" not in str(trips)
    reader.run("t = shm.attach('trips')")
    until(lambda: len(shown.tables[0]["holders"]) == 2)
    reader.kill()
    until(lambda: len(shown.tables[0]["holders"]) == 1)
    held = store.attach("trips")
    store.unshare("trips")
    until(lambda: shown.tables == [])
    until(lambda: [(one["name"], len(one["holders"])) for one in shown._removed] == [("trips", 1)])
    assert "script" not in str(shown._removed)
    del held
    until(lambda: not shown._removed)
    with pytest.raises(TraitError, match="read-only"):
        shown.tables = []
    with pytest.raises(TraitError):
        shown.sort = "colour"


def test_what_is_wrong_is_said(store, opened) -> None:
    store.share(TRIPS, "trips")
    shown = opened(SharedTables())
    directory = store.directory
    os.chmod(directory, 0o755)
    shown.refresh()
    assert shown.tables == [] and directory in shown._problem
    assert directory in shown._repr_mimebundle_()[0]["text/html"]
    os.chmod(directory, 0o700)
    shown.refresh()
    assert not shown._problem and len(shown.tables) == 1


def test_nobody_looks_when_nobody_watches(store, opened) -> None:
    def lookers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "arrowshm-look"]

    until(lambda: not lookers())  # from earlier tests
    shown = opened(SharedTables())
    assert not lookers()
    for view in ("one", "two"):
        shown._handle_msg(said({"watch": view, "on": True}))
    assert len(lookers()) == 1
    shown._handle_msg(said({"watch": "one", "on": False}))
    store.share(TRIPS, "trips")
    until(lambda: shown.tables)
    shown._handle_msg(said({"watch": "two", "on": False}))
    until(lambda: not lookers())
    shown._handle_msg(said({"watch": "two", "on": True}))
    store.unshare("trips")
    until(lambda: not shown.tables)
    alive = weakref.ref(shown)
    shown.close()
    until(lambda: not lookers())
    assert alive() is not None


def said(content: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}


def test_a_closed_widget_leaves_nothing(store) -> None:
    store.share(TRIPS, "trips")
    for make in (SharedTables, lambda: TablePreview("trips"), lambda: TablePreview(TRIPS)):
        widget = make()
        widget._repr_mimebundle_()
        widget._handle_msg(said({"id": 1, "what": "summary", "name": "trips"}))
        widget.close()
        gone = weakref.ref(widget)
        del widget
        until(lambda gone=gone: gc.collect() * 0 or gone() is None)
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("arrowshm")])


def test_changes_from_several_threads_all_arrive(store, opened) -> None:
    """A cell, the front end (beside it, in ipykernel 7) and the look at the store run at the same time."""
    shown = opened(SharedTables())
    told: dict[str, Any] = {}
    for trait in ("tables", "filter", "sort", "selected"):
        shown.observe(lambda change: told.__setitem__(change["name"], change["new"]), trait)
    failed: list[BaseException] = []

    def often(do: Callable[[int], None]) -> threading.Thread:
        def run() -> None:
            try:
                for number in range(150):
                    do(number)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def update(number: int) -> None:
        state = {"filter": f"front {number}", "selected": str(number)}
        shown._handle_msg(
            {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
        )

    def cell(number: int) -> None:
        shown.filter = f"cell {number}"
        shown.sort = ("name", "size")[number % 2]

    def look(number: int) -> None:
        if number % 10 == 0:
            store.share(TRIPS.slice(0, 1 + number % 4), "trips")
        shown.refresh()

    threads = [often(update), often(cell), often(look)]
    for thread in threads:
        thread.join()
    assert not failed
    assert told == {"tables": shown.tables, "filter": shown.filter, "sort": "size", "selected": "149"}


# -- a preview's traits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [TRIPS, TRIPS.to_pandas(), pl.from_arrow(TRIPS), {"fare": np.arange(4.0), "city": np.arange(4), "n": np.arange(4)}],
    ids=["pyarrow", "pandas", "polars", "numpy"],
)
def test_a_table_need_not_be_shared(source: Any, opened) -> None:
    preview = opened(TablePreview(source))
    assert repr(preview) == "TablePreview(a table of this notebook: 4 rows x 3 columns)"
    assert [column["name"] for column in preview._table["schema"]] == ["fare", "city", "n"]
    html = preview._repr_mimebundle_()[0]["text/html"]
    assert html.count("<tr>") == 5 and "4 rows x 3 columns" in html


def test_what_cannot_be_shown(store, opened) -> None:
    with pytest.raises(shm.TableNotFound):
        TablePreview("trips")
    with pytest.raises(shm.UnsupportedSource):
        TablePreview(3)
    preview = opened(TablePreview(TRIPS))
    for trait, value in [
        ("sort", "tip"),
        ("sort", [("fare", "down")]),
        ("filter", {"tip": {"min": 1}}),
        ("filter", {"fare": {"least": 1}}),
        ("filter", {"fare": {"min": 1, "contains": "x"}}),
        ("filter", {"fare": {"max": 1, "below": 2}}),
        ("filter", ["fare"]),
        ("columns", ["tip"]),
    ]:
        before = getattr(preview, trait)
        with pytest.raises(TraitError, match=r"no column 'tip'; it has fare, city, n|expected a"):
            setattr(preview, trait, value)
        assert getattr(preview, trait) == before


def test_conditions_are_plain_values(opened) -> None:
    preview = opened(TablePreview(TRIPS, sort="fare"))
    assert preview.sort == [("fare", "ascending")]
    preview.sort = [("fare", "descending"), "city"]
    assert preview.sort == [("fare", "descending"), ("city", "ascending")]
    preview.filter = {"fare": 3, "city": ["Oslo", "Lima"], "n": {"min": np.int64(2), "max": None}}
    assert preview.filter == {"fare": {"values": [3]}, "city": {"values": ["Oslo", "Lima"]}, "n": {"min": 2}}
    preview.filter = {"city": {"except": ["Oslo"]}}
    assert preview.filter == {"city": {"except": ["Oslo"]}}
    preview.filter = {"n": {"min": 1, "below": 2.5}}
    assert preview.filter == {"n": {"min": 1, "below": 2.5}}
    preview.filter = {"n": {"values": [2**60, np.float64(1.5), pd.Timestamp(2024, 1, 2), dt.date(2024, 1, 2)]}}
    assert preview.filter == {"n": {"values": [str(2**60), 1.5, "2024-01-02T00:00:00", "2024-01-02"]}}
    json.dumps(preview.get_state())


def test_a_preview_follows_the_versions_of_its_name(store, opened) -> None:
    store.share(TRIPS, "trips")
    preview = opened(TablePreview("trips", columns=["n", "fare"]))
    assert [column["name"] for column in preview._table["schema"]] == ["n", "fare"]
    first = preview._table["version"]
    preview.selected = [3]
    preview._repr_mimebundle_()
    store.share(TRIPS.slice(2), "trips")
    until(lambda: preview._table["num_rows"] == 2)
    assert preview._table["version"] != first and preview.selected == []
    store.unshare("trips")
    until(lambda: preview._table is None)
    store.share(TRIPS, "trips")
    until(lambda: preview._table is not None)


# -- over the comm -----------------------------------------------------------------------------------------------------


def test_rows_travel_as_arrow(model: Notebook, store) -> None:
    store.share(TRIPS, "trips")
    page = Page(model)
    listed = page.show("from jupyter_arrowshm import *\nimport pyarrow as pa\nshown = SharedTables(); shown")
    assert [table["name"] for table in page.states[listed]["tables"]] == ["trips"]
    oslo = json.dumps({"column": 1, "op": "==", "value": "Oslo"})
    up = json.dumps([{"column": 0, "descending": False}])
    assert page.rows(listed, name="trips", filter=oslo, sort=up)["n"].to_pylist() == [3, 1]
    preview = page.show("preview = TablePreview(pa.table({'a': range(5000)}), columns=['a']); preview")
    version = page.states[preview]["_table"]["version"]
    assert page.rows(preview, version=version, offset=4990, limit=5000)["a"].to_pylist() == list(range(4990, 5000))
    assert page.rows(preview, version=version, limit=5000).num_rows == 1000
    summary = json.loads(page.ask(preview, "summary", version=version)[1][0])
    assert summary["columns"][0]["max"] == {"text": "4999", "value": 4999}
    # The places in the view, and the row numbers in the table.
    down = json.dumps([{"column": 0, "descending": True}])
    assert page.ask(preview, "rows_of", version=version, sort=down, first=1, last=3)[0]["rows"] == [4998, 4997, 4996]
    assert page.ask(preview, "places_of", version=version, sort=down, rows=[4997, 9999])[0]["places"] == [2]


def test_questions_that_fail_are_answered(model: Notebook, store) -> None:
    store.share(TRIPS, "trips")
    page = Page(model)
    listed = page.show("from jupyter_arrowshm import *\nSharedTables()")
    rows = {"offset": 0, "limit": 1}
    assert page.ask(listed, "rows", name="gone", **rows)[0]["error"] == "TableNotFound"
    assert page.ask(listed, "rows", name="../x", **rows)[0]["error"] == "InvalidName"
    assert page.ask(listed, "rows", name="trips", version="another", **rows)[0]["error"] == "TableReplaced"
    assert page.ask(listed, "rows", name="trips", sort="[]]", **rows)[0]["error"] == "InvalidQuery"
    assert page.ask(listed, "cells", name="trips")[0]["error"] == "InvalidQuery"
    assert page.ask(listed, "rows", name="trips", offset="first")[0]["error"] == "InvalidQuery"
    assert page.rows(listed, name="trips").num_rows == 4
    head, _ = page.ask(listed, "pin", name="trips", pinned=True)
    assert "error" not in head and store.info("trips").pinned


def test_rows_of_another_place(model: Notebook, store, tmp_path) -> None:
    team, page = str(tmp_path / "team"), Page(model)
    shm.place(team).share(TRIPS, "trips")
    listed = page.show("from jupyter_arrowshm import *\nSharedTables()")
    rows = {"place": team, "name": "trips", "offset": 0, "limit": 2}
    told = page.ask(listed, "placed", place=team, name="trips")[0]["table"]
    assert (told["num_rows"], "path" in told) == (4, False)
    head, [body] = page.ask(listed, "rows", **rows, version=told["version"])
    assert "error" not in head and pa.ipc.open_stream(body).read_all().num_rows == 2
    assert page.ask(listed, "rows", **rows, version="another")[0]["error"] == "TableReplaced"
    assert page.ask(listed, "summary", place=team, name="trips")[0]["error"] == "InvalidQuery", "it needs all rows"
    assert page.ask(listed, "rows", **{**rows, "name": "gone"})[0]["error"] == "TableNotFound"
    assert page.ask(listed, "rows", **{**rows, "place": "nobody-of-this-name"})[0]["error"] == "PlaceNotFound"
    assert page.ask(listed, "rows", **{**rows, "place": 1})[0]["error"] == "InvalidQuery"
    assert store.names() == [] == store.loaded.names(), "nothing is copied"


def test_looking_keeps_no_table(model: Notebook, store) -> None:
    path = store.share(TRIPS, "trips").path
    page = Page(model)
    listed = page.show("from jupyter_arrowshm import *\nSharedTables()")
    preview = page.show("preview = TablePreview('trips'); preview")
    for shown in (listed, preview):
        page.rows(shown, name="trips")
    assert list(mappings(path, model.pid)) and not leases(path)
    until(lambda: not list(mappings(path, model.pid)))
    assert page.rows(preview).num_rows == 4


def test_both_sides_see_a_change(model: Notebook, store) -> None:
    store.share(TRIPS, "trips")
    page = Page(model)
    listed = page.show("from jupyter_arrowshm import *\nshown = SharedTables(filter='tr', sort='size'); shown")
    assert page.states[listed]["filter"] == "tr" and page.states[listed]["sort"] == "size"
    page.change(listed, selected="trips", filter="x")
    until(lambda: model.get("(shown.selected, shown.filter)") == "('trips', 'x')")
    preview = page.show("preview = TablePreview('trips'); preview")
    page.change(preview, sort=[["fare", "descending"]], filter={"city": {"values": ["Oslo"]}}, selected=[2])
    until(lambda: model.get("preview.selected") == "[2]")
    assert model.get("preview.sort") == "[('fare', 'descending')]"
    page.show("preview.sort = 'n'; preview.selected = [0, 1]")
    page.until(lambda: page.states[preview]["selected"] == [0, 1])
    assert page.states[preview]["sort"] == [["n", "ascending"]]


def test_while_a_cell_runs(model: Notebook, store) -> None:
    """It holds even after that cell itself has made and changed the widget."""
    page = Page(model)
    if not page.use_subshell():
        pytest.skip("this ipykernel has no subshells: what the front end sends waits for the cell")
    store.share(TRIPS, "trips")
    request = model.start(
        "import time\nfrom jupyter_arrowshm import *\nshown = SharedTables()\ndisplay(shown)\n"
        "shown.filter = 'from the cell'\nwhile shown.filter != 'from the page': time.sleep(0.05)\nprint('seen')"
    )
    page.until(lambda: any(state.get("filter") == "from the cell" for state in page.states.values()))
    (listed,) = [model_id for model_id, state in page.states.items() if state.get("_kind") == "tables"]
    assert page.rows(listed, name="trips").num_rows == 4
    store.share(TRIPS, "zones")
    page.until(lambda: len(page.states[listed]["tables"]) == 2)
    page.change(listed, filter="from the page")
    assert model.wait(request).text == "seen\n"


# -- what is left of it ------------------------------------------------------------------------------------------------


def exported(*bundles: dict[str, Any]) -> str:
    """A notebook with these outputs as HTML, like a file that is mailed to somebody."""
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    return HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]


def test_an_exported_notebook_has_a_table(store, opened) -> None:
    store.share(TRIPS, "trips")
    wide = pa.table({f"column {number}": ["x" * 10_000] * 500 for number in range(300)})
    bundles = [opened(widget)._repr_mimebundle_()[0] for widget in (SharedTables(), TablePreview(wide))]
    assert all(VIEW in bundle for bundle in bundles)
    html = exported(*bundles)
    assert "trips</td>" in html and "in use by" in html
    assert "column 19" in html and "column 20" not in html and "500 rows x 300 columns" in html
    assert len(html) < 300_000
    assert "widget-view" not in html


def test_shared_shows_the_list(desk: Desk, model: Notebook, store) -> None:
    store.share(TRIPS, "trips")
    page = Page(model)
    shown = page.show("%shared")
    assert page.states[shown]["tables"][0]["name"] == "trips"
    store.share(TRIPS, "zones")
    page.until(lambda: len(page.states[shown]["tables"]) == 2)
    assert page.show("%share") == shown, "the same list once more"
    (beside,) = model.run("%shared").displays
    assert set(beside) == {VIEW, "text/plain", "text/html", MIME_TYPE} and "zones" in beside["text/html"]
    model.ok("from ipywidgets import Widget\nWidget.close_all()")
    assert page.show("%shared") not in ("", shown)
    model.ok("%config ArrowSHMMagics.show_tables_as = 'html'")
    assert [set(one) for one in model.run("%shared").displays] == [{"text/plain", "text/html", MIME_TYPE}]


def test_shared_in_a_terminal(store) -> None:
    store.share(TRIPS, "trips")
    code = "import sys\n%load_ext jupyter_arrowshm\n%shared\nprint('ipywidgets' in sys.modules)"
    said = subprocess.run([sys.executable, "-m", "IPython", "-c", code], capture_output=True, text=True, check=True)
    assert "trips  " in said.stdout and said.stdout.endswith("False\n")


def test_several_compose(desk: Desk, model: Notebook, store) -> None:
    store.share(TRIPS, "trips")
    page = Page(model)
    box = page.show(
        "import ipywidgets\nfrom jupyter_arrowshm import *\n"
        "one, two, three = SharedTables(), TablePreview('trips'), TablePreview({'a': [1]})\n"
        "ipywidgets.link((one, 'filter'), (search := ipywidgets.Text(), 'value'))\n"
        "ipywidgets.VBox([search, one, two, three])"
    )
    kinds = [state.get("_kind") for state in page.states.values()]
    assert sorted(filter(None, kinds)) == ["preview", "preview", "tables"] and len(page.states[box]["children"]) == 4
    model.ok("search.value = 'linked'")
    assert model.get("one.filter") == "'linked'"
    model.ok("@ipywidgets.interact(city=['Oslo', 'Lima'])\ndef only(city): two.filter = {'city': city}")
    assert model.get("two.filter") == "{'city': {'values': ['Oslo']}}"
