"""Top-k errors of scores, of rank counts, and of tables of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.core.errors import InputError
from gradus.metrics.condensed import condensed
from gradus.metrics.figures import Sample
from gradus.metrics.intervals import Figures, Interval, Wilson
from gradus.metrics.policy import STRICT, AbsentClasses, Policy, Rows
from gradus.metrics.ranks import LEFT_OUT, RankCounts, RankedRows, ranked_rows
from gradus.metrics.reading import on_host, read_identifiers, read_k, read_labels, read_scores, read_weights, rows_of
from gradus.metrics.result import TopKErrors
from gradus.metrics.table import RankTable, distinct, together

if TYPE_CHECKING:
    from collections.abc import Sequence

WILSON = Wilson()


def top_k_errors(
    y_true: Any,
    scores: Any,
    k: int | Sequence[int] = (1, 5),
    *,
    interval: Interval = WILSON,
    policy: Policy = STRICT,
) -> TopKErrors:
    """Return the share of the rows whose label is not among the k classes of the highest scores, for every k at once.

    The headline ``error`` is the expectation over all orders in which tied classes could stand, so it depends on
    neither the device nor the order of the classes; ``optimistic`` and ``pessimistic`` bracket it.

    Parameters
    ----------
    y_true : (n,) labels, or ``Rows(labels, sample_weight=, groups=, row_ids=)``; torch, NumPy or a sequence
    scores : (n, K) real numbers, the greater the likelier: logits, probabilities, or any increasing function of them.
        float16, bfloat16, float32 or float64, C or Fortran order, on any device
    k : numbers of guesses, from 1 to K
    interval : ``Wilson()``, ``ClopperPearson()``, ``Bootstrap()`` or ``ClusterBootstrap()``
    policy : names of the classes; what to do with NaN scores, labels outside the classes, classes without a row

    Raises
    ------
    InputError : if there are no rows, if shapes or types are others than these, if a k is above K, or if a row is one
        that ``policy`` refuses

    Notes
    -----
    One pass over ``scores``, no sort; the rest is O(n log n) in small integers.

    Examples
    --------
    >>> scores = [[0.1, 0.7, 0.2], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [0.9, 0.0, 0.1]]
    >>> result = top_k_errors([2, 1, 2, 0], scores, k=(1, 2))
    >>> result[1].error, result[1].optimistic, result[1].pessimistic
    (0.375, 0.25, 0.5)
    >>> result.ties
    0.25
    """
    rows = rows_of(y_true)
    matrix = read_scores(scores)
    asked = read_k(k, matrix.shape[1])
    table = condensed(rows, matrix, policy, asked[-1])
    if table is not None:
        return errors_of(Sample(table, asked), interval, policy)
    ranked = ranked_rows(rows, matrix, policy)
    return errors_of(sample_of(tabulate(rows, ranked), k), interval, policy)


def top_k_errors_from_counts(
    y_true: Any,
    counts: tuple[Any, Any],
    *,
    n_classes: int,
    k: int | Sequence[int] = (1, 5),
    interval: Interval = WILSON,
) -> TopKErrors:
    """Return the errors that ``top_k_errors`` gives, from the counts that ``rank_counts`` gives.

    Parameters
    ----------
    y_true : (n,) integer labels, 0 to ``n_classes`` - 1, or ``Rows`` of them; another label is accepted only where
        the first count says that the row is a miss for every k (``n_classes``) or left out (-1)
    counts : (n,) classes scored above the label, -1 where the row is to be left out; and (n,) other classes whose score
        equals the label's
    n_classes : K
    k : numbers of guesses, from 1 to K
    interval : as in ``top_k_errors``

    Raises
    ------
    InputError : if the counts are no integers that scores of ``n_classes`` classes could give, or lengths differ

    Examples
    --------
    >>> top_k_errors_from_counts([2, 1, 2, 0], ([1, 0, 0, 0], [0, 1, 0, 0]), n_classes=3, k=1).error
    array([0.375])
    """
    rows = rows_of(y_true)
    codes = read_labels(rows.labels, None, n_classes)
    greater, equal = counts
    checked = RankCounts(_counts(greater, "greater", len(codes)), _counts(equal, "equal", len(codes)))
    _require_possible(codes, checked, n_classes)
    codes = np.where((codes >= 0) & (codes < n_classes), codes, n_classes)
    sample = sample_of(tabulate(rows, RankedRows(codes, checked, n_classes)), k)
    return errors_of(sample, interval, STRICT)


def sample_of(table: RankTable, k: int | Sequence[int]) -> Sample:
    """Return ``table``, whose rows need not be distinct, as intervals and errors want it."""
    asked = read_k(k, table.n_classes)
    if table.row_id is not None:
        table = together([table])
    return Sample(distinct(table.up_to(asked[-1])), asked)


def errors_of(sample: Sample, interval: Interval, policy: Policy) -> TopKErrors:
    """Return the errors of ``sample``."""
    table, sums = sample.table, sample.sums
    rows = table.rows
    if rows == 0:
        left_out = f" ({table.dropped} were left out because of their labels)" if table.dropped else ""
        raise InputError(f"there are no rows to state an error of{left_out}: give at least one")
    if table.mass.sum() <= 0:
        raise InputError("all sample weights are 0: give at least one row a positive weight")
    notes = _notes(table, int((sums.mass[:-1] > 0).sum()), policy)
    lower, upper = interval.limits(sample)
    value = Figures(sums.overall, sums.macro.expected, sums.per_class.expected, sums.tied / float(sums.mass.sum()))
    names = range(table.n_classes) if policy.classes is None else policy.classes
    return TopKErrors(
        k=sample.k,
        rows=rows,
        classes=tuple(names),
        class_rows=sums.rows[:-1],
        method=interval.method,
        level=interval.level,
        notes=notes,
        value=value,
        lower=lower,
        upper=upper,
    )


def _notes(table: RankTable, present: int, policy: Policy) -> tuple[str, ...]:
    absent = table.n_classes - present
    unknown = int(table.count[table.label == table.n_classes].sum())
    if absent and policy.absent_classes is AbsentClasses.ERROR:
        raise InputError(
            f"{absent} of the {table.n_classes} classes have no rows, so the macro error would not be of all classes: "
            "add rows, or give Policy(absent_classes=AbsentClasses.SKIP)"
        )
    said = [
        (
            absent,
            f"Classes without rows: {absent:,} of {table.n_classes:,}; macro errors are of the other {present:,}.",
        ),
        (unknown, f"{_rows(unknown)} with a label outside the classes: counted as a miss, in no class."),
        (table.dropped, f"{_rows(table.dropped)} left out, with a label outside the classes."),
    ]
    return tuple(note for number, note in said if number)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def tabulate(rows: Rows, ranked: RankedRows) -> RankTable:
    """Return one entry for each row that is not left out."""
    codes, (greater, equal), n_classes = ranked
    size = len(codes)
    table = RankTable(
        n_classes=n_classes,
        label=codes,
        greater=greater,
        equal=equal,
        count=np.broadcast_to(np.int64(1), size),
        weight=read_weights(rows.sample_weight, size),
        group=read_identifiers(rows.groups, size, "groups"),
        row_id=read_identifiers(rows.row_ids, size, "row ids"),
    )
    kept = greater != LEFT_OUT
    if not kept.all():
        table = replace(table.select(kept), dropped=int(size - kept.sum()))
    return table


def _counts(counts: Any, name: str, n_rows: int) -> Any:
    array = np.asarray(on_host(counts))
    if array.shape != (n_rows,) or (array.dtype.kind not in "iu" and array.size):
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}; ({n_rows},) integers were expected, one per label"
        )
    return array.astype(np.int64)


def _require_possible(codes: Any, counts: RankCounts, n_classes: int) -> None:
    """Raise unless scores could give these counts, or a policy them."""
    greater, equal = counts
    scored = (greater >= 0) & (equal >= 0) & (greater + equal < n_classes) & (codes >= 0) & (codes < n_classes)
    by_policy = ((greater == n_classes) | (greater == LEFT_OUT)) & (equal == 0)
    bad = np.flatnonzero(~(scored | by_policy))
    if bad.size:
        row = int(bad[0])
        raise InputError(
            f"row {row} has label {codes[row]}, {greater[row]} greater and {equal[row]} equal scores, which no scores "
            f"of {n_classes} classes give: correct the counts or n_classes"
        )
