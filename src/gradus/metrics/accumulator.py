"""Top-k errors of rows that come in batches, on several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError
from gradus.metrics.policy import STRICT, Policy
from gradus.metrics.ranks import ranked_rows
from gradus.metrics.reading import rows_of
from gradus.metrics.table import RankTable, together
from gradus.metrics.top_k import WILSON, errors_of, sample_of, tabulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradus.metrics.intervals import Interval
    from gradus.metrics.result import TopKErrors


class TopK:
    """Top-k errors, accumulated.

    The state is how many rows of each label have each rank: integers, which add without rounding. So ``compute`` gives
    the same bits however the rows were split into batches, ordered, or sharded over processes; and all of
    ``top_k_errors``'s figures for every k, whatever k will be asked for.

    Parameters
    ----------
    k : numbers of guesses that ``compute`` states
    interval, policy : as in ``top_k_errors``

    Notes
    -----
    The state holds each distinct (label, greater, equal) once, with weights and groups where there are some. With
    ``Rows(row_ids=...)`` it holds every row, and counts rows with the same id once: the one with the largest rank,
    should they differ (give ids where a distributed sampler pads with repeated rows).

    Examples
    --------
    >>> first, second = TopK(k=1), TopK(k=1)
    >>> first.update([0, 1], [[0.9, 0.1], [0.8, 0.2]])
    >>> second.update([1], [[0.3, 0.7]])
    >>> (first + second).compute()[1].error
    0.3333333333333333
    """

    def __init__(
        self, k: int | Sequence[int] = (1, 5), *, interval: Interval = WILSON, policy: Policy = STRICT
    ) -> None:
        self.k = k
        self.interval = interval
        self.policy = policy
        self._tables: list[RankTable] = []
        self._waiting = 0

    def update(self, y_true: Any, scores: Any) -> None:
        """Add a batch: labels (n,) or ``Rows`` of them, and scores (n, K).

        Raises
        ------
        InputError : as ``top_k_errors``, or if K differs from the batches before, or if one batch has weights, groups
            or row ids and another has not; the state is then as before
        """
        rows = rows_of(y_true)
        self._add(tabulate(rows, ranked_rows(rows, scores, self.policy)))

    def merge(self, other: TopK) -> None:
        """Add what ``other`` has accumulated; ``other`` stays as it is.

        Raises
        ------
        InputError : if the two have different policies, numbers of classes, or kinds of rows
        """
        if other.policy != self.policy:
            raise InputError("two TopK of different policies do not add up: make both with the same policy")
        table = other._table()
        if table is not None:
            self._add(table)

    def __add__(self, other: TopK) -> TopK:
        """Return a new ``TopK`` with the rows of both, and the settings of the first."""
        total = TopK(self.k, interval=self.interval, policy=self.policy)
        total.merge(self)
        total.merge(other)
        return total

    def compute(self) -> TopKErrors:
        """Return the errors of all rows so far.

        Raises
        ------
        InputError : if there are none, if a k is above the number of classes, or if one row id came with two labels
        """
        table = self._table()
        if table is None:
            raise InputError("there are no rows to state an error of: call update before compute")
        return errors_of(sample_of(table, self.k), self.interval, self.policy)

    def reset(self) -> None:
        """Forget all rows."""
        self._tables, self._waiting = [], 0

    def state_dict(self) -> dict[str, Any]:
        """Return the state, without the settings, in plain lists: ready for JSON or for another process."""
        table = self._table()
        return {} if table is None else table.as_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what ``state_dict`` returned.

        Raises
        ------
        InputError : if ``state`` is no such thing
        """
        tables = [RankTable.from_dict(state)] if state else []
        self.reset()
        for table in tables:
            self._add(table)

    def _add(self, table: RankTable) -> None:
        """Take a table in; add the waiting ones up once they are as large as the sum before, so updates stay cheap."""
        if self._tables:
            self._tables[0].require_addable(table)
        self._tables.append(table)
        self._waiting += len(table.count)
        if self._waiting > max(2 * len(self._tables[0].count), 100_000):
            self._table()

    def _table(self) -> RankTable | None:
        """Return the sum of all tables, and keep it in their place."""
        if not self._tables:
            return None
        if self._waiting:
            self._tables, self._waiting = [together(self._tables)], 0
        return self._tables[0]

    def __len__(self) -> int:
        """Return how many rows were counted."""
        table = self._table()
        return 0 if table is None else table.rows

    def __repr__(self) -> str:
        return f"TopK(k={self.k}, rows={len(self)})"
