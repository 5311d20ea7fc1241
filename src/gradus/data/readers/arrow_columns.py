"""Arrow columns -> labels, names of rows, and features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gradus.core.errors import InputError
from gradus.data.arrays import as_exact_floats
from gradus.data.column import Column, column_of_numbers
from gradus.data.labels import MISSING, Labels, from_declared, from_numbers, from_text
from gradus.data.text import quoted, readable, row_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def is_number(kind: pa.DataType) -> bool:
    """Say whether every value is one number (or a bool)."""
    types = pa.types
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(test(kind) for test in tests)


def is_vector(kind: pa.DataType) -> bool:
    """Say whether every value is a list of numbers."""
    types = pa.types
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists) and is_number(kind.value_type)


def is_image(kind: pa.DataType) -> bool:
    """Say whether every value is an image as Hugging Face writes it: a struct with ``bytes`` and ``path``."""
    if not pa.types.is_struct(kind):
        return False
    fields = {field.name: field.type for field in kind}
    return "path" in fields and "bytes" in fields and _is_bytes(fields["bytes"])


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def labels_of(column: pa.ChunkedArray, declared: Sequence[str] | None, where: str) -> Labels:
    """Return the labels of a column of integers, floats, bools or text; null is missing.

    Raises
    ------
    InputError : if the column holds something else, or numbers that are not whole
    """
    plain = _plain(column)
    there = plain.is_valid().to_numpy(zero_copy_only=False)
    values = plain.drop_null()
    if pa.types.is_integer(values.type) and declared is not None:
        labels = from_declared(values.to_numpy(zero_copy_only=False).astype(np.int64), declared, where)
    elif is_number(values.type) and not pa.types.is_decimal(values.type):
        labels = from_numbers(values.to_numpy(zero_copy_only=False), where)
    elif is_text(values.type):
        labels = from_text(_texts(values))
    else:
        raise InputError(
            f"{where}: the label column is of the type {values.type}; expected integers or text: name another (--label)"
        )
    codes = np.full(len(there), MISSING, dtype=np.int64)
    codes[there] = labels.codes
    return Labels(codes, labels.class_names, labels.declared)


def names_of(column: pa.ChunkedArray, where: str) -> list[str]:
    """Return the values of an id column as text; null is empty.

    Raises
    ------
    InputError : if the column holds neither text nor numbers
    """
    plain = _plain(column)
    if is_text(plain.type):
        return [readable(name) for name in _texts(plain)]
    if not is_number(plain.type):
        raise InputError(f"{where}: the id column is of the type {plain.type}; expected text or integers")
    return ["" if value is None else str(value) for value in plain.to_pylist()]


def color_of(column: pa.ChunkedArray, name: str) -> Column:
    """Return a column of numbers or text to colour by; null is missing.

    Raises
    ------
    InputError : if the column holds neither
    """
    plain = _plain(column)
    if is_number(plain.type):
        return column_of_numbers(name, floats_of(plain))
    if is_text(plain.type):
        return Column(name, np.array([readable(cell) for cell in _texts(plain)], np.str_))
    raise InputError(f"the column {quoted(name)} is of the type {plain.type}; expected numbers or text (--color)")


def value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values, of a dictionary that of its entries."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Say whether every value is text or bytes."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind)) or _is_bytes(kind)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return one array, its dictionary (if any) resolved."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # what Arrow returns for no chunks, or too long an array
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], type=whole.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _texts(values: pa.Array) -> list[str]:
    # As bytes, because a file may hold text that is not UTF-8.
    large = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    raw = values.view(pa.large_binary() if large else pa.binary())
    return ["" if cell is None else cell.decode("utf-8", "replace") for cell in raw.to_pylist()]


def floats_of(values: pa.Array) -> NDArray[np.floating]:
    """Return numbers as float32 (from float16, float32, and integers that it holds exactly) or float64; null is NaN."""
    if pa.types.is_float64(values.type) or pa.types.is_decimal(values.type):
        return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    if pa.types.is_floating(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float32)
    whole = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
    return as_exact_floats(np.asarray(whole.to_numpy(zero_copy_only=False), dtype=np.float64))


def matrix_of_numbers(table: pa.Table) -> NDArray[np.floating]:
    """Return the columns of a table side by side, (rows, columns)."""
    columns = [floats_of(_plain(column)) for column in table.columns]
    matrix = np.empty((table.num_rows, len(columns)), dtype=np.result_type(np.float32, *columns))
    for place, column in enumerate(columns):
        matrix[:, place] = column
    return matrix


def matrix_of_vectors(
    column: pa.ChunkedArray, rows: NDArray[np.int64], width: int | None, where: str
) -> NDArray[np.floating]:
    """Return lists of one length as the rows of a matrix.

    Parameters
    ----------
    column : lists of numbers
    rows : the positions that they have in the source, for the sentence
    width : the length that is expected; None: that of the first list

    Raises
    ------
    InputError : if a list is missing or has another length; the sentence names the first one
    """
    lists = _plain(column)
    lengths = pc.list_value_length(lists).fill_null(-1).to_numpy(zero_copy_only=False)
    expected = int(lengths[0]) if width is None else width
    odd = np.flatnonzero((lengths != expected) | (lengths < 0))
    if len(odd):
        given = int(lengths[odd[0]])
        what = "is missing" if given < 0 else f"has {given} values"
        raise InputError(
            f"{where}: the list in {row_name(int(rows[odd[0]]))} {what}; "
            f"expected {max(expected, 0)}, as in the first row: correct or remove that row"
        )
    return floats_of(lists.flatten()).reshape(len(lists), expected)


def first_value(column: pa.ChunkedArray) -> str:
    """Return the first value that is not null and its row, for the middle of a sentence."""
    there = ((row, value) for row, value in enumerate(column.to_pylist()) if value is not None)
    row, value = next(there, (0, "null"))
    return f"{quoted(value)} in {row_name(row)}"
