"""Intervals from resampling the rows, or whole groups of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.metrics.figures import Rates, miss
from gradus.metrics.intervals import Figures, require_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.metrics.figures import Floats, Sample


class _Draws(Protocol):
    """How often each entry of a table was drawn, resample by resample."""

    def of(self, label: int, entries: NDArray[np.int64]) -> Floats:
        """Return (resamples, entries) counts for the entries of one label."""


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap over rows: as many are drawn with replacement as there are, and the quantiles taken.

    Weights travel with their rows. Where no row is a miss, no resample has one, and the interval is a point: prefer
    ``Wilson`` for errors near 0 or 1 and for classes with few rows. The limits of a class are over the resamples that
    hold it.

    Parameters
    ----------
    resamples : how many, at least 2
    seed : of the random numbers; the same seed gives the same limits, however the rows were split or ordered
    level : between 0 and 1

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3
    """

    resamples: int = 2000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        _require_resamples(self.resamples)
        require_level(self.level)

    @property
    def method(self) -> str:
        """Return ``"bootstrap"``."""
        return "bootstrap"

    def limits(self, sample: Sample) -> tuple[Figures, Figures]:
        """Return the lower and the upper limits of every figure of ``sample``; O(resamples x entries x len(k))."""
        return _quantiles(sample, _RowDraws(sample, self.resamples, np.random.default_rng(self.seed)), self)


@dataclass(frozen=True)
class ClusterBootstrap:
    """Percentile bootstrap over groups: whole groups are drawn with replacement, as many as there are.

    For rows that come in groups which share more than their class (images of one patient, frames of one video), where
    intervals that take rows as independent are too narrow. It needs ``Rows(groups=...)``, and a few dozen groups at
    least to be trusted.

    Parameters
    ----------
    resamples : how many, at least 2
    seed : of the random numbers
    level : between 0 and 1

    References
    ----------
    Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8
    """

    resamples: int = 2000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        _require_resamples(self.resamples)
        require_level(self.level)

    @property
    def method(self) -> str:
        """Return ``"cluster-bootstrap"``."""
        return "cluster-bootstrap"

    def limits(self, sample: Sample) -> tuple[Figures, Figures]:
        """Return the lower and the upper limits of every figure of ``sample``; O(resamples x entries x len(k))."""
        return _quantiles(sample, _GroupDraws(sample, self.resamples, np.random.default_rng(self.seed)), self)


class _RowDraws:
    """Rows drawn with replacement: first how many of each label, then which."""

    def __init__(self, sample: Sample, resamples: int, generator: np.random.Generator) -> None:
        if sample.table.group is not None:
            raise InputError("the rows have groups, which Bootstrap would not draw together: use ClusterBootstrap")
        self._generator = generator
        self._count = sample.table.count
        rows = sample.sums.rows
        self._of_label = generator.multinomial(rows.sum(), rows / rows.sum(), size=resamples)

    def of(self, label: int, entries: NDArray[np.int64]) -> Floats:
        share = self._count[entries] / self._count[entries].sum()
        return self._generator.multinomial(self._of_label[:, label], share).astype(np.float64)


class _GroupDraws:
    """Groups drawn with replacement."""

    def __init__(self, sample: Sample, resamples: int, generator: np.random.Generator) -> None:
        if sample.table.group is None:
            raise InputError("ClusterBootstrap needs to know the groups: give Rows(labels, groups=...) as labels")
        names, self._group = np.unique(sample.table.group, return_inverse=True)
        if len(names) < 2:
            raise InputError("all rows are in one group, which says nothing of how groups differ: give at least two")
        self._count = sample.table.count
        self._times = np.empty((resamples, len(names)), dtype=np.float32)  # exact: far below 2**24
        even = np.full(len(names), 1 / len(names))
        with progress.task("drawing groups", total=resamples) as drawing:
            for times in self._times:
                times[:] = generator.multinomial(len(names), even)
                drawing.advance()

    def of(self, label: int, entries: NDArray[np.int64]) -> Floats:
        counts: Floats = self._times[:, self._group[entries]].astype(np.float64) * self._count[entries]
        return counts


class _Sums:
    """What the resamples of all labels add up to."""

    def __init__(self, resamples: int, k: int) -> None:
        self.mass = np.zeros(resamples)
        self.tied = np.zeros(resamples)
        self.misses = [np.zeros((resamples, k)) for _ in range(3)]
        self.of_classes = np.zeros((resamples, k))
        self.present = np.zeros(resamples)


def _quantiles(sample: Sample, draws: _Draws, interval: Bootstrap | ClusterBootstrap) -> tuple[Figures, Figures]:
    table, sums = sample.table, _Sums(interval.resamples, len(sample.k))
    levels = np.array([(1 - interval.level) / 2, (1 + interval.level) / 2])
    per_class = np.full((2, table.n_classes, len(sample.k)), np.nan)
    starts = np.searchsorted(table.label, np.arange(table.n_classes + 2))  # entries are sorted by label
    with progress.task("resampling", total=table.n_classes + 1) as resampling:
        for label in range(table.n_classes + 1):
            entries = np.arange(starts[label], starts[label + 1])
            if entries.size:
                errors = _add(sums, sample, entries, draws.of(label, entries))
                if label < table.n_classes and len(errors):
                    per_class[:, label] = np.quantile(errors, levels, axis=0)
            resampling.advance()
    return _figures(sums, per_class, levels)


def _add(sums: _Sums, sample: Sample, entries: NDArray[np.int64], drawn: Floats) -> Floats:
    """Add the resamples of one label to ``sums``; return its expected errors in the resamples that hold it."""
    table = sample.table
    weight = np.ones(len(entries)) if table.weight is None else table.weight[entries]
    greater, equal = table.greater[entries][:, None], table.equal[entries][:, None]
    k = np.array(sample.k)
    readings = [miss(greater, equal, k), (greater >= k).astype(np.float64), (greater + equal >= k).astype(np.float64)]
    mass = drawn @ weight
    misses = [drawn @ (weight[:, None] * reading) for reading in readings]
    for total, more in zip(sums.misses, misses, strict=True):
        total += more
    sums.mass += mass
    sums.tied += drawn @ (weight * (equal[:, 0] > 0))
    present = mass > 0
    errors: Floats = misses[0][present] / mass[present, None]
    if table.label[entries[0]] < table.n_classes:
        sums.of_classes[present] += errors
        sums.present += present
    return errors


def _figures(sums: _Sums, per_class: Floats, levels: Floats) -> tuple[Figures, Figures]:
    counted, classed = sums.mass > 0, sums.present > 0
    mass = sums.mass[counted]
    readings = [np.quantile(total[counted] / mass[:, None], levels, axis=0) for total in sums.misses]
    ties = np.quantile(sums.tied[counted] / mass, levels)
    macro = np.full((2, per_class.shape[2]), np.nan)
    if classed.any():
        macro = np.quantile(sums.of_classes[classed] / sums.present[classed, None], levels, axis=0)
    low, high = (
        Figures(
            overall=Rates(readings[0][side], readings[1][side], readings[2][side]),
            macro=macro[side],
            per_class=per_class[side],
            ties=float(ties[side]),
        )
        for side in (0, 1)
    )
    return low, high


def _require_resamples(resamples: int) -> None:
    if resamples < 2:
        raise InputError(f"resamples is {resamples}; at least 2 were expected, and 2,000 are usual")
