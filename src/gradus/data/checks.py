"""What must hold of any data set, whatever it was read from; each check has its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.core.mapped import release
from gradus.data.text import listed, quoted, row_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradus.data.labels import Labels

LONGEST_ID = 1000
CHUNK_VALUES = 1 << 22


def check_same_length(rows: int, labels: int, where: str, beside: str = "labels") -> None:
    """Refuse labels (or what ``beside`` says) that are not one a row."""
    if rows != labels:
        raise InputError(f"{where}: there are {rows} rows but {labels} {beside}; expected one for every row")


def check_some(rows: int, columns: int, where: str) -> None:
    """Refuse data without rows or without features."""
    if rows == 0:
        raise InputError(f"{where}: there are no rows; expected at least two of each class: check the file")
    if columns == 0:
        raise InputError(
            f"{where}: the rows have no features; expected at least one column of numbers beside the label"
        )


def check_finite(
    features: NDArray[np.floating], feature_names: Sequence[str] | None, row_ids: Sequence[str], where: str
) -> None:
    """Refuse NaN and infinities; the sentence names the first one and says how many there are. One pass."""
    if features.dtype.kind != "f":
        return
    step = max(1, CHUNK_VALUES // max(1, features.shape[1]))
    first, count = None, 0
    for start in range(0, len(features), step):
        block = features[start : start + step]
        bad = ~np.isfinite(block)
        found = int(np.count_nonzero(bad))
        if found and first is None:
            row, column = divmod(int(np.argmax(bad)), bad.shape[1])
            first = (start + row, column)
        count += found
        release(block)
    if first is None:
        return
    row, column = first
    column_name = f"column {quoted(feature_names[column])}" if feature_names else f"column {column} (counted from 0)"
    value = features[row, column]
    others = f"; {count} values in all are not finite" if count > 1 else ""
    raise InputError(
        f"{where}: {row_name(row)}, called {quoted(row_ids[row])}, {column_name} is "
        f"{'NaN or empty' if np.isnan(value) else value}{others}; expected finite numbers: fill or remove them"
    )


def check_distinct(row_ids: Sequence[str], where: str) -> None:
    """Refuse an id that two rows share, an empty one, and one too long to be a name."""
    first_row: dict[str, int] = {}
    for row, name in enumerate(row_ids):
        if name in first_row:
            raise InputError(
                f"{where}: the rows {first_row[name]} and {row} (counted from 0) have the same id {quoted(name)}; "
                "expected a different one for every row: name another id column or none"
            )
        if not name or len(name) > LONGEST_ID:
            given = "is empty" if not name else f"has {len(name)} characters"
            raise InputError(
                f"{where}: the id of {row_name(row)} {given}; expected 1 to {LONGEST_ID}: choose another id column"
            )
        first_row[name] = row


def check_labelled(labels: Labels, row_ids: Sequence[str], where: str) -> None:
    """Refuse rows without a label; the sentence names the first one and says how many there are."""
    missing = np.flatnonzero(labels.codes < 0)
    if len(missing):
        row = int(missing[0])
        raise InputError(
            f"{where}: {row_name(row)}, called {quoted(row_ids[row])}, has no label ({len(missing)} in all); "
            "expected a label for every row: fill them in or remove those rows"
        )


def check_classes(labels: Labels, is_test: NDArray[np.bool_] | None, where: str) -> None:
    """Refuse classes that nothing can be learned of or tested on: one class only, a class with one row, and so on."""
    names = labels.class_names
    counts = np.bincount(labels.codes, minlength=len(names))
    present = [name for name, count in zip(names, counts, strict=True) if count]
    if len(present) == 1:
        raise InputError(
            f"{where}: every row has the label {quoted(present[0])}; expected at least two classes to tell apart: "
            "check the labels"
        )
    if is_test is None:
        _check_two_rows(names, counts, where)
        return
    in_training = np.bincount(labels.codes[~is_test], minlength=len(names))
    only_test = [name for name, all_rows, rows in zip(names, counts, in_training, strict=True) if all_rows and not rows]
    if only_test:
        raise InputError(
            f"{where}: the class {quoted(only_test[0])} is in the test split but not in the training rows; "
            "expected every class among the training rows: add some there or remove it from the test split"
        )
    if is_test.all() or not is_test.any():
        side = "no training rows" if is_test.all() else "no test rows"
        raise InputError(f"{where}: the given split has {side}; expected both: fill it or remove the split")


def _check_two_rows(names: Sequence[str], counts: NDArray[np.int64], where: str) -> None:
    single = [name for name, count in zip(names, counts, strict=True) if count == 1]
    if single:
        more = f" ({len(single)} such classes of {len(names)}: {listed(single, most=5)})" if len(single) > 1 else ""
        raise InputError(
            f"{where}: the class {quoted(single[0])} has one row{more}; expected at least two of each, one to "
            "learn from and one to test on: add rows, remove the class, or name another label column"
        )
