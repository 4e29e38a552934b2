"""A page of rows that is ready for display: numbers as they are, all else as text, and what was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..arrowtypes import plain
from .display import cut, numbers, texts
from .kind import is_bool8, is_comparable, kind, type_name
from .patience import Patience
from .source import Source

MAX_ROWS = 1000
MAX_COLUMNS = 200
MAX_CELL = 10_000
CELL = 250
MAX_BYTES = 1_700_000  # of the cells; with the metadata of 200 columns it stays below 2 MB
NAME = 100  # characters of a column's name


@dataclass(frozen=True)
class Frame:
    """The request: which rows and columns, by number, and how many characters a cell may have."""

    rows: Sequence[int]
    columns: Sequence[int]
    cell: int = CELL


@dataclass(frozen=True)
class Page:
    """``cut`` says which parts of the frame are not whole: ``rows``, ``columns``, ``cells``, ``names``."""

    batch: pa.RecordBatch
    cut: tuple[str, ...]


def page(source: Source, frame: Frame, patience: Patience) -> Page:
    """The first rows of ``frame``, as many as 2 MB and the time allow: one at least, if any was asked for."""
    columns, rows = frame.columns[:MAX_COLUMNS], frame.rows[:MAX_ROWS]
    # So that even one row fits: no character is longer than four bytes.
    cell = max(1, min(frame.cell, MAX_CELL, MAX_BYTES // (4 * max(1, len(columns)))))
    made = [[_cells(source, number, rows[:0], cell)] for number in columns]
    done, nbytes = 0, 0
    block = max(1, MAX_BYTES // (4 * cell * max(1, len(columns))))
    while done < len(rows) and block and (not patience.is_over() or not done):
        part = rows[done : done + block]
        cells = [_cells(source, number, part, cell) for number in columns]
        size = sum(array.nbytes for array, _ in cells)
        if done and nbytes + size > MAX_BYTES:
            break
        for column, found in zip(made, cells, strict=True):
            column.append(found)
        done, nbytes = done + len(part), nbytes + size
        # As many as are likely to fit, by what the rows so far took.
        block = min(2 * block, int((MAX_BYTES - nbytes) * done / max(1, nbytes)))
    num_cut = [sum(some for _, some in blocks) for blocks in made]
    fields = [_field(source.schema.field(number), number, some) for number, some in zip(columns, num_cut, strict=True)]
    arrays = [pa.concat_arrays([array for array, _ in blocks]) for blocks in made]
    # A batch of no columns has no rows either: pyarrow cannot make one with rows.
    batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
    not_whole = {
        "rows": done < len(frame.rows),
        "columns": len(columns) < len(frame.columns),
        "cells": any(num_cut),
        "names": any(len(source.schema.field(number).name) > NAME for number in columns),
    }
    return Page(batch, tuple(what for what, is_cut in not_whole.items() if is_cut))


def travels(type_: pa.DataType) -> bool:
    """Whether cells of this type are made into text by the reader of the page, and not here."""
    is_number = kind(type_) == "number" and not pa.types.is_decimal(plain(type_))
    return is_number or (kind(type_) == "bool" and not is_bool8(type_))


def _cells(source: Source, column: int, rows: Sequence[int], limit: int) -> tuple[pa.Array, int]:
    """Cells of one column as they travel, and how many of them were cut."""
    type_ = source.schema.field(column).type
    pieces = source.pieces(column, rows)
    if travels(type_):
        empty = numbers(pa.nulls(0, plain(type_)), range(0))
        found = [numbers(array, positions) for array, positions in pieces]
        return pa.concat_arrays([empty, *found]), 0
    shown = [text for array, positions in pieces for text in texts(array, type_, positions, limit)]
    num_cut = sum(text is not None and len(text) > limit for text in shown)
    if num_cut:
        shown = [text and cut(text, limit) for text in shown]
    return pa.array(shown, pa.string()), num_cut


def _field(field: pa.Field, number: int, num_cut: int) -> pa.Field:
    comparable = is_comparable(field.type)
    facts = {
        "column": str(number),
        "type": type_name(field.type),
        "kind": kind(field.type),
        "sortable": "true" if comparable else "false",
        "filterable": "true" if comparable else "false",
    }
    if num_cut:
        facts["cut"] = str(num_cut)
    type_ = plain(field.type) if travels(field.type) else pa.string()
    if pa.types.is_float16(type_):
        type_ = pa.float32()
    return pa.field(cut(field.name, NAME), type_, metadata=facts)
