"""Tables of text: comma-separated (``.csv``), tab-separated (``.tsv``), either one with ``.gz``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.core.progress import task
from gradus.data.arrays import as_exact_floats
from gradus.data.checks import check_some
from gradus.data.column import Column, column_of_cells
from gradus.data.columns import choose_columns
from gradus.data.labels import from_cells
from gradus.data.readers.delimited_table import find_layout, read_table
from gradus.data.source import Content, Source
from gradus.data.text import readable

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions


def open_delimited(path: Path, options: ReadOptions) -> Source:
    """Read a table of text whose first line names the columns; all but the label and the ids are features.

    Raises
    ------
    InputError : if the label column cannot be told, a row is ragged, or a feature is not a number
    """
    layout = find_layout(path)
    columns = choose_columns(layout.names, options, layout.where)
    sure = tuple(column for column in columns.features if column != columns.color)
    text = {column for column in (columns.label, columns.ids, columns.color) if column is not None}
    with task(f"reading {readable(path.name)}"):
        table = read_table(layout, sure, sorted(text))
    color = None
    if columns.color is not None:
        color = column_of_cells(layout.names[columns.color], _text(table, columns.color))
    features = columns.features if color is not None and color.is_number else sure
    check_some(table.num_rows, len(features), layout.where)
    numbers = _numbers(table, features, columns.color, color)
    kept, notes = _without_counter(layout.names, features, numbers)
    names = tuple(layout.names[features[place]] for place in kept)

    def load(rows: NDArray[np.int64]) -> Content:
        chosen = numbers[np.ix_(rows, kept)] if len(rows) < len(numbers) or notes else numbers
        return Content(as_exact_floats(np.ascontiguousarray(chosen)), feature_names=names)

    return Source(
        where=layout.where,
        name=readable(path.name.split(".")[0]) or layout.where,
        rows=table.num_rows,
        load=load,
        labels=None if columns.label is None else from_cells(_text(table, columns.label), layout.where),
        row_ids=None if columns.ids is None else [readable(name) for name in _text(table, columns.ids)],
        color=color,
        notes=(*columns.notes, *notes),
    )


def _numbers(
    table: pa.Table, columns: tuple[int, ...], parsed: int | None, values: Column | None
) -> NDArray[np.float64]:
    """Return the columns side by side, (rows, columns), of which ``parsed`` has the ``values``; null is NaN."""
    numbers = np.empty((table.num_rows, len(columns)), dtype=np.float64)
    for place, column in enumerate(columns):
        numbers[:, place] = values.values if column == parsed and values else table[f"f{column}"].to_numpy()
    return numbers


def _text(table: pa.Table, column: int) -> list[str]:
    return [cell.decode("utf-8", "replace") for cell in table[f"f{column}"].to_pylist()]


def _without_counter(
    names: tuple[str, ...], features: tuple[int, ...], numbers: NDArray[np.float64]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return the places to keep: all but a first column without a name that only counts the rows.

    Data-frame libraries write such a column, and where the rows are sorted by class it gives the answer away.
    """
    places = np.arange(len(features))
    counts = len(places) > 1 and features[0] == 0 and not names[0].strip()
    if not counts or not np.array_equal(numbers[:, 0], np.arange(len(numbers))):
        return places, ()
    return places[1:], ("The first column has no name and only counts the rows; it was left out.",)
