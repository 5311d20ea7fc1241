"""Torch tensors given to an estimator: read where they lie, and answered with tensors there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from gradus.core.errors import InputError
from gradus.kernels.portions import row_blocks
from gradus.losses.features import STORED

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator
    from torch import Tensor


# what classes may be for torch to have them too
NUMBERS = (*(np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_), *(np.float64, np.float32, np.float16))


def is_tensor(X: Any) -> bool:
    """Tell whether ``X`` is a torch tensor, on whatever device."""
    return isinstance(X, torch.Tensor)


def as_array(values: Any) -> Any:
    """Return a tensor as a NumPy array in the processor's memory, copied only from elsewhere; other things as they are.

    bfloat16, which NumPy has not, becomes float32.

    Raises
    ------
    InputError : for a sparse tensor

    Examples
    --------
    >>> as_array(torch.tensor([1, 2])), as_array([1, 2])
    (array([1, 2]), [1, 2])
    """
    if not isinstance(values, torch.Tensor):
        return values
    _require_dense(values)
    held = values.detach().cpu()
    return (held.float() if held.dtype == torch.bfloat16 else held).numpy()


def answered(values: Tensor, X: Any) -> Any:
    """Return ``values`` as ``X`` is: a tensor on its device for a tensor, a NumPy array for anything else."""
    return values if is_tensor(X) else values.numpy()


def labels_at(positions: Tensor, classes: NDArray[Any], X: Any) -> Any:
    """Return the ``classes`` at ``positions``, as ``X`` is; of classes that torch has no numbers for, an array."""
    if is_tensor(X) and classes.dtype in NUMBERS:
        return torch.from_numpy(classes).to(positions.device)[positions]
    return classes[positions.cpu().numpy()]


def elsewhere(X: Any) -> bool:
    """Tell whether ``X`` is a tensor that is not in the processor's memory."""
    return isinstance(X, torch.Tensor) and X.device.type != "cpu"


def checked_on_device(estimator: BaseEstimator, X: Tensor, *, reset: bool) -> Tensor:
    """Return a tensor on a GPU as features: its shape, type and numbers checked there, nothing moved.

    float64, float32, float16, bfloat16 and uint8 stay what they are, other integers and truth values become float64.

    Raises
    ------
    InputError : for what is not a dense matrix of finite real numbers with a row and a column at least
    """
    _require_dense(X)
    if X.ndim != 2 or not X.numel() or X.is_complex():
        raise InputError(
            f"X has shape {tuple(X.shape)} and dtype {X.dtype}; expected a matrix of real numbers with at least one "
            "row (sample) and one column (feature)"
        )
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    matrix = X.detach() if X.dtype in STORED else X.detach().double()
    if matrix.is_floating_point() and not bool(
        matrix.sum(dtype=torch.promote_types(matrix.dtype, torch.float32)).isfinite()
    ):
        _refuse_infinite(matrix)
    return matrix


def _require_dense(X: Tensor) -> None:
    if X.layout != torch.strided:
        raise InputError(
            f"a {X.layout} tensor on {X.device} is given, and sparse data is computed with on the processor alone: "
            "give a SciPy CSR matrix, or the tensor's to_dense()"
        )


def _refuse_infinite(matrix: Tensor) -> None:
    """Raise InputError where a number is not finite: the sum may have overflowed of numbers that all are."""
    for rows in row_blocks(*matrix.shape):
        finite = matrix[rows].isfinite().all(dim=1)
        if not bool(finite.all()):
            row = rows.start + int(np.argmin(as_array(finite)))
            raise InputError(f"X has NaN or infinity in row {row}: fill or remove such rows")
