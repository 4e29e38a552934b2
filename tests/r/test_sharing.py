"""Tables between R and Python: what is attached is the mapping, what is written to it is nobody else's, and errors say what to do."""

# ruff: noqa: E501 -- R code
from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pyarrow as pa
import pytest
from r_peers import signals
from waiting import eventually


def numbers(rows: int = 1000) -> pa.Table:
    return pa.table(
        {
            "d": pa.array([i / 2 for i in range(rows)]),
            "i": pa.array(range(rows), pa.int32()),
            "l": pa.array(range(rows)),
        }
    )


def test_plain_columns_are_the_mapping(r, store) -> None:
    store.share(numbers(), "t")
    r.run('t <- attach_table("t")')
    assert r.get("vapply(t, arrowshm:::in_place, TRUE)") == [True] * 3
    assert r.get("sum(t$d)") == sum(range(1000)) / 2
    assert r.get("sum(t$i)") == sum(range(1000))
    assert r.get("as.numeric(sum(t$l))") == sum(range(1000))
    assert r.get("vapply(t, arrowshm:::in_place, TRUE)") == [True] * 3, "they were read, and not copied"


@pytest.mark.parametrize("column", ["d", "i", "l"])
def test_what_r_writes_is_its_own(r, store, column) -> None:
    """By assignment, which copies, and in place, as compiled code does it (data.table's `set`)."""
    store.share(numbers(), "t")
    r.run('t <- attach_table("t"); other <- attach_table("t")')
    r.run(f"before <- t; t${column}[3] <- 77L")
    assert r.get(f"as.numeric(c(t${column}[3], before${column}[3], other${column}[3]))") == [
        77,
        *[store.attach("t")[column][2].as_py()] * 2,
    ]
    r.run(
        f'data.table::setattr(before, "class", c("data.table", "data.frame")); data.table::set(before, 3L, "{column}", if ("{column}" == "l") bit64::as.integer64(88) else 88L)'
    )
    assert r.get(f"as.numeric(c(before${column}[3], other${column}[3]))") == [88, store.attach("t")[column][2].as_py()]
    assert r.get(f'as.numeric(attach_table("t")${column}[3])') == store.attach("t")[column][2].as_py()


def test_memory_of_an_attached_table_is_the_shared_one(r, store) -> None:
    """100 MB of doubles are summed, and the process has hardly any memory of its own more than before."""
    store.share(pa.table({"x": pa.array(range(12_500_000), pa.float64())}), "large")
    own = 'sum(as.numeric(sub("[^0-9]*([0-9]+).*", "\\\\1", grep("^Anonymous:", readLines("/proc/self/smaps_rollup"), value = TRUE))))'
    r.run(f"invisible(gc()); before <- {own}")
    r.run('t <- attach_table("large"); total <- sum(t$x)')
    assert r.get("total") == sum(range(12_500_000))
    assert r.get(f"{own} - before") < 20_000, "kB"


def test_gc_frees_the_lease(r, store) -> None:
    store.share(numbers(), "t")
    r.run('t <- attach_table("t"); column <- t$d; rm(t); invisible(gc())')
    assert r.pid in [holder.pid for holder in store.info("t").holders], "one column is left"
    store.unshare("t")
    assert r.get("sum(column)") == sum(range(1000)) / 2
    r.run("rm(column); invisible(gc())")
    store.share(numbers(), "t", replace=True)
    assert r.pid not in [holder.pid for holder in store.info("t").holders]


def test_detach(r, store) -> None:
    store.share(numbers(), "t")
    r.run('t <- attach_table("t"); detach_table(t)')
    assert r.get('exists("t", globalenv(), inherits = FALSE)') is False
    assert r.pid not in [holder.pid for holder in store.info("t").holders]
    r.run('t <- attach_table("t"); copy <- t')
    with signals("still"):
        r.run("options(warn = 2); on.exit(options(warn = 0)); tryCatch(detach_table(t), finally = options(warn = 0))")
    assert r.get("nrow(copy)") == 1000


