"""Julia and R, as the same things are written in each."""

from __future__ import annotations

import json

import julia_peers
import r_peers
from interpreter import Interpreter


class Dialect:
    """How a client is written."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.program = julia_peers.program() if kind == "julia" else r_peers.program()
        self.start: type[Interpreter] = julia_peers.Julia if kind == "julia" else r_peers.R

    def attach(self, name: str, place: str, more: str = "") -> str:
        if self.kind == "julia":
            return f"attach({json.dumps(name)}; from={json.dumps(place)}{more})"
        return f"attach_table({json.dumps(name)}, from = {json.dumps(place)}{more})"

    def share(self, table: str, name: str, place: str, *options: str) -> str:
        """``options`` are names of arguments that are to be true."""
        if self.kind == "julia":
            given = "".join(f", {option}=true" for option in options)
            return f"share({json.dumps(name)}, {table}; to={json.dumps(place)}{given})"
        given = "".join(f", {option} = TRUE" for option in options)
        return f"share_table({table}, {json.dumps(name)}, to = {json.dumps(place)}{given})"

    def unshare(self, name: str, place: str) -> str:
        if self.kind == "julia":
            return f"unshare({json.dumps(name)}; from={json.dumps(place)})"
        return f"unshare_table({json.dumps(name)}, from = {json.dumps(place)})"

    def frame(self, **columns: list[object]) -> str:
        """A table of these columns, in which None is what is missing."""
        vector = "[{}]" if self.kind == "julia" else "c({})"
        texts = {name: vector.format(", ".join(map(self._value, column))) for name, column in columns.items()}
        parts = ", ".join(f"{name} = {text}" for name, text in texts.items())
        return f"({parts},)" if self.kind == "julia" else f"data.frame({parts})"

    def _value(self, value: object) -> str:
        words = {None: "missing"} if self.kind == "julia" else {None: "NA", True: "TRUE", False: "FALSE"}
        return words.get(value) if value is None or (isinstance(value, bool) and value in words) else json.dumps(value)

    def column(self, table: str, name: str) -> str:
        return f"collect({table}.{name})" if self.kind == "julia" else f"I({table}${name})"

    @property
    def replace(self) -> str:
        """The argument that an error names."""
        return "replace=true" if self.kind == "julia" else "replace = TRUE"

    def total(self, table: str) -> str:
        return f"sum({table}.a)" if self.kind == "julia" else f"sum({table}$a)"

    def tables(self, place: str) -> str:
        if self.kind == "julia":
            return f"tables(from={json.dumps(place)})"
        return f"shared_tables(from = {json.dumps(place)})"

    def names(self, listed: str) -> str:
        """Name, rows, columns and use of each table, as one text."""
        if self.kind == "julia":
            return f"join([string(t.name, ' ', t.num_rows, ' ', t.num_columns, ' ', t.usage) for t in {listed}], ';')"
        return f"with({listed}, paste(name, rows, columns, in_use_by, collapse = ';'))"

    def shown(self, listed: str) -> str:
        if self.kind == "julia":
            return f'repr("text/plain", {listed}) * repr("text/html", {listed})'
        html = f"arrowshm:::repr_html.arrowshm_tables({listed})"
        return f"paste(c(capture.output(print({listed})), {html}), collapse = ' ')"

    def set(self, variable: str, value: str) -> str:
        if self.kind == "julia":
            return f"ENV[{json.dumps(variable)}] = {json.dumps(value)}"
        return f"Sys.setenv({variable} = {json.dumps(value)})"
