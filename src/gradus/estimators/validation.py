"""What a classifier is given, checked once at the boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse
import torch
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, validate_data

from gradus.core.errors import InputError
from gradus.core.mapped import CHUNK_BYTES, chunks, mapping_of
from gradus.estimators.tensors import as_array, checked_on_device, elsewhere
from gradus.losses import DenseFeatures, Features, MappedFeatures, SparseFeatures
from gradus.losses.mapped_features import tensor_over

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

# kept as they are; everything else becomes the first
_DTYPES = [np.float64, np.float32, np.float16, np.uint8]


class TrainingData(NamedTuple):
    """Features, labels and weights that sum to 1, ready for a ``LinearModel``.

    Attributes
    ----------
    targets : (samples,) codes of the classes, or (samples, classes) probabilities in the dtype of the features
    """

    features: Features
    targets: torch.Tensor
    weights: torch.Tensor
    classes: np.ndarray[Any, Any]

    @property
    def codes(self) -> torch.Tensor:
        """The codes of the labels, of probabilities those of the likeliest class."""
        return self.targets if self.targets.ndim == 1 else self.targets.argmax(dim=1)


def training_data(estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, class_weight: Any) -> TrainingData:
    """Return ``X`` and ``y`` checked and converted, with ``n_features_in_`` set on the estimator.

    A tensor ``X`` on a GPU stays there, and labels and weights, wherever they are, come to it.

    ``y`` are labels (samples,), or probabilities (samples, classes) of two columns or more, whose classes are the
    numbers of the columns.

    Raises
    ------
    InputError : for NaN or infinities, wrong shapes, labels of other lengths, rows that are not probabilities, fewer
        than two classes, or bad weights
    """
    X, y, sample_weight = _held(X), as_array(y), as_array(sample_weight)
    shape = np.asarray(y).shape
    soft = len(shape) == 2 and shape[1] > 1
    try:
        if elsewhere(X) or on_disk(X):
            X = (checked_on_device if elsewhere(X) else _checked_file)(estimator, X, reset=True)
            y = validate_data(estimator, "no_validation", y, multi_output=soft)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(
                estimator,
                X,
                y,
                accept_sparse="csr",
                dtype=_DTYPES if not scipy.sparse.issparse(X) else _DTYPES[:2],
                accept_large_sparse=True,
                multi_output=soft,
            )
        if not (soft or are_few_numbers(y)):
            check_classification_targets(y)
        weights = sample_weights(sample_weight, y)
    except ValueError as error:
        raise InputError(str(error)) from None
    features = as_features(X)
    if soft:
        return _of_probabilities(features, soft_labels(y), weights, class_weight)
    classes, codes, weights = coded(y, weights, class_weight)
    return TrainingData(features, torch.from_numpy(codes).to(features.device), _normalised(weights, features), classes)


def are_few_numbers(y: NDArray[Any]) -> bool:
    """Tell whether labels are whole numbers so close to each other that they are classes, and nothing is to check.

    Examples
    --------
    >>> are_few_numbers(np.array([3, 4, 3, 4])), are_few_numbers(np.array([3, 9, 3, 4])), are_few_numbers(np.ones(4))
    (True, False, False)
    """
    return y.ndim == 1 and y.dtype.kind in "iub" and int(y.max()) - int(y.min()) < len(y) // 2


def sample_weights(weights: Any, y: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weights checked, or 1 for each label; raises ValueError where they do not fit."""
    if weights is None:
        return np.ones(len(y))
    checked: NDArray[np.float64] = _check_sample_weight(weights, y, dtype=np.float64, ensure_non_negative=True)
    return checked


def coded(
    y: NDArray[Any], weights: NDArray[np.float64], class_weight: Any
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64]]:
    """Return the classes among labels, the code of each label, and the weights times those of the classes.

    Raises
    ------
    InputError : if there are fewer than two classes with weight, or ``class_weight`` does not fit them
    """
    classes, codes = np.unique(y, return_inverse=True)
    weights = weights * class_weights(class_weight, classes, y, weights)[codes]
    _require_classes(classes, np.bincount(codes, weights=weights, minlength=len(classes)).astype(np.float64))
    return classes, codes.astype(np.int64), weights


def soft_labels(labels: Any) -> NDArray[np.float64]:
    """Return rows of probabilities in float64, each divided by its sum.

    Raises
    ------
    InputError : if a number is negative or not finite, or a row does not sum to 1 within 1e-3
    """
    try:
        wide = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("y has two axes and holds no numbers; expected labels (samples,) or probabilities") from None
    sums = wide.sum(axis=1)
    bad = np.flatnonzero((wide < 0).any(axis=1) | ~(np.abs(sums - 1) <= 1e-3))
    if len(bad):
        raise InputError(
            f"row {bad[0]} of y sums to {sums[bad[0]]:.4g} with a smallest entry of {wide[bad[0]].min():.4g}; expected "
            "labels (samples,), or rows (samples, classes) of probabilities >= 0 that sum to 1"
        )
    return np.asarray(wide / sums[:, None])


