"""Names on a magic's line: variables in them, quotes around them, and no part of them that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm
from jupyter_arrowshm.notebook.snippets import julia_line, magic_line, python_line, quoted, r_line, variable_for

CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "attach-lines.json").read_text())["cases"]
TABLE = "import pyarrow as pa\nt = pa.table({'a': [1, 2, 3]})\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case["name"]))
def test_the_lines_are_those_of_the_sidebar(case: dict[str, str]) -> None:
    name = case["name"]
    assert magic_line(name) == case["magic"]
    assert julia_line(name) == case["julia"]
    assert r_line(name) == case["r"]
    assert python_line(name, variable_for(name), {"to": "source"}) == case["python"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{n}", "7"),
        ("$n", "7"),
        ("t_{n}_{city}", "t_7_Oslo"),
        ("t$n", "t7"),
        ("t{n:03d}", "t007"),
        ("t{n+1}", "t8"),
        ("{row['the city']}", "Lima"),
        ('{row["the city"]}', "Lima"),
        ("{cities[1]}", "Rome"),
        ("{point.x}", "x5"),
        ("{city!r}", "'Oslo'"),
        ("'{n}'", "{n}"),
        ('"{n}"', "{n}"),
        ("'$n'", "$n"),
        ("'t_'{n}", "t_{n}"),
        ("{unknown}", "{unknown}"),
        ("$unknown", "$unknown"),
        ("t{", "t{"),
        ("{1+1}", "{1+1}"),
        ("{}", "{}"),
    ],
)
def test_all_five_magics_read_a_name_alike(model: Notebook, store: shm.Store, text: str, name: str) -> None:
    model.ok(f"{TABLE}n, city, cities = 7, 'Oslo', ['Oslo', 'Rome']\nrow = {{'the city': 'Lima'}}")
    model.ok("class point:\n    x = 'x5'")
    model.ok(f"for _ in [1]:\n    %share t as {text}")
    assert store.names() == [name]
    model.ok(f"%attach {text} as found\n%attach {text}\n%shared {text}")
    assert model.get("found.num_rows") == "3" and model.get(f"{variable_for(name)}.num_rows") == "3"
    assert f"{name}: detached" in model.ok(f"%detach {text}")
    model.ok(f"%unshare {text}")
    assert store.names() == []


def test_in_a_loop(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}for n in range(3):\n    part = t.slice(n)\n    %share part as part_{{n}}")
    report.ok("for n in range(3):\n    %attach part_{n} as p{n}\n    %attach part_$n as q$n")
    assert report.get("[p0.num_rows, p1.num_rows, q2.num_rows]") == "[3, 2, 1]"
    model.ok("for n in range(3):\n    %unshare part_{n}")
    assert store.names() == []


def test_a_variable_is_never_put_into_the_expression(model: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}n = 'wrong'\n%share pa.table({{'{{n}}': ['$n', '{{n}}']}}) as made")
    assert store.attach("made").to_pydict() == {"{n}": ["$n", "{n}"]}


def test_options_columns_and_kinds_from_variables(report: Notebook, store: shm.Store) -> None:
    store.share(pa.table({"a": [1], "b c": [2], "{d}": [3]}), "t")
    report.ok("columns, kind, d, copy = 'b c,a', 'pandas', 'wrong', '--copy'\n%attach t --columns {columns} --to $kind")
    assert report.get("list(t)") == "['b c', 'a']"
    report.ok("%attach t as u --columns '{d}'")
    assert report.get("u.column_names") == "['{d}']"
    assert report.error("%attach {copy}").startswith("there is no shared table '--copy'.")


@pytest.mark.parametrize(
    "name",
    [
        "{ran.append(1)}",
        "{t.append(1)}",
        "$ran.append",
        "{[ran.append(1)]}",
        "{(lambda:ran.append(1))()}",
        "{__import__('os').system('true')}",
        "{ran.__iadd__([1])}",
        "t{ran.append(1)}{n}",
        '";ran.append(1);"',
        "';ran.append(1)#",
    ],
)
def test_the_name_of_a_table_never_runs(model: Notebook, report: Notebook, store: shm.Store, name: str) -> None:
    """It does not run in the printed lines, nor when somebody types what a list shows."""
    store.share(pa.table({"a": [1]}), name)
    report.ok("ran, n, t = [], 7, []")
    for magic in ("attach", "shared", "detach", "unshare"):
        for word in (name, quoted(name)):
            report.run(f"%{magic} {word}")
        report.run(f"for _ in [1]:\n    %{magic} {name}")
    report.run(f"%share 1 as {name}")
    report.run(magic_line(name))
    assert report.get("ran, n, t") == "([], 7, [])"
    assert store.names() == [name]


def test_the_message_says_how_to_name_a_table_that_is_really_called_that(report: Notebook, store: shm.Store) -> None:
    store.share(pa.table({"a": [1]}), "{f(1)}")
    report.ok("f = print")
    assert "quote the name if the table is called that" in report.error("%attach {f(1)} as u")
    report.ok("%attach '{f(1)}' as u")
    assert report.get("u.num_rows") == "1"


def test_every_line_that_is_printed_attaches_the_table(model: Notebook, report: Notebook) -> None:
    """For each odd name: what %share prints, what %shared prints, and the line for a private copy."""
    model.ok("import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nn = x = end = as_ = 'wrong'")
    report.ok("n = x = b = 'wrong'")
    for case in CASES:
        name = case["name"]
        shown = model.ok(f"%share df as {quoted(name)}")
        line = next(line for line in shown.splitlines() if "Python: " in line).partition(": ")[2]
        attached = report.ok(line)
        variable = line.rpartition(" ")[2]
        assert report.get(f"{variable}['a'].tolist()") == "[1]"
        again = report.ok(f"%shared {quoted(name)}")
        assert line in again and f"Julia: {case['julia']}" in again and f"R: {case['r']}" in again
        copy = next(line for line in attached.splitlines() if "--copy" in line).partition("into it: ")[2]
        assert "a private copy" in report.ok(copy), copy
        report.ok(f"%detach {quoted(name)}\n%unshare {quoted(name)} --force")


@pytest.mark.parametrize("name", [one["name"] for one in CASES if one["magic"].partition(" as ")[0] != one["magic"]])
def test_what_is_bound_is_what_python_looks_up(name: str) -> None:
    space: dict[str, int] = {}
    exec(f"{variable_for(name)} = 1", space)
    assert variable_for(name) in space


def test_letters_that_python_reads_as_others(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok("import pandas as pd\nµ = pd.DataFrame({'a': [1]})\n%share µ --move")
    assert store.names() == ["µ"]
    assert model.get("(len(µ), [one for one in globals() if one == chr(0xb5)])") == "(1, [])"
    report.ok("%attach µ\n%attach µ as ﬁle")
    assert report.get("(len(µ), len(ﬁle), {chr(0xb5), 'ﬁle'} & set(globals()))") == "(1, 1, set())"
    assert report.ok("%detach ﬁle").startswith("ﬁle: ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("t as {nothing.here}", None),
        ("t as {n.here}", "{n.here} failed: AttributeError: "),
        ("t as {str(n)}", None),
        ("t as {n.bit_length()}", "{n.bit_length()} is more than a variable: put its value into one first"),
    ],
)
def test_mistakes(model: Notebook, store: shm.Store, line: str, says: str | None) -> None:
    ran = model.run(f"{TABLE}n = 7\n%share {line}")
    assert ran.status == "ok" if says is None else ran.error.startswith(says)
    assert store.names() == ([line.partition(" as ")[2]] if says is None else [])
