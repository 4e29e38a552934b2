"""Real servers, real kernels, real signals: events say who uses what, as it happens."""

from __future__ import annotations

import pyarrow as pa

TABLE = pa.table({"fare": [12.5, 9.0]})
SHARE = "shm.share(pa.table({'fare': [12.5, 9.0]}), 'trips')"


def test_kernels_are_labelled_with_their_notebooks(running):
    load, model = running.notebook("load.ipynb"), running.notebook("work/model.ipynb")
    load.run(SHARE)
    assert running.users("trips") == ["load.ipynb (python)"]
    model.run("trips = shm.attach('trips')")
    assert running.users("trips") == ["load.ipynb (python)", "model.ipynb (python)"]
    paths = {user["label"]: user["notebook_path"] for user in running.tables()["trips"]["holders"]}
    assert paths["model.ipynb (python)"] == "work/model.ipynb"
    model.rename("forecast.ipynb")
    assert running.users("trips") == ["forecast.ipynb (python)", "load.ipynb (python)"]
    load.kill()
    while len(running.users("trips")) > 1:  # a process takes a moment to die
        pass
    assert running.users("trips") == ["forecast.ipynb (python)"]
    table = running.tables()["trips"]
    assert table["publisher"]["label"] == "load.ipynb (python)" and table["publisher"]["alive"] is False


def test_a_restarted_kernel_replaces_its_table(running):
    load = running.notebook("load.ipynb")
    load.run(SHARE)
    load.restart()
    assert running.tables()["trips"]["publisher"]["alive"] is False
    load.run(SHARE)
    assert running.users("trips") == ["load.ipynb (python)"]


def test_events_follow_a_table_through_its_life(running, peer, store):
    running.tables()
    listener = running.listen()
    other, third = peer(), peer()
    other.run(SHARE)
    assert listener.until("published", "trips")["who"]
    third.run("trips = shm.attach('trips')")
    assert listener.until("attached", "trips")["who"] == [f"python (pid {third.pid})"]
    store.pin("trips")
    listener.until("pinned", "trips")
    store.unpin("trips")
    listener.until("unpinned", "trips")
    other.run(SHARE)
    listener.until("replaced", "trips")
    third.run("del trips; trips = shm.attach('trips')")
    listener.until("attached", "trips")
    third.kill()
    assert listener.until("released", "trips")["who"] == [f"python (pid {third.pid})"]
    store.unshare("trips")
    listener.until("removed", "trips")
    listener.close()


def test_what_is_unshared_and_still_in_use_is_listed(running, peer, store):
    def removed():
        return [version for version in running.get("arrowshm/tables").json["removed"] if version["name"] == "gone"]

    other = peer()
    other.run("shm.share(pa.table({'fare': [12.5]}), 'gone'); gone = shm.attach('gone')")
    tag = running.get("arrowshm/tables").headers["Etag"]
    assert removed() == []
    store.unshare("gone")
    assert running.get("arrowshm/tables", If_None_Match=tag).status == 200
    (left,) = removed()
    assert [user["pid"] for user in left["holders"]] == [other.pid] and left["nbytes"] > 0
    other.run("del gone")
    assert removed() == []


def test_an_unused_table_is_removed_and_everybody_can_read_why(server, peer, store):
    running = server(idle_timeout=1)
    listener = running.listen()
    other = peer()
    other.run("shm.share(pa.table({'a': [1]}), 'old'); shm.share(pa.table({'a': [1]}), 'kept', pin=True)")
    running.tables()
    assert running.tables()["old"]["removed_at"] is None
    other.kill()
    assert running.tables()["old"]["removed_at"] is not None
    assert listener.until("removed", "old")["reason"] == "nobody had used it for 1 second"
    assert store.names() == ["kept"]
    answer = running.get("arrowshm/tables/old")
    assert answer.status == 404 and "nobody had used it for 1 second" in answer.json["message"]
    assert "removed the table old" in running.log.read_text()
    listener.close()


def test_a_table_in_use_is_never_removed(server, peer, store):
    running = server(idle_timeout=0.1, max_bytes=1)
    listener = running.listen()
    other = peer()
    other.run("shm.share(pa.table({'a': [1]}), 'used'); shm.share(pa.table({'a': [1]}), 'unused')")
    held = store.attach("used")
    other.kill()
    running.tables()
    listener.until("removed", "unused")
    assert store.names() == ["used"] and held.num_rows == 1
    listener.close()


def test_two_servers_of_one_user_agree(server, peer, store):
    servers = [server(idle_timeout=1), server(idle_timeout=1)]
    other = peer()
    other.run(SHARE)
    assert [running.users("trips") for running in servers] == [[f"python (pid {other.pid})"]] * 2
    listeners = [running.listen() for running in servers]
    other.kill()
    for running, listener in zip(servers, listeners, strict=True):
        running.tables()
        listener.until("removed", "trips")
        listener.close()
    assert store.names() == []


def test_a_killed_server_changes_nothing_and_its_successor_sees_the_same(server, peer):
    running = server()
    other = peer()
    other.run(SHARE + "; trips = shm.attach('trips')")
    before = running.tables()
    running.kill()
    assert other.get("trips.num_rows") == 2
    running.start()
    assert running.tables() == before


def test_the_directory_of_the_configuration_reaches_the_kernels(server, parent, store):
    running = server(directory=str(parent / "other"))
    load = running.notebook("load.ipynb")
    load.run(SHARE)
    assert list(running.tables()) == ["trips"] and store.names() == []
    assert (parent / "other" / "trips.arrow").exists()


def test_a_server_that_ends_leaves_no_thread_behind(server):
    running = server()
    running.tables()
    running.stop_kindly()
    assert "Traceback" not in running.log.read_text()
