"""What the parameters of TSNE may be."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.core.errors import InputError, did_you_mean
from gradus.estimators.tensors import as_array

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.estimators.tsne import TSNE

MOST_COMPONENTS = 3
INITIALISATIONS = ("pca", "spectral", "random")


def check_parameters(estimator: TSNE) -> None:
    """Raise InputError for the first parameter that is out of its range, whatever the data."""
    require_integer("n_components", estimator.n_components, 1, MOST_COMPONENTS)
    for name, least in (("max_iter", 0), ("early_exaggeration_iter", 0), ("annealing_iter", 0), ("callback_every", 1)):
        require_integer(name, getattr(estimator, name), least, None)
    for name in ("dof", "early_exaggeration", "late_exaggeration"):
        _require_positive(name, getattr(estimator, name))
    if estimator.sigma is not None:
        _require_positive("sigma", estimator.sigma)
    if estimator.n_neighbors is not None:
        require_integer("n_neighbors", estimator.n_neighbors, 1, None)
    _require_perplexity(estimator.perplexity)
    if isinstance(estimator.learning_rate, str):
        _require_name("learning_rate", estimator.learning_rate, ("auto",), " or a positive number")
    else:
        _require_positive("learning_rate", estimator.learning_rate)
    if isinstance(estimator.init, str):
        _require_name("init", estimator.init, INITIALISATIONS, " or an array (samples, n_components)")


def initial_array(given: object, samples: int, components: int) -> Tensor:
    """Return a given initial map as a tensor (samples, components), float64.

    Raises
    ------
    InputError : if it has another shape, or values that are not finite
    """
    points = np.asarray(as_array(given), dtype=np.float64)
    if points.shape != (samples, components):
        raise InputError(
            f"init has shape {points.shape}, but {samples} samples in {components} dimensions take "
            f"{(samples, components)}: give one row per sample"
        )
    if not np.isfinite(points).all():
        raise InputError("init has values that are NaN or infinite: give finite ones")
    return torch.from_numpy(points)


def require_integer(name: str, value: object, least: int, most: int | None) -> None:
    """Refuse a value that is no integer from ``least`` to ``most`` (None: without end)."""
    wanted = f"an integer of at least {least}" if most is None else f"an integer from {least} to {most}"
    fits = isinstance(value, Integral) and int(value) >= least and (most is None or int(value) <= most)
    if not fits:
        raise InputError(f"{name} is {value!r}: give {wanted}")


def _require_positive(name: str, value: object) -> None:
    if not (isinstance(value, Real) and 0 < float(value) < np.inf):
        raise InputError(f"{name} is {value!r}: give a positive, finite number")


def _require_perplexity(value: object) -> None:
    several = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else [value]
    if len(several) == 0:
        raise InputError("perplexity is an empty sequence: give a number or several")
    for each in several:
        _require_positive("perplexity", each)


def _require_name(name: str, value: str, known: tuple[str, ...], otherwise: str) -> None:
    if value not in known:
        raise InputError(f"{name} is {value!r}{did_you_mean(value, known)}: give {', '.join(known)}{otherwise}")
