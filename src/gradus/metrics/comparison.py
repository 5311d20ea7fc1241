"""Is one classifier better than another on the same rows?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError
from gradus.metrics.intervals import require_level
from gradus.metrics.paired import mcnemar_exact, mcnemar_mid_p, tango_limits
from gradus.metrics.policy import STRICT, Policy, Rows
from gradus.metrics.ranks import LEFT_OUT, RankedRows, ranked_rows
from gradus.metrics.reading import read_k

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Comparison:
    """How two classifiers' top-k misses fall on the same rows.

    Attributes
    ----------
    k : number of guesses
    both_hit, only_a_misses, only_b_misses, both_miss : rows
    undecided : rows whose outcome for one of the two depends on how a tie is broken; they count as its misses
    """

    k: int
    both_hit: int
    only_a_misses: int
    only_b_misses: int
    both_miss: int
    undecided: int

    @property
    def rows(self) -> int:
        """Return how many rows were compared."""
        return self.both_hit + self.only_a_misses + self.only_b_misses + self.both_miss

    @property
    def error_a(self) -> float:
        """Return the error of the first classifier, ties counted as misses."""
        return (self.only_a_misses + self.both_miss) / self.rows

    @property
    def error_b(self) -> float:
        """Return the error of the second classifier, ties counted as misses."""
        return (self.only_b_misses + self.both_miss) / self.rows

    @property
    def difference(self) -> float:
        """Return the error of the first less that of the second: negative where the first is better."""
        return (self.only_a_misses - self.only_b_misses) / self.rows

    @property
    def exact_p(self) -> float:
        """Return the p-value of McNemar's exact test that the errors are equal."""
        return mcnemar_exact(self.only_a_misses, self.only_b_misses)

    @property
    def mid_p(self) -> float:
        """Return the mid-p value of McNemar's test."""
        return mcnemar_mid_p(self.only_a_misses, self.only_b_misses)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Tango's score interval of ``difference``.

        Raises
        ------
        InputError : unless ``level`` is between 0 and 1
        """
        require_level(level)
        return tango_limits(self.only_a_misses, self.only_b_misses, self.rows, level)

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain types that JSON can hold, the interval at 0.95."""
        low, high = self.interval()
        return {
            "k": self.k,
            "rows": self.rows,
            "error_a": self.error_a,
            "error_b": self.error_b,
            "difference": self.difference,
            "low": low,
            "high": high,
            "interval": {"method": "tango", "level": 0.95},
            "only_a_misses": self.only_a_misses,
            "only_b_misses": self.only_b_misses,
            "exact_p": self.exact_p,
            "mid_p": self.mid_p,
            "undecided": self.undecided,
        }

    def __str__(self) -> str:
        low, high = self.interval()
        tied = f" Outcomes that hang on ties, counted as misses: {self.undecided:,}." if self.undecided else ""
        return (
            f"On {self.rows:,} rows the top-{self.k} error of a is {self.error_a:.4f} and of b {self.error_b:.4f}: "
            f"a - b = {self.difference:+.4f} (95% interval {low:+.4f} .. {high:+.4f}); {self.only_a_misses:,} rows are "
            f"missed by a only, {self.only_b_misses:,} by b only (McNemar: exact p = {self.exact_p:.3g}, "
            f"mid-p = {self.mid_p:.3g}).{tied}"
        )


def compare_top_k(y_true: Any, a: Any, b: Any, k: int = 1, *, policy: Policy = STRICT) -> Comparison:
    """Compare the top-k errors of two classifiers on the same rows.

    Only the rows that one of them misses and the other does not speak for a difference (McNemar). A row is a hit if its
    label is among the k best however ties are broken.

    Parameters
    ----------
    y_true : (n,) labels
    a, b : (n, K) scores of the two, as in ``top_k_errors``; their scales need not agree
    k : number of guesses, from 1 to K
    policy : as in ``top_k_errors``

    Raises
    ------
    InputError : as ``top_k_errors``; if ``a`` and ``b`` differ in shape; if ``y_true`` has weights, groups or row ids,
        which McNemar's test cannot take into account

    Notes
    -----
    One pass over each of ``a`` and ``b``.

    Examples
    --------
    >>> a = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]
    >>> b = [[0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]
    >>> result = compare_top_k([0, 1, 1], a, b)
    >>> result.only_a_misses, result.only_b_misses, round(result.difference, 4)
    (0, 1, -0.3333)
    """
    if isinstance(y_true, Rows):
        if any(extra is not None for extra in (y_true.sample_weight, y_true.groups, y_true.row_ids)):
            raise InputError("a paired comparison takes rows as equal and independent: give labels without more")
        y_true = y_true.labels
    first, second = ranked_rows(y_true, a, policy), ranked_rows(y_true, b, policy)
    if first.n_classes != second.n_classes:
        raise InputError(f"a has {first.n_classes} columns and b {second.n_classes}: give scores of the same classes")
    asked = read_k(k, first.n_classes)
    kept = first.counts.greater != LEFT_OUT
    if len(asked) != 1 or not kept.any():
        raise InputError("a comparison is of one k and at least one row: give both")
    miss_a, open_a = _outcomes(first, asked[0], kept)
    miss_b, open_b = _outcomes(second, asked[0], kept)
    return Comparison(
        k=asked[0],
        both_hit=int((~miss_a & ~miss_b).sum()),
        only_a_misses=int((miss_a & ~miss_b).sum()),
        only_b_misses=int((~miss_a & miss_b).sum()),
        both_miss=int((miss_a & miss_b).sum()),
        undecided=int((open_a | open_b).sum()),
    )


def _outcomes(ranked: RankedRows, k: int, kept: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are misses, and which of these hang on a tie."""
    greater, equal = ranked.counts.greater[kept], ranked.counts.equal[kept]
    miss = greater + equal >= k
    return miss, miss & (greater < k)
