"""Which strengths a regularisation path visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.losses import CrossEntropy, LinearModel

# C of scikit-learn, on a logarithmic scale: the sweeps of the linear probes that people publish
PRESETS = {"dinov2": (-6.0, 5.0, 45), "clip": (-6.0, 6.0, 96)}
# the weakest strength of a geometric path relative to the strongest
SPAN = 1e-6


def largest_strength(model: LinearModel[CrossEntropy], l1_ratio: float) -> float:
    """Return a strength at which next to nothing is learned.

    With an L1 part it is the smallest strength whose solution is W = 0, beta max |X' Omega (pi - Y)| / l1_ratio with
    the weighted class frequencies pi. Without one it is the total variance of the features, beta^2 sum_j var_j, which
    bounds twice the curvature of the loss.

    Cost: one pass over X.

    Examples
    --------
    >>> from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
    >>> loss = CrossEntropy(torch.tensor([0, 1]), classes=2)
    >>> model = LinearModel(loss, DenseFeatures(torch.eye(2)), torch.tensor([0.5, 0.5]))
    >>> largest_strength(model, l1_ratio=1.0)
    0.25
    """
    centred = model.centred()
    if l1_ratio == 0.0:
        return float(centred.squared_norms().sum())
    start = model.zeros()
    if model.intercept:
        frequencies = model.weights.double() @ model.loss.labels(torch.float64)
        start[-1] = frequencies.clamp_min(1e-300).log().to(start.dtype)
    gradient = centred.value_and_gradient(centred.centred_point(start))[1]
    slopes = gradient[: model.features.shape[1]]
    return float(slopes.abs().max()) / l1_ratio


def geometric(largest: float, count: int, smallest: float | None = None) -> NDArray[np.float64]:
    """Return ``count`` strengths from ``largest`` down to ``smallest`` (None: a millionth of it) at equal ratios.

    Examples
    --------
    >>> geometric(1.0, 4).round(8).tolist()
    [1.0, 0.01, 0.0001, 1e-06]
    """
    return np.geomspace(largest, SPAN * largest if smallest is None else smallest, count)


def of_regularisation(inverse: NDArray[np.float64], mass: float) -> NDArray[np.float64]:
    """Return the strengths of scikit-learn's C for rows of total weight ``mass``: alpha = 1 / (C mass)."""
    return np.asarray(1.0 / (inverse * mass))


def preset(name: str, mass: float) -> NDArray[np.float64]:
    """Return the strengths of a preset, strongest first.

    "dinov2" is C = 10^linspace(-6, 5, 45) and "clip" 96 values of C from 1e-6 to 1e6.

    Raises
    ------
    InputError : if there is no preset of that name
    """
    if name not in PRESETS:
        raise InputError(
            f"alphas is {name!r}{did_you_mean(name, PRESETS)}; expected a number of strengths, strengths > 0 "
            f"or one of {', '.join(PRESETS)}"
        )
    low, high, count = PRESETS[name]
    return of_regularisation(np.logspace(low, high, count), mass)


def chosen_strengths(
    alphas: Any, model: LinearModel[CrossEntropy], l1_ratio: float, mass: float
) -> NDArray[np.float64]:
    """Return the strengths that ``alphas`` names for the data of ``model``, distinct, strongest first.

    alphas : a positive number of strengths, strengths > 0 in any order, or a preset; mass : the sum of the rows'
    weights, which is what C is relative to

    Raises
    ------
    InputError : if it is none of them
    """
    if isinstance(alphas, str):
        return preset(alphas, mass)
    if isinstance(alphas, int | np.integer) and not isinstance(alphas, bool):
        if alphas < 1:
            raise InputError(f"alphas is {alphas}; expected at least one strength")
        largest = largest_strength(model, l1_ratio)
        return geometric(largest if largest > 0 else 1.0, int(alphas))
    try:
        given = np.asarray(alphas, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.ndim != 1 or not given.size or not (np.isfinite(given) & (given > 0)).all():
        raise InputError(
            f"alphas is {alphas!r}; expected a number of strengths, strengths > 0 or one of {', '.join(PRESETS)}"
        )
    return np.unique(given)[::-1].copy()