def _of_probabilities(
    features: Features, labels: NDArray[np.float64], weights: NDArray[np.float64], class_weight: Any
) -> TrainingData:
    classes = np.arange(labels.shape[1])
    # a row counts as much as its probabilities of each class say; so do the classes that "balanced" counts
    rows = np.repeat(np.arange(len(labels)), labels.shape[1])
    shares = weights[rows] * labels.ravel()
    factors = class_weights(class_weight, classes, np.tile(classes, len(labels)), shares)
    weights = weights * (labels @ factors)
    _require_classes(classes, weights @ labels)
    targets = torch.from_numpy(labels).to(features.device, features.dtype)
    return TrainingData(features, targets, _normalised(weights, features), classes)


def _normalised(weights: NDArray[np.float64], features: Features) -> torch.Tensor:
    return torch.from_numpy(weights / weights.sum()).to(features.device, features.dtype)


def new_data(estimator: BaseEstimator, X: Any) -> Features:
    """Return ``X`` checked against what the estimator was fitted on, and converted."""
    X = _held(X)
    try:
        if elsewhere(X):
            return as_features(checked_on_device(estimator, X, reset=False))
        if on_disk(X):
            return as_features(_checked_file(estimator, X, reset=False))
        dtypes = _DTYPES if not scipy.sparse.issparse(X) else _DTYPES[:2]
        X = validate_data(estimator, X, accept_sparse="csr", dtype=dtypes, reset=False)
    except ValueError as error:
        raise InputError(str(error)) from None
    return as_features(X)


def as_features(X: Any) -> Features:
    """Return a checked matrix as features, one of NumPy or SciPy or a tensor on a GPU.

    Dense data is not copied where its layout allows it.
    """
    if isinstance(X, torch.Tensor):
        return DenseFeatures(X)
    if scipy.sparse.issparse(X):
        return SparseFeatures(_csr_array(X))
    return MappedFeatures(X) if on_disk(X) else DenseFeatures(tensor_over(np.ascontiguousarray(X)))


def _held(X: Any) -> Any:
    """Return a tensor in the processor's memory as an array, and anything else as it is."""
    return X if elsewhere(X) else as_array(X)


def on_disk(X: Any) -> bool:
    """Tell whether ``X`` is a memory-mapped array that is read a chunk at a time, and not at once."""
    return (
        isinstance(X, np.ndarray)
        and X.ndim == 2
        and X.dtype in _DTYPES
        and X.nbytes > CHUNK_BYTES
        and X.strides[1] == X.itemsize
        and mapping_of(X) is not None
    )


def _checked_file(estimator: BaseEstimator, X: NDArray[Any], *, reset: bool) -> NDArray[Any]:
    """Return ``X`` once its width and its numbers are checked, a chunk at a time; nothing is copied."""
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    if X.dtype.kind == "f":
        for rows, chunk in chunks(X):
            finite = np.isfinite(chunk).all(axis=1)
            if not finite.all():
                raise InputError(
                    f"X has NaN or infinity in row {rows.start + int(np.argmin(finite))}: fill or remove such rows"
                )
    return X


def _csr_array(matrix: Any) -> scipy.sparse.csr_array:
    """Return a CSR matrix of SciPy's older or newer kind as the newer one, not copied where its rows are in order."""
    rows = scipy.sparse.csr_array(matrix)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def class_weights(class_weight: Any, classes: np.ndarray[Any, Any], y: Any, weights: Any) -> np.ndarray[Any, Any]:
    """Return the weight of each class, (classes,) float64; raises InputError where ``class_weight`` does not fit."""
    if class_weight is None:
        return np.ones(len(classes))
    if not isinstance(class_weight, dict) and class_weight != "balanced":
        raise InputError(f"class_weight is {class_weight!r}; expected None, 'balanced' or a dict from class to weight")
    try:
        chosen = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
    except ValueError as error:
        raise InputError(f"class_weight does not fit the classes in y: {error}") from None
    bad = [(name, weight) for name, weight in zip(classes, chosen, strict=True) if not 0 <= weight < math.inf]
    if bad:
        raise InputError(f"class_weight of class {bad[0][0]} is {bad[0][1]}; expected a finite number >= 0")
    return np.asarray(chosen, dtype=np.float64)


def _require_classes(classes: np.ndarray[Any, Any], weights: NDArray[np.float64]) -> None:
    if len(classes) < 2:
        raise InputError(
            f"y has one class only ({classes.tolist()[0]!r}); a classifier needs rows of at least two classes"
        )
    if np.count_nonzero(weights) < 2:
        raise InputError("sample_weight and class_weight leave one class only; give weight to at least two classes")
