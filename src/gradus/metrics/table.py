"""The distinct outcomes of a sample, and how often each occurred.

Everything that top-k errors need of a row is its label and two integers (and a weight or a group, if it has one). Rows
that agree in all of these are counted together, in one canonical order. So two tables are added by adding integers, and
what is computed from a table cannot depend on the order of the rows or on how they were split.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

LARGEST_CLASSES = 2_000_000  # label, greater and equal are packed into 63 bits


@dataclass(frozen=True, eq=False)
class RankTable:
    """Distinct rows with their counts, sorted; ``distinct`` and ``together`` make them.

    Attributes
    ----------
    n_classes : K
    label : (m,) int64, 0 to K; K stands for a label outside the classes
    greater : (m,) integers, 0 to K
    equal : (m,) integers
    count : (m,) int64, how many rows are like this
    weight : (m,) float64, of each such row, or None where rows have no weights
    group : (m,) int64 or strings, or None
    row_id : (m,) int64 or strings, or None
    dropped : rows that were left out because of their labels
    """

    n_classes: int
    label: NDArray[np.int64]
    greater: NDArray[np.signedinteger[Any]]
    equal: NDArray[np.signedinteger[Any]]
    count: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None
    group: NDArray[Any] | None = None
    row_id: NDArray[Any] | None = None
    dropped: int = 0

    @property
    def rows(self) -> int:
        """Return how many rows were counted."""
        return int(self.count.sum())

    @property
    def mass(self) -> NDArray[np.float64]:
        """Return the sum of the weights of the rows behind each entry."""
        return self.count.astype(np.float64) if self.weight is None else self.count * self.weight

    def up_to(self, k: int) -> RankTable:
        """Return these rows with greater ranks counted as ``k``: the errors for 1 to ``k`` guesses are the same."""
        greater = np.minimum(self.greater, k)
        equal = self.equal
        if equal.any():
            equal = np.where(greater < k, equal, np.minimum(equal, 1))  # that there is a tie is still to be counted
        return replace(self, greater=greater, equal=equal, row_id=None)

    def select(self, chosen: NDArray[Any]) -> RankTable:
        """Return the entries that a mask or an index chooses."""
        return self.with_columns({name: column[chosen] for name, column in _columns(self).items()})

    def with_columns(self, columns: Mapping[str, Any]) -> RankTable:
        """Return this table with some of its columns replaced."""
        return replace(self, **columns)

    def require_addable(self, other: RankTable) -> None:
        """Raise ``InputError`` unless the two are of the same classes and hold the same things of each row."""
        if other.n_classes != self.n_classes:
            raise InputError(f"scores of {self.n_classes} and of {other.n_classes} classes do not add up")
        if len(self.count) and len(other.count) and _kinds(other) != _kinds(self):
            raise InputError(
                "one batch has weights, groups or row ids (or types of them) that another has not: give all or none"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the table in plain numbers, strings and lists."""
        columns = {name: column.tolist() for name, column in _columns(self).items()}
        return {"n_classes": self.n_classes, "dropped": self.dropped, **columns}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> RankTable:
        """Return the table that ``as_dict`` wrote.

        Raises
        ------
        InputError : if ``state`` lacks a part, has another, or its columns differ in length
        """
        known = {field.name for field in fields(cls)}
        needed = known - {"weight", "group", "row_id"}
        if not needed <= set(state) <= known:
            raise InputError(f"the state holds {sorted(state)}; what TopK.state_dict returned was expected")
        columns = {name: np.asarray(state[name]) for name in state if name not in ("n_classes", "dropped")}
        types = dict.fromkeys(("label", "greater", "equal", "count"), np.int64) | {"weight": np.float64}
        columns = {name: column.astype(types.get(name, column.dtype)) for name, column in columns.items()}
        if len({column.shape for column in columns.values()}) != 1:
            raise InputError("the columns of the state differ in length: it is not what TopK.state_dict returned")
        return cls(n_classes=int(state["n_classes"]), dropped=int(state["dropped"]), **columns)


