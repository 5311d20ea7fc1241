"""A column that is shown and not learned from: one value a row, a number or text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.data.labels import NUMBER
from gradus.data.text import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MISSING_CELLS = ("", "nan", "na", "n/a", "null", "none")


@dataclass(frozen=True)
class Column:
    """Values by their rows.

    Attributes
    ----------
    name : of the column
    values : (n,) float64, NaN where missing, or (n,) str, empty where missing
    """

    name: str
    values: NDArray[Any]

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.values.dtype.kind == "f"

    def at(self, rows: NDArray[np.int64]) -> Column:
        """Return the column at these positions."""
        return Column(self.name, self.values[rows])

    def followed_by(self, other: Column) -> Column:
        """Return the values of both; numbers beside text become text."""
        if self.is_number == other.is_number:
            return Column(self.name, np.concatenate([self.values, other.values]))
        return Column(self.name, np.concatenate([self.values.astype(np.str_), other.values.astype(np.str_)]))


def column_of_numbers(name: str, values: NDArray[Any]) -> Column:
    """Return a column of numbers."""
    return Column(name, np.asarray(values, dtype=np.float64))


def column_of_cells(name: str, cells: Sequence[str]) -> Column:
    """Return a column of cells from a file without types: numbers where all that are not missing are.

    Examples
    --------
    >>> column_of_cells("mass", ["1.5", "", "-2"]).values
    array([ 1.5,  nan, -2. ])
    >>> column_of_cells("kind", ["ant", "7"]).values.tolist()
    ['ant', '7']
    """
    plain = [readable(cell).strip() for cell in cells]
    missing = [cell.lower() in MISSING_CELLS for cell in plain]
    there = [cell for cell, gone in zip(plain, missing, strict=True) if not gone]
    if there and all(NUMBER.fullmatch(cell) for cell in there):
        return Column(name, np.array([np.nan if gone else float(c) for c, gone in zip(plain, missing, strict=True)]))
    return Column(name, np.array(["" if gone else cell for cell, gone in zip(plain, missing, strict=True)], np.str_))
