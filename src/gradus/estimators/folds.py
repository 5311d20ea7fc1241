"""Which rows are fitted and which are held out."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv

from gradus.core.errors import InputError
from gradus.estimators.validation import TrainingData

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Fold(NamedTuple):
    """Positions of the rows fitted and of the rows held out."""

    fitted: NDArray[np.int64]
    held_out: NDArray[np.int64]


def chosen_folds(cv: Any, validation: Any, codes: NDArray[np.int64], random_state: Any) -> list[Fold]:
    """Return the folds of rows with the classes ``codes``.

    cv : folds in number (stratified; shuffled where ``random_state`` is given), a splitter of scikit-learn, or pairs of
        positions; validation : the share of the rows of a single stratified fold instead, in (0, 1), or None

    Raises
    ------
    InputError : if neither can be done with these rows
    """
    rows = np.zeros((len(codes), 1))
    if validation is not None and not (isinstance(validation, Real) and 0 < float(validation) < 1):
        raise InputError(f"validation is {validation!r}; expected None, a fraction above 0 and below 1, or rows (X, y)")
    try:
        if validation is not None:
            splitter = StratifiedShuffleSplit(1, test_size=float(validation), random_state=random_state)
        elif isinstance(cv, int) and not isinstance(cv, bool) and random_state is not None:
            splitter = StratifiedKFold(cv, shuffle=True, random_state=random_state)
        else:
            splitter = check_cv(cv, codes, classifier=True)
        folds = [Fold(np.asarray(fitted), np.asarray(held)) for fitted, held in splitter.split(rows, codes)]
    except (ValueError, TypeError) as error:
        given = f"cv is {cv!r}" if validation is None else f"validation is {validation!r}"
        raise InputError(f"{given}: {error}") from None
    for number, fold in enumerate(folds):
        if not len(fold.held_out) or len(np.unique(codes[fold.fitted])) < 2:
            raise InputError(
                f"fold {number} fits {len(fold.fitted)} rows and holds out {len(fold.held_out)}; "
                "expected rows of two classes or more to fit and a row or more to hold out"
            )
    return folds


def taken(data: TrainingData, index: NDArray[np.int64]) -> TrainingData:
    """Return the rows ``index`` of ``data``, their weights scaled to sum 1."""
    positions = torch.from_numpy(np.asarray(index, dtype=np.int64)).to(data.features.device)
    weights = data.weights[positions]
    if not weights.sum() > 0:
        raise InputError("the rows fitted in one fold have no weight: give other folds or weights")
    features = data.features.taken(positions)
    return TrainingData(features, data.targets[positions], weights / weights.sum(), data.classes)
