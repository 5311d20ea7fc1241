"""What top-k errors look like when they are handed over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError
from gradus.metrics.rendering import as_html, as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradus.metrics.figures import Floats
    from gradus.metrics.intervals import Figures


@dataclass(frozen=True)
class TopKError:
    """The errors for one number of guesses; all are fractions of the rows, in [0, 1].

    Attributes
    ----------
    k : the number of guesses
    error, low, high : share of the rows whose label is not among the k best, ties broken at random, and its interval
    optimistic, optimistic_low, optimistic_high : the same if the label wins every tie
    pessimistic, pessimistic_low, pessimistic_high : the same if the label loses every tie
    macro, macro_low, macro_high : mean over the classes present of the error of each; NaN where there is none
    """

    k: int
    error: float
    low: float
    high: float
    optimistic: float
    optimistic_low: float
    optimistic_high: float
    pessimistic: float
    pessimistic_low: float
    pessimistic_high: float
    macro: float
    macro_low: float
    macro_high: float


@dataclass(frozen=True, eq=False)
class PerClass:
    """The errors of each class.

    Attributes
    ----------
    classes : K labels
    rows : (K,) rows with that label
    error, low, high : (K, len(k)) expected errors and their intervals; NaN where a class has no rows
    """

    classes: tuple[Any, ...]
    rows: NDArray[np.int64]
    error: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class TopKErrors:
    """Top-k errors for several numbers of guesses, with an interval for every figure.

    ``result[5]`` is the ``TopKError`` for 5 guesses; the arrays below run along ``k``.

    Attributes
    ----------
    k : the numbers of guesses, ascending
    rows : how many rows were counted
    classes : the labels, in the order of the scores' columns
    class_rows : (K,) rows with each label
    method, level : of the intervals
    notes : what a person should know (rows left out, classes absent), a sentence each
    value, lower, upper : all figures, and their limits
    """

    k: tuple[int, ...]
    rows: int
    classes: tuple[Any, ...]
    class_rows: NDArray[np.int64]
    method: str
    level: float
    notes: tuple[str, ...]
    value: Figures
    lower: Figures
    upper: Figures

    @property
    def error(self) -> Floats:
        """Return the errors under random tie-breaking, the figures to quote."""
        return self.value.overall.expected

    @property
    def low(self) -> Floats:
        """Return the lower limits of ``error``."""
        return self.lower.overall.expected

    @property
    def high(self) -> Floats:
        """Return the upper limits of ``error``."""
        return self.upper.overall.expected

    @property
    def optimistic(self) -> Floats:
        """Return the errors if the label wins every tie."""
        return self.value.overall.optimistic

    @property
    def pessimistic(self) -> Floats:
        """Return the errors if the label loses every tie."""
        return self.value.overall.pessimistic

    @property
    def macro(self) -> Floats:
        """Return the means over the classes present of the errors of each."""
        return self.value.macro

    @property
    def ties(self) -> float:
        """Return the share of the rows whose label's score is tied with another class's."""
        return self.value.ties

    @property
    def per_class(self) -> PerClass:
        """Return the errors of each class."""
        return PerClass(self.classes, self.class_rows, self.value.per_class, self.lower.per_class, self.upper.per_class)

    def __getitem__(self, k: int) -> TopKError:
        """Return the errors for ``k`` guesses."""
        if k not in self.k:
            raise InputError(f"the error for k = {k} was not asked for; there are k = {', '.join(map(str, self.k))}")
        at = self.k.index(k)
        figures = (self.value, self.lower, self.upper)
        error, low, high = (float(figure.overall.expected[at]) for figure in figures)
        optimistic, optimistic_low, optimistic_high = (float(figure.overall.optimistic[at]) for figure in figures)
        pessimistic, pessimistic_low, pessimistic_high = (float(figure.overall.pessimistic[at]) for figure in figures)
        macro, macro_low, macro_high = (float(figure.macro[at]) for figure in figures)
        return TopKError(
            k=k,
            error=error,
            low=low,
            high=high,
            optimistic=optimistic,
            optimistic_low=optimistic_low,
            optimistic_high=optimistic_high,
            pessimistic=pessimistic,
            pessimistic_low=pessimistic_low,
            pessimistic_high=pessimistic_high,
            macro=macro,
            macro_low=macro_low,
            macro_high=macro_high,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain types that JSON can hold; NaN becomes None.

        ``per_class`` states the error for the fewest guesses as ``error`` and for the most as ``top_k``.
        """
        return {
            "interval": {"method": self.method, "level": self.level},
            "top_k": [{name: _plain(value) for name, value in vars(self[k]).items()} for k in self.k],
            "ties": self.value.ties,
            "ties_low": self.lower.ties,
            "ties_high": self.upper.ties,
            "counted_rows": self.rows,
            "per_class": [self._class_as_dict(column) for column in range(len(self.classes))],
            "notes": list(self.notes),
        }

    def _class_as_dict(self, column: int) -> dict[str, Any]:
        per_class = self.per_class

        def limits(at: int) -> dict[str, Any]:
            return {
                "error": _plain(per_class.error[column, at]),
                "low": _plain(per_class.low[column, at]),
                "high": _plain(per_class.high[column, at]),
            }

        return {
            "class": self.classes[column],
            "rows": int(self.class_rows[column]),
            **limits(0),
            "top_k": {"k": self.k[-1], **limits(-1)},
        }

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return value
    return None if math.isnan(value) else float(value)
