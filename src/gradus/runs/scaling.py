"""Features on one scale, and the way back: a linear classifier of scaled features is one of the raw features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Standardisation:
    """x -> (x - mean) / deviation, feature by feature.

    Attributes
    ----------
    mean : (d,) float64
    deviation : (d,) float64, 1 for a constant feature
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def measured_on(cls, features: NDArray[np.floating]) -> Standardisation:
        """Return the standardisation that gives the rows of ``features`` (n, d) mean 0 and deviation 1."""
        mean = features.mean(axis=0, dtype=np.float64)
        deviation = features.std(axis=0, dtype=np.float64)
        constant = deviation <= np.finfo(features.dtype).eps * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, deviation))

    @classmethod
    def identity(cls, width: int) -> Standardisation:
        """Return the standardisation that changes nothing."""
        return cls(np.zeros(width), np.ones(width))

    def apply(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the scaled features, in the dtype of ``features`` (n, d)."""
        if not self.mean.any() and (self.deviation == 1.0).all():
            return features
        scaled: NDArray[np.floating] = ((features - self.mean) / self.deviation).astype(features.dtype)
        return scaled

    def unfold(
        self, coef: NDArray[np.floating], intercept: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the coefficients (K, d) and intercept (K,) that give raw features the scores of scaled ones."""
        raw = coef.astype(np.float64) / self.deviation
        shifted = intercept.astype(np.float64) - raw @ self.mean
        return raw.astype(coef.dtype), shifted.astype(intercept.dtype)
