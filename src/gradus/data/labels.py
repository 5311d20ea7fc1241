"""Labels as they stand in a source -> positions in a list of class names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.data.text import quoted, readable, readable_and_distinct, row_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MISSING = -1
# int() refuses numbers beyond 4,300 digits; a class name that long is text.
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")

NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Labels:
    """One class a row.

    Attributes
    ----------
    codes : (n,) int64 positions in ``class_names``; -1 where the label is missing
    class_names : K different names; some may have no rows where the source declares its classes
    declared : the source fixed the order of the names; otherwise they are sorted
    """

    codes: NDArray[np.int64]
    class_names: tuple[str, ...]
    declared: bool = False


def order_of_names(names: Sequence[str]) -> list[int]:
    """Return the positions that sort ``names``: by number where all are integers, else as text.

    Examples
    --------
    >>> order_of_names(["10", "9", "-1"])
    [2, 1, 0]
    >>> order_of_names(["10", "9", "b"])
    [0, 1, 2]
    """
    if all(WHOLE_NUMBER.fullmatch(name) for name in names):
        return sorted(range(len(names)), key=lambda position: (int(names[position]), names[position]))
    return sorted(range(len(names)), key=lambda position: names[position])


def from_text(values: Sequence[str]) -> Labels:
    """Return the classes of labels that are text; an empty one is missing.

    Examples
    --------
    >>> from_text(["cat", "", "ant"])
    Labels(codes=array([ 1, -1,  0]), class_names=('ant', 'cat'), declared=False)
    """
    places: dict[str, int] = {}
    first = np.fromiter((places.setdefault(value, len(places)) for value in values), np.int64, len(values))
    raw = list(places)
    kept = [place for place, value in enumerate(raw) if value.strip()]
    names = readable_and_distinct(raw[place] for place in kept)
    order = order_of_names(names)
    code_of_place = np.full(len(raw), MISSING, dtype=np.int64)
    for code, position in enumerate(order):
        code_of_place[kept[position]] = code
    return Labels(code_of_place[first] if len(raw) else first, tuple(names[position] for position in order))


def from_cells(values: Sequence[str], where: str) -> Labels:
    """Return the classes of labels from a file without types: numbers such as "1.0" are the class 1; "01" is text.

    Raises
    ------
    InputError : if all labels are numbers and one of them is not whole

    Examples
    --------
    >>> from_cells(["1.0", "2.0", "", "10.0"], "y.txt")
    Labels(codes=array([ 0,  1, -1,  2]), class_names=('1', '2', '10'), declared=False)
    """
    distinct = {value.strip() for value in values} - {"", "nan", "NaN"}
    if not all(NUMBER.fullmatch(value) for value in distinct) or all(
        WHOLE_NUMBER.fullmatch(value) for value in distinct
    ):
        return from_text(values)
    return from_numbers(np.array([float(value) if value.strip() else np.nan for value in values]), where)


def from_numbers(values: NDArray[np.generic], where: str) -> Labels:
    """Return the classes of labels that are integers, bools, or floats with integer values; NaN is missing.

    Raises
    ------
    InputError : if a label is infinite or not a whole number: that is a quantity, not a class

    Examples
    --------
    >>> from_numbers(np.array([2.0, 10.0, 2.0]), "y")
    Labels(codes=array([0, 1, 0]), class_names=('2', '10'), declared=False)
    """
    missing = np.zeros(len(values), dtype=bool)
    if np.issubdtype(values.dtype, np.floating):
        missing = np.isnan(values)
        odd = ~missing & ((values != np.floor(values)) | ~np.isfinite(values))
        if odd.any():
            row = int(np.argmax(odd))
            raise InputError(
                f"{where}: the label of {row_name(row)} is {values[row]}, which is not a class; "
                "expected names or whole numbers: round them, or name another column"
            )
    distinct, codes = np.unique(values[~missing], return_inverse=True)
    every = np.full(len(values), MISSING, dtype=np.int64)
    every[~missing] = codes
    whole = distinct.dtype == np.bool_ or np.issubdtype(distinct.dtype, np.integer)
    return Labels(every, tuple(str(value if whole else int(value)) for value in distinct.tolist()))


def from_array(values: NDArray[np.generic], where: str) -> Labels:
    """Return the classes of an array of labels: (n,) or (n, 1), numbers or text.

    Raises
    ------
    InputError : if the array has another shape (one-hot rows, say) or holds something else
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(
            f"{where}: the labels have the shape {values.shape}; expected one label a row, (n,): "
            "turn one-hot rows into classes with argmax(axis=1)"
        )
    if values.dtype.kind in "biuf":
        return from_numbers(values, where)
    if values.dtype.kind == "U":
        return from_text(values.tolist())
    if values.dtype.kind == "S":
        return from_text([text.decode("utf-8", "replace") for text in values.tolist()])
    raise InputError(f"{where}: the labels are of the type {values.dtype}; expected numbers or text: convert them")


def from_declared(codes: NDArray[np.int64], names: Sequence[str], where: str) -> Labels:
    """Return labels that are positions in ``names``, in the order of the source; negative codes are missing.

    Raises
    ------
    InputError : if a code is beyond the names
    """
    beyond = codes >= len(names)
    if beyond.any():
        row = int(np.argmax(beyond))
        raise InputError(
            f"{where}: the label of {row_name(row)} is {codes[row]}, but the file declares {len(names)} classes; "
            "expected a number below that: correct the label or the declaration"
        )
    return Labels(np.maximum(codes, MISSING), tuple(readable_and_distinct(names)), declared=True)


def concatenated(first: Labels, second: Labels, where: str) -> Labels:
    """Return the labels of both, with the classes of ``first``.

    Raises
    ------
    InputError : if ``second``, the test part named ``where``, has a class that ``first`` lacks
    """
    code_of = {name: code for code, name in enumerate(first.class_names)}
    present = np.bincount(second.codes[second.codes >= 0], minlength=len(second.class_names))
    for name, rows in zip(second.class_names, present, strict=True):
        if rows and name not in code_of:
            raise InputError(
                f"{where}: the class {quoted(readable(name))} is in the test split but not in the training rows; "
                "expected every class among the training rows: add some there or remove it from the test split"
            )
    translation = np.array([*(code_of.get(name, MISSING) for name in second.class_names), MISSING], dtype=np.int64)
    return Labels(np.concatenate([first.codes, translation[second.codes]]), first.class_names, first.declared)
