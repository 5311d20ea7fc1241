"""A table of text as Arrow reads it, and, where that fails, the row and the cell at fault."""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as arrow_csv

from gradus.core.errors import InputError
from gradus.data.labels import NUMBER
from gradus.data.text import one_line, quoted, readable, row_name, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import BufferedReader
    from pathlib import Path

# A block is parsed by one thread, and a row must fit in one: as many bytes as this for every cell, and then some.
BLOCK_BYTES = 1 << 20
BYTES_A_CELL = 256
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, csv.Error)


@dataclass(frozen=True)
class Layout:
    """How the file is written.

    Attributes
    ----------
    path : the file
    names : of its columns, from its first line
    delimiter : between its cells
    """

    path: Path
    names: tuple[str, ...]
    delimiter: str

    @property
    def where(self) -> str:
        """How a sentence names the file."""
        return shown_path(self.path)


def find_layout(path: Path) -> Layout:
    """Return the column names and the delimiter: a tab for ``.tsv``, else a comma, or a semicolon if only that occurs.

    Raises
    ------
    InputError : if the file is empty or damaged, or its first line holds numbers instead of names
    """
    where = shown_path(path)
    try:
        with _bytes_of(path) as stream:
            lines = (line.decode("utf-8", "replace") for line in stream)
            first = next((line for line in lines if line.strip()), "").removeprefix("\ufeff")
            delimiter = _delimiter(path, first)
            names = tuple(map(readable, next(csv.reader(chain([first], lines), delimiter=delimiter), [])))
    except DAMAGED as error:
        raise InputError(f"{where}: damaged, or not a table of text ({one_line(error)}); write it again") from error
    if not names:
        raise InputError(f"{where}: the file is empty; expected a line of column names and then a line for every row")
    if all(NUMBER.fullmatch(name.strip()) for name in names):
        raise InputError(f"{where}: the first line holds numbers, not names; add a line of column names before it")
    return Layout(path, names, delimiter)


def _bytes_of(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.GzipFile(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _delimiter(path: Path, first: str) -> str:
    if ".tsv" in "".join(path.suffixes).lower():
        return "\t"
    return ";" if ";" in first and "," not in first else ","


def read_table(layout: Layout, numbers: Sequence[int], text: Sequence[int]) -> pa.Table:
    """Return the columns at the given positions, called "f0", "f1", ...: ``numbers`` as float64, ``text`` as bytes.

    An empty cell or NaN among the numbers is null.

    Raises
    ------
    InputError : if a row has more or fewer cells than the first line, or a cell is not a number
    """
    types = {f"f{column}": pa.float64() for column in numbers} | {f"f{column}": pa.binary() for column in text}
    try:
        return _arrow_table(layout, types)
    except pa.ArrowInvalid as error:
        raise _explained(layout, numbers, error) from error
    except DAMAGED as error:
        raise InputError(f"{layout.where}: damaged ({one_line(error)}); write it again") from error


def _arrow_table(
    layout: Layout,
    types: Mapping[str, pa.DataType],
    parse: arrow_csv.ParseOptions | None = None,
    *,
    threads: bool = True,
) -> pa.Table:
    # The first line is read as a row and skipped, since Arrow refuses names that are not UTF-8.
    reading = arrow_csv.ReadOptions(
        autogenerate_column_names=True,
        skip_rows_after_names=1,
        block_size=max(BLOCK_BYTES, BYTES_A_CELL * len(layout.names)),
        use_threads=threads,
    )
    parsing = parse or arrow_csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True)
    converting = arrow_csv.ConvertOptions(column_types=types, include_columns=list(types))
    with _bytes_of(layout.path) as stream:
        return arrow_csv.read_csv(stream, reading, parsing, converting)


def _explained(layout: Layout, numbers: Sequence[int], error: pa.ArrowInvalid) -> InputError:
    """Return the sentence for what stopped Arrow, found by reading everything once more as plain text."""
    ragged: list[arrow_csv.InvalidRow] = []

    def note_and_skip(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    parsing = arrow_csv.ParseOptions(
        delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=note_and_skip
    )
    everything = {f"f{column}": pa.binary() for column in range(len(layout.names))}
    try:
        table = _arrow_table(layout, everything, parsing, threads=False)
    except pa.ArrowInvalid:
        table = None
    if ragged:
        row = ragged[0]
        # Arrow counts from 1 and counts the line of names.
        return InputError(
            f"{layout.where}: {row_name(row.number - 2)} has {row.actual_columns} cells, {quoted(row.text)}; "
            f"expected {row.expected_columns}, as in the line of names: correct that row"
        )
    if table is not None:
        for column in numbers:
            if fault := _not_a_number(layout, column, table[f"f{column}"]):
                return fault
    return InputError(f"{layout.where}: not a readable table ({one_line(error)}); write it again")


def _not_a_number(layout: Layout, column: int, cells: pa.ChunkedArray) -> InputError | None:
    missing = arrow_csv.ConvertOptions().null_values
    for row, cell in enumerate(cells.to_pylist()):
        text = (cell or b"").decode("utf-8", "replace").strip()
        if text not in missing and not NUMBER.fullmatch(text) and text.lower().lstrip("+-") not in ("inf", "infinity"):
            return InputError(
                f"{layout.where}: the column {quoted(layout.names[column])} holds {quoted(text)} in {row_name(row)}; "
                "expected numbers in every column but the label: remove or encode the column, or name it as the label "
                "(--label) or the ids (--ids)"
            )
    return None
