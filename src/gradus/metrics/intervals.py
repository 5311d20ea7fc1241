"""Intervals for errors: what a caller asks for, and the two that have closed forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import betaincinv, ndtri

from gradus.core.errors import InputError
from gradus.metrics.figures import Rates, Sample, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.metrics.figures import Floats


@dataclass(frozen=True, eq=False)
class Figures:
    """Every error of one result: the values themselves, or their lower or upper limits.

    Attributes
    ----------
    overall : (len(k),) each
    macro : (len(k),) expected error
    per_class : (K, len(k)) expected error; NaN where a class has no rows
    ties : share of the rows whose label's score is tied
    """

    overall: Rates
    macro: Floats
    per_class: Floats
    ties: float


class Interval(Protocol):
    """How sure the errors are."""

    @property
    def level(self) -> float:
        """Return the confidence level, between 0 and 1."""

    @property
    def method(self) -> str:
        """Return the name of the method, as files and tables state it."""

    def limits(self, sample: Sample) -> tuple[Figures, Figures]:
        """Return the lower and the upper limits of every figure of ``sample``."""


@dataclass(frozen=True)
class Wilson:
    """Wilson's score interval: the proportions p with |error - p| <= z sqrt(p (1 - p) / n).

    With ties, the expected error is the mean of fractions; p (1 - p) is the largest variance that a fraction of mean p
    can have, so the interval is then on the wide side. With sample weights, n is Kish's effective number of rows
    (sum w)^2 / sum w^2. The macro error has the n that gives a proportion of its size its variance (see
    docs/derivations/top-k.md).

    Parameters
    ----------
    level : between 0 and 1

    References
    ----------
    Wilson 1927, JASA 22, 209-212; Kish 1965, Survey Sampling, section 11.7

    Examples
    --------
    >>> low, high = Wilson().proportion(np.array(0.1), np.array(100.0))
    >>> round(float(low), 4), round(float(high), 4)
    (0.0552, 0.1744)
    """

    level: float = 0.95

    def __post_init__(self) -> None:
        require_level(self.level)

    @property
    def method(self) -> str:
        """Return ``"wilson"``."""
        return "wilson"

    def limits(self, sample: Sample) -> tuple[Figures, Figures]:
        """Return the lower and the upper limits of every figure of ``sample``; O(entries x len(k))."""

        def bounds(error: Rates, rows: Floats) -> tuple[Floats, Floats]:
            return self.proportion(error.expected, rows)

        return closed_form(sample, bounds, _z(self.level))

    def proportion(self, error: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return the limits for ``error``, the mean over ``rows`` (effective) rows; NaN where there are none."""
        z2 = _z(self.level) ** 2
        rows = np.where(rows > 0, rows, np.nan)
        centre = (error + z2 / (2 * rows)) / (1 + z2 / rows)
        half = np.sqrt(z2 * error * (1 - error) / rows + (z2 / (2 * rows)) ** 2) / (1 + z2 / rows)
        low = np.where(error <= 0, 0.0, np.clip(centre - half, 0, 1))
        high = np.where(error >= 1, 1.0, np.clip(centre + half, 0, 1))
        return np.where(np.isnan(error), np.nan, low), np.where(np.isnan(error), np.nan, high)