def distinct(table: RankTable) -> RankTable:
    """Return ``table`` sorted, with equal entries counted together."""
    if table.n_classes > LARGEST_CLASSES:
        raise InputError(f"there are {table.n_classes} classes; at most {LARGEST_CLASSES} are supported")
    if not len(table.count):
        return table
    bases = int(table.greater.max()) + 1, int(table.equal.max()) + 1
    key = (table.label * bases[0] + table.greater) * bases[1] + table.equal
    others = [column for column in (table.weight, table.group, table.row_id) if column is not None]
    if not others and (table.count == 1).all():
        return _histogram(table, key, bases)
    order = np.lexsort((*others, key))
    sorted_table = table.select(order)
    changes = [column[order] for column in (key, *others)]
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in changes])
    starts = np.flatnonzero(first)
    return replace(sorted_table.select(starts), count=np.add.reduceat(sorted_table.count, starts))


def _histogram(table: RankTable, key: NDArray[np.int64], bases: tuple[int, int]) -> RankTable:
    """Count equal keys of single rows, by counting where that is possible and by sorting where not."""
    most_greater, most_equal = bases
    cells = int(key.max()) // most_equal + 1
    if cells <= 4 * len(key):
        is_tied = table.equal > 0
        tied = key[is_tied]
        untied = np.bincount((key[~is_tied] if tied.size else key) // most_equal, minlength=cells)
        occupied = np.flatnonzero(untied)
        tied_keys, tied_counts = np.unique(tied, return_counts=True)
        keys = np.concatenate([occupied * most_equal, tied_keys])
        counts = np.concatenate([untied[occupied], tied_counts])
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
    else:
        keys, counts = np.unique(key, return_counts=True)
    label_and_greater, equal = np.divmod(keys, most_equal)
    label, greater = np.divmod(label_and_greater, most_greater)
    return replace(table, label=label, greater=greater, equal=equal, count=counts.astype(np.int64))


def together(tables: Iterable[RankTable]) -> RankTable:
    """Return the sum of ``tables``; of rows with the same id, one is kept.

    Raises
    ------
    InputError : if they differ in the number of classes or in what they hold of each row, or if one row id comes with
        two labels, weights or groups
    """
    given = list(tables)
    tables = [table for table in given if len(table.count)] or given[:1]
    first = tables[0]
    for table in given:
        first.require_addable(table)
    columns = {name: np.concatenate([_columns(table)[name] for table in tables]) for name in _columns(first)}
    whole = replace(first.with_columns(columns), dropped=sum(table.dropped for table in given))
    return distinct(whole if whole.row_id is None else _once_per_id(whole))


def _once_per_id(table: RankTable) -> RankTable:
    """Keep one entry for each row id: the one with the largest rank, so that the choice depends on no order."""
    assert table.row_id is not None
    order = np.lexsort((-table.equal, -table.greater, table.row_id))
    ordered = table.select(order)
    assert ordered.row_id is not None
    first = np.ones(len(order), dtype=bool)
    first[1:] = ordered.row_id[1:] != ordered.row_id[:-1]
    for name in ("label", "weight", "group"):
        column = _columns(ordered).get(name)
        if column is not None:
            clash = np.flatnonzero(~first[1:] & (column[1:] != column[:-1]))
            if clash.size:
                raise InputError(
                    f"row id {ordered.row_id[clash[0]]!s} comes with two values of {name}: "
                    "row ids must be unique to a row"
                )
    kept = ordered.select(first)
    return replace(kept, count=np.ones_like(kept.count))


def _columns(table: RankTable) -> dict[str, NDArray[Any]]:
    return {
        field.name: column for field in fields(table) if isinstance(column := getattr(table, field.name), np.ndarray)
    }


def _kinds(table: RankTable) -> dict[str, str]:
    return {name: column.dtype.kind for name, column in _columns(table).items()}