def test_errors_have_classes_and_fields_and_say_what_to_do(r, store, directory) -> None:
    store.share(numbers(), "trips")
    for code, text in {
        'attach_table("trip")': 'TableNotFound: there is no shared table "trip". Did you mean "trips"?',
        'share_table(data.frame(a = 1), "trips")': 'TableExists: "trips" was shared by .* replace = TRUE',
        'share_table(data.frame(a = 1), "a b")': "InvalidName: .* white space; use '_' instead",
        'unshare_table("nothing")': "TableNotFound: ",
        'share_table(data.frame(z = 1i), "z")': 'UnsupportedSource: column "z" of this data.frame .*Re\\(\\)',
        'share_table(new.env(), "z")': "UnsupportedSource: this environment",
        'attach_table("trips", "nothing")': 'simpleError: table "trips" has no column "nothing"',
    }.items():
        with signals(text):
            r.run(code)
    assert r.get('tryCatch(attach_table("trip"), TableNotFound = function(e) list(name = e$name, near = e$near))') == {
        "name": "trip",
        "near": "trips",
    }
    (directory / "bad.arrow").write_bytes(b"not a table")
    with signals('DamagedTable: "bad" cannot be read'):
        r.run('attach_table("bad")')
    directory.chmod(0o755)
    with signals("UnsafeDirectory: .* is open to other users. Run chmod 700"):
        r.run("shared_tables()")


def test_a_table_that_does_not_fit_is_refused_before_anything_is_written(new_r, store) -> None:
    store.share(numbers(), "t")
    with signals("NoRoom: this table needs .*, but only .* is free"):
        new_r().run(
            'assignInNamespace("room_left", function(directory) 1000, "arrowshm"); share_table(data.frame(a = runif(1e6)), "large")'
        )


def test_a_publisher_that_is_killed_leaves_its_table(new_r, store) -> None:
    one = new_r()
    one.run('share_table(data.frame(a = c(1, NA)), "t")')
    assert [holder.pid for holder in store.info("t").holders] == [one.pid]
    one.kill()
    eventually(lambda: store.info("t").publisher.alive is False)
    assert store.attach("t")["a"].to_pylist() == [1.0, None]


def test_a_forked_child_reads_and_publishes_by_itself(new_r, store) -> None:
    """`mclapply` in a process that has a table attached and has published: neither is undone by the children's end."""
    store.share(numbers(), "t")
    one = new_r()
    one.run('t <- attach_table("t"); share_table(data.frame(a = 1), "mine")')
    found = one.get("unlist(parallel::mclapply(1:4, function(i) sum(t$d) + i, mc.cores = 2))")
    assert found == [sum(range(1000)) / 2 + i for i in range(1, 5)]
    one.run('parallel::mclapply(1:2, function(i) share_table(data.frame(a = i), paste0("child", i)), mc.cores = 2)')
    assert store.info("mine").publisher.alive is True
    assert one.pid in [holder.pid for holder in store.info("t").holders]
    eventually(lambda: [store.info(f"child{i}").publisher.alive for i in (1, 2)] == [False, False])
    assert store.attach("child2")["a"].to_pylist() == [2]


def test_an_interrupt_while_it_waits_leaves_nothing(new_r, store, directory) -> None:
    import fcntl

    store.share(numbers(), "t")
    one = new_r()
    fd = os.open(directory / ".live", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    one.start('share_table(data.frame(a = 1), "mine")')
    time.sleep(0.3)
    one.process.send_signal(signal.SIGINT)
    with signals("interrupt"):
        one.wait()
    os.close(fd)
    assert [table.name for table in store.tables()] == ["t"]
    one.run('share_table(data.frame(a = 1), "mine")')
    assert sorted(os.listdir(directory)) == [".live", ".pins", "mine.arrow", "t.arrow"]


def test_a_table_is_shared_between_r_and_julia_too(r, store, tmp_path: Path) -> None:
    r.run('share_table(data.frame(a = 1:3, b = c("x", NA, "é"), f = factor(c("u", "v", "u"))), "r")')
    table = store.attach("r", to="stored", validate="full")
    assert table.to_pydict() == {"a": [1, 2, 3], "b": ["x", None, "é"], "f": ["u", "v", "u"]}
    assert store.info("r").publisher.language == "R"