@dataclass(frozen=True)
class ClopperPearson:
    """Clopper and Pearson's interval: covers the error in at least ``level`` of all samples, whatever the error.

    With ties, the lower limit of the expected error is that of the optimistic count and the upper one that of the
    pessimistic count, which keeps the guarantee. With sample weights or for the macro error, the effective number of
    rows takes the place of n (Korn and Graubard), and there is no guarantee.

    Parameters
    ----------
    level : between 0 and 1

    References
    ----------
    Clopper & Pearson 1934, Biometrika 26, 404-413; Korn & Graubard 1998, Survey Methodology 24, 193-201

    Examples
    --------
    >>> low, high = ClopperPearson().proportion(np.array(0.1), np.array(100.0))
    >>> round(float(low), 4), round(float(high), 4)
    (0.049, 0.1762)
    """

    level: float = 0.95

    def __post_init__(self) -> None:
        require_level(self.level)

    @property
    def method(self) -> str:
        """Return ``"clopper-pearson"``."""
        return "clopper-pearson"

    def limits(self, sample: Sample) -> tuple[Figures, Figures]:
        """Return the lower and the upper limits of every figure of ``sample``; O(entries x len(k))."""

        def bounds(error: Rates, rows: Floats) -> tuple[Floats, Floats]:
            return self.proportion(error.optimistic, rows)[0], self.proportion(error.pessimistic, rows)[1]

        return closed_form(sample, bounds, _z(self.level))

    def proportion(self, error: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return the limits for ``error``, the mean over ``rows`` (effective) rows; NaN where there are none."""
        tail = (1 - self.level) / 2
        rows = np.where(rows > 0, rows, np.nan)
        misses, hits = error * rows, (1 - error) * rows
        low = np.where(error <= 0, 0.0, betaincinv(np.maximum(misses, 1e-300), hits + 1, tail))
        high = np.where(error >= 1, 1.0, betaincinv(misses + 1, np.maximum(hits, 1e-300), 1 - tail))
        return np.where(np.isnan(misses), np.nan, low), np.where(np.isnan(misses), np.nan, high)


def require_level(level: float) -> None:
    """Raise ``InputError`` unless ``level`` lies between 0 and 1."""
    if not 0 < level < 1:
        raise InputError(f"the level of an interval is {level}; a number between 0 and 1 was expected, such as 0.95")


def closed_form(
    sample: Sample, bounds: Callable[[Rates, Floats], tuple[Floats, Floats]], z: float
) -> tuple[Figures, Figures]:
    """Return the limits that ``bounds`` (of rates and effective rows) gives for every figure of ``sample``.

    Raises
    ------
    InputError : if the rows have groups, since such limits take rows as independent
    """
    if sample.table.group is not None:
        raise InputError("the rows have groups, but this interval takes rows as independent: use ClusterBootstrap")
    sums = sample.sums
    everyone = effective_rows(sums.mass.sum(), sums.square.sum())
    of_class = effective_rows(sums.mass, sums.square)[:-1]
    overall = sums.overall
    per_class = bounds(sums.per_class, of_class[:, None])
    macro = bounds(sums.macro, macro_rows(sums, z))
    expected = bounds(overall, everyone)
    optimistic = bounds(_only(overall.optimistic), everyone)
    pessimistic = bounds(_only(overall.pessimistic), everyone)
    ties = bounds(_only(np.asarray(sums.tied / sums.mass.sum())), everyone)
    low, high = (
        Figures(
            overall=Rates(expected[side], optimistic[side], pessimistic[side]),
            macro=macro[side],
            per_class=per_class[side],
            ties=float(ties[side]),
        )
        for side in (0, 1)
    )
    return low, high


def effective_rows(mass: Floats, square: Floats) -> Floats:
    """Return Kish's effective number of rows, (sum w)^2 / sum w^2; 0 where there are none."""
    mass, square = np.asarray(mass, dtype=np.float64), np.asarray(square, dtype=np.float64)
    rows: Floats = np.divide(mass**2, square, out=np.zeros_like(mass), where=square > 0)
    return rows


def macro_rows(sums: Tally, z: float) -> Floats:
    """Return the effective number of rows of the macro error, (len(k),).

    The macro error, the mean of C independent proportions, has the variance V = sum_c p_c (1 - p_c) / n_c / C^2. A
    single proportion p of n rows has the same if n = p (1 - p) / V. Classes with few rows say little of their own p_c,
    so each is drawn towards the mean of all with the weight of z^2 rows, which also keeps V positive where no row is a
    miss.
    """
    present = sums.mass[:-1] > 0
    rows = effective_rows(sums.mass, sums.square)[:-1][present, None]
    if not len(rows):
        return np.full(sums.misses.expected.shape[1], np.nan)
    error = sums.per_class.expected[present]
    pooled = (error * rows).sum(axis=0) + z**2 / 2
    pooled = pooled / (rows.sum() + z**2)
    drawn = (error * rows + pooled * z**2) / (rows + z**2)
    variance = (drawn * (1 - drawn) / rows).sum(axis=0) / len(rows) ** 2
    centre = drawn.mean(axis=0)
    effective: Floats = centre * (1 - centre) / variance
    return effective


def _only(error: Floats) -> Rates:
    return Rates(error, error, error)


def _z(level: float) -> float:
    """Return the two-sided normal quantile."""
    return float(ndtri((1 + level) / 2))
