"""Images as a classifier is given them, in any of the usual layouts, checked once at the boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from gradus.core.errors import InputError, did_you_mean
from gradus.estimators.validation import class_weights, coded
from gradus.networks import LabelledImages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

Channels = Literal["auto", "first", "last"]
# numbers of channels by which an axis is known: grey, colour, colour with transparency
FAMILIAR = (1, 3, 4)
# kept as it is; everything else becomes the first
_DTYPES = [np.float32, np.uint8]


@dataclass(frozen=True)
class ImageLayout:
    """How images are laid out in the arrays that a classifier is given.

    Attributes
    ----------
    shape : None, or of the image that a flat row holds: (height, width), or three sides in the order of ``channels``;
        one may be -1, and is then what is left
    channels : "first" (channels, height, width), "last" (height, width, channels), or "auto": where 1, 3 or 4 stands
    """

    shape: Sequence[int] | None = None
    channels: Channels = "auto"

    def __post_init__(self) -> None:
        if self.channels not in ("auto", "first", "last"):
            hint = did_you_mean(str(self.channels), ("auto", "first", "last"))
            raise InputError(f"channels is {self.channels!r}{hint}; expected 'auto', 'first' or 'last'")
        if self.shape is not None and not _is_shape(self.shape):
            raise InputError(
                f"image_shape is {self.shape!r}; expected two or three positive whole numbers, such as (28, 28) or "
                "(32, 32, 3), one of which may be -1"
            )

    def read(self, estimator: BaseEstimator, X: Any, *, reset: bool) -> torch.Tensor:
        """Return ``X`` as (samples, height, width, channels), uint8 where it is that and float32 elsewhere.

        With ``reset`` the estimator's ``n_features_in_`` is set; else the width of flat rows is compared with it.

        Raises
        ------
        InputError : for NaN or infinities, and shapes that are not those of images
        """
        X = _of_numpys_types(X)
        given = X if hasattr(X, "ndim") else np.asarray(X)
        try:
            if given.ndim == 2:
                checked = validate_data(estimator, X, dtype=_DTYPES, reset=reset)
                return _tensor(self._last(checked.reshape(len(checked), *self._shape_of(checked.shape[1]))))
            checked = check_array(X, dtype=_DTYPES, allow_nd=True, estimator=estimator)
        except ValueError as error:
            raise InputError(f"{error}{_first_bad(given)}") from None
        images = self._last(checked)
        if reset:
            estimator.n_features_in_ = int(np.prod(images.shape[1:]))
            if hasattr(estimator, "feature_names_in_"):
                del estimator.feature_names_in_
        return _tensor(images)

    def _shape_of(self, numbers: int) -> tuple[int, ...]:
        if self.shape is None:
            raise InputError(
                f"X has rows of {numbers} numbers, which may be images of many shapes: give image_shape, such as "
                "(28, 28), or an array (samples, height, width)"
            )
        known = int(np.prod([side for side in self.shape if side != -1]))
        shape = tuple(int(side) if side != -1 else numbers // known for side in self.shape)
        if int(np.prod(shape)) != numbers:
            raise InputError(f"X has rows of {numbers} numbers and image_shape is {self.shape}: they do not fit")
        return shape

    def _last(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return the images with their channels on the last axis."""
        if images.ndim == 3:
            return images[..., np.newaxis]
        if images.ndim != 4:
            raise InputError(
                f"X has shape {images.shape}; expected (samples, height, width), (samples, height, width, channels), "
                "(samples, channels, height, width), or flat rows with image_shape"
            )
        first, last = (images.shape[axis] in FAMILIAR for axis in (1, 3))
        if self.channels == "auto" and first == last:
            raise InputError(
                f"X has shape {images.shape}, whose channels may be on the second or on the last axis: give channels "
                "'first' or 'last'"
            )
        is_first = self.channels == "first" or (self.channels == "auto" and first)
        return np.moveaxis(images, 1, 3) if is_first else images


def _of_numpys_types(X: Any) -> Any:
    """Return tensors as numpy can read them: in memory, without a gradient, and not in bfloat16."""
    if not isinstance(X, torch.Tensor):
        return X
    X = X.detach().cpu()
    return X.float() if X.dtype == torch.bfloat16 else X


def _first_bad(given: Any) -> str:
    """Return which image has a number that is none, for the end of a message."""
    numbers = np.asarray(given)
    if not np.issubdtype(numbers.dtype, np.floating) or numbers.ndim < 2:
        return ""
    bad = ~np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)
    return f" The first such image is number {int(bad.argmax())}: repair it or leave it out." if bad.any() else ""


def _is_shape(shape: Any) -> bool:
    try:
        sides = [int(side) for side in shape]
    except (TypeError, ValueError):
        return False
    return len(sides) in (2, 3) and all(side > 0 or side == -1 for side in sides) and sides.count(-1) < 2


def _tensor(images: NDArray[Any]) -> torch.Tensor:
    if 0 in images.shape:
        raise InputError(f"X has images of shape {images.shape[1:]}; expected at least one pixel")
    contiguous = np.ascontiguousarray(images)
    # torch may not share what it may not write to
    return torch.from_numpy(contiguous if contiguous.flags.writeable else contiguous.copy())


def labelled_images(
    pixels: torch.Tensor, y: Any, weights: tuple[Any, Any], known: NDArray[Any] | None = None
) -> tuple[LabelledImages, NDArray[Any]]:
    """Return images with the codes of their labels and weights of mean 1, and the classes.

    Parameters
    ----------
    pixels : (samples, height, width, channels)
    y : (samples,) labels
    weights : ``sample_weight`` and ``class_weight`` as scikit-learn has them
    known : the classes, sorted, where they are not to be found from ``y``

    Raises
    ------
    InputError : for labels that are missing, of another number, not of classes or not of those known; bad weights; and
        fewer than two classes
    """
    labels, given = _labels_and_weights(pixels, y, weights[0])
    if known is None:
        classes, codes, shares = coded(labels, given, weights[1])
    else:
        unknown = np.setdiff1d(labels, known)
        if len(unknown):
            raise InputError(f"y has the label {unknown.tolist()[0]!r}, which is not among the {len(known)} classes")
        classes, codes = known, np.searchsorted(known, labels)
        shares = given * class_weights(weights[1], known, labels, given)[codes]
    if not shares.sum() > 0:
        raise InputError("sample_weight and class_weight are zero for every image; expected some that are positive")
    normalised = torch.from_numpy((shares / shares.mean()).astype(np.float32))
    return LabelledImages(pixels, torch.from_numpy(codes.astype(np.int64)), normalised), classes


def _labels_and_weights(pixels: torch.Tensor, y: Any, sample_weight: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
    if y is None:
        raise InputError(
            "this estimator requires y to be passed, but the target y is None: give a label for each image"
        )
    try:
        labels = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        check_consistent_length(pixels, labels)
        check_classification_targets(labels)
        rows = np.empty((len(pixels), 1))
        return labels, _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    except ValueError as error:
        raise InputError(str(error)) from None
