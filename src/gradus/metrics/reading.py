"""Labels, scores and what else a caller hands over, as tensors and arrays that are checked once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.metrics.policy import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_EXACT_INTEGER = 2**53  # float64 holds every integer up to here


def rows_of(y_true: Any) -> Rows:
    """Return ``y_true`` as ``Rows``."""
    return y_true if isinstance(y_true, Rows) else Rows(y_true)


def read_scores(scores: Any) -> Tensor:
    """Return (n, K) scores as a floating tensor, without copying floats of native byte order.

    Raises
    ------
    InputError : if they are no matrix of real numbers, or integers too large for float64
    """
    given = scores.detach() if isinstance(scores, torch.Tensor) else _tensor(scores)
    if given.ndim != 2:
        raise InputError(
            f"scores have shape {tuple(given.shape)}; (n, K) was expected, a row per sample and a column per class"
        )
    if given.shape[1] == 0:
        raise InputError("scores have no columns; give one for each class")
    if given.dtype in _FLOATS:
        return given
    if given.is_complex() or given.dtype == torch.bool or given.is_floating_point():
        raise InputError(f"scores are {given.dtype}; give float16, bfloat16, float32 or float64")
    if given.numel() and max(-int(given.min()), int(given.max())) > _EXACT_INTEGER:
        raise InputError("integer scores beyond 2**53 would be rounded and tied: convert them to floats yourself")
    return given.to(torch.float64)


def _tensor(scores: Any) -> Tensor:
    array = np.asarray(scores)
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        raise InputError(f"scores have type {array.dtype}; a matrix of float16, float32 or float64 was expected")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    with warnings.catch_warnings():
        # torch has no read-only tensors; nothing here writes to this one
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def read_labels(labels: Any, classes: Sequence[Any] | None, n_classes: int) -> NDArray[np.int64]:
    """Return the column of each label, and another number where there is none.

    Raises
    ------
    InputError : if labels have more than one axis, are no integers where ``classes`` is None, or if ``classes`` are not
        ``n_classes`` distinct labels
    """
    if classes is not None:
        return _codes(labels, list(classes), n_classes)
    array = np.asarray(on_host(labels))
    _require_one_axis(array.shape)
    if array.dtype.kind not in "iub" and array.size:
        raise InputError(
            f"labels have type {array.dtype}; integers from 0 to {n_classes - 1} were expected "
            "(for names, give Policy(classes=...))"
        )
    return np.ascontiguousarray(array, dtype=np.int64)


def _codes(labels: Any, classes: list[Any], n_classes: int) -> NDArray[np.int64]:
    column = {name: position for position, name in enumerate(classes)}
    if len(classes) != n_classes or len(column) != n_classes:
        raise InputError(
            f"classes name {len(column)} distinct labels, the scores have {n_classes} columns: give one name for each"
        )
    _require_one_axis(np.shape(labels))
    values = listed(labels)
    return np.fromiter((column.get(value, -1) for value in values), dtype=np.int64, count=len(values))


def listed(labels: Any) -> list[Any]:
    """Return labels as plain Python values."""
    values: list[Any] = labels.tolist() if isinstance(labels, np.ndarray | torch.Tensor) else list(labels)
    return values


def _require_one_axis(shape: Sequence[int]) -> None:
    if len(shape) != 1:
        raise InputError(f"labels have shape {tuple(shape)}; (n,) was expected, one label for each row of the scores")


def read_weights(weights: Any, n_rows: int) -> NDArray[np.float64] | None:
    """Return sample weights as float64, or None where there are none.

    Raises
    ------
    InputError : if they are not one finite number >= 0 for each row, with a positive sum
    """
    if weights is None:
        return None
    array = np.asarray(on_host(weights), dtype=np.float64)
    if array.shape != (n_rows,):
        raise InputError(f"sample weights have shape {array.shape}; ({n_rows},) was expected, one for each row")
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if bad.size:
        raise InputError(f"sample weight {array[bad[0]]} of row {bad[0]} is not a finite number >= 0: correct it")
    return array + 0.0  # -0.0 becomes 0.0, so that equal weights have equal bits


def read_identifiers(identifiers: Any, n_rows: int, what: str) -> NDArray[Any] | None:
    """Return groups or row ids as an array of integers or of strings, or None where there are none."""
    if identifiers is None:
        return None
    array = np.asarray(on_host(identifiers))
    if array.shape != (n_rows,):
        raise InputError(f"{what} have shape {array.shape}; ({n_rows},) was expected, one for each row")
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array):
        array = array.astype(np.str_)
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind not in "iub" and array.size:
        raise InputError(f"{what} have type {array.dtype}; integers or strings were expected")
    return array.astype(np.int64)


def on_host(values: Any) -> Any:
    """Return a tensor as an array of numpy, and anything else as it is."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values


def read_k(k: Any, n_classes: int) -> tuple[int, ...]:
    """Return the numbers of guesses, distinct and ascending.

    Raises
    ------
    InputError : if there is none, or one is no integer from 1 to ``n_classes``
    """
    given = [k] if np.ndim(k) == 0 else list(k)
    if not given:
        raise InputError("k is empty; give at least one number of guesses, such as k=(1, 5)")
    for value in given:
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
            raise InputError(f"k is {value!r}; a positive integer, or several, was expected")
        if value < 1:
            raise InputError(f"k is {value}; at least 1 was expected")
        if value > n_classes:
            raise InputError(f"k is {value}, but the scores have {n_classes} classes: give k of at most {n_classes}")
    return tuple(sorted({int(value) for value in given}))
