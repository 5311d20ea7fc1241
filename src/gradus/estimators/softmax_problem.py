"""From an estimator's settings to what is minimised, by which solver, until when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError, did_you_mean
from gradus.core.protocols import (
    Certificate,
    Conjugable,
    Differentiable,
    Proximable,
    Solver,
    Splittable,
    Term,
    Thresholding,
)
from gradus.estimators.renewal import renewed_lbfgs
from gradus.estimators.row_terms import row_terms
from gradus.losses import (
    CholeskyPreconditioner,
    CrossEntropy,
    DiagonalPreconditioner,
    DualityGap,
    LinearModel,
    MappedFeatures,
    SparseFeatures,
    SparseGap,
    column_access,
)
from gradus.losses.certificate import Stationarity
from gradus.losses.sampling import evenly_spaced
from gradus.penalties import (
    L1,
    L2,
    Composed,
    ElasticNet,
    FirstRows,
    Huber,
    Masked,
    Nonconvex,
    SmoothMasked,
    Sum,
    Zero,
)
from gradus.solvers import (
    LBFGS,
    CoordinateDescent,
    DavisYin,
    NewtonCG,
    PrimalDual,
    ProximalGradient,
    ProximalNewton,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.preconditioner import Preconditioner

SOLVERS = (
    *("auto", "lbfgs", "newton", "newton-cg", "proximal-newton", "coordinate-descent"),
    *("proximal-gradient", "davis-yin", "primal-dual"),
)
# up to here one factorisation of a features x features matrix costs less than the iterations it saves, and finding its
# eigenvectors less than the gradients
FACTORED_FEATURES, RENEWED_FEATURES = 4096, 2048
# Newton's method starts with the Hessian of one row in so many, and of no fewer than these
HESSIAN_SHARE, LEAST_HESSIAN_ROWS = 4, 2048
# up to here the working set of a sparse penalty stays small beside the data, and so does its Hessian
FEW_CLASSES = 64
# the Hessian among the weights that move has at most one number for so many of the features', or is among so many
# weights: while it is corrected there are two
HESSIAN_PART, FEW_ENTRIES, MOST_ENTRIES = 10, 2048, 6000
# rows that a first step is estimated from
CURVATURE_ROWS = 4096


@dataclass(frozen=True)
class Settings:
    """The numbers of an estimator, checked.

    Raises
    ------
    InputError : naming the setting, what it is and what was expected
    """

    alpha: float
    l1_ratio: float
    temperature: float
    tol: float
    max_iter: int
    solver: str

    def __post_init__(self) -> None:
        _require("alpha", self.alpha, lambda alpha: alpha >= 0, "a finite number >= 0")
        _require("l1_ratio", self.l1_ratio, lambda ratio: 0 <= ratio <= 1, "a number in [0, 1]")
        _require("temperature", self.temperature, lambda temperature: temperature > 0, "a finite number > 0")
        _require("tol", self.tol, lambda tol: tol > 0, "a number > 0, the relative duality gap to stop at")
        _require("max_iter", self.max_iter, lambda limit: limit >= 0 and limit == int(limit), "a whole number >= 0")
        if self.solver not in SOLVERS:
            raise InputError(
                f"solver is {self.solver!r}{did_you_mean(str(self.solver), SOLVERS)}; "
                f"expected one of {', '.join(SOLVERS)}"
            )

    def penalty(self) -> Proximable:
        """Return the penalty that ``alpha`` and ``l1_ratio`` name."""
        if self.alpha == 0:
            return Zero()
        if self.l1_ratio == 0:
            return L2(self.alpha)
        if self.l1_ratio == 1:
            return L1(self.alpha)
        return ElasticNet(self.alpha * self.l1_ratio, self.alpha * (1 - self.l1_ratio))


def checked_penalty(penalty: Any) -> Proximable:
    """Return ``penalty``, or raise InputError where it is not a proximable function."""
    if isinstance(penalty, type) or not isinstance(penalty, Proximable):
        raise InputError(
            f"penalty is {penalty!r}; expected None or an object with value and prox such as gradus.penalties.L1(1e-3)"
        )
    return penalty


def convex_start(penalty: Proximable) -> Proximable | None:
    """Return the convex penalty from whose solution to start, or None to start from 0."""
    relaxation = penalty.relaxation() if isinstance(penalty, Nonconvex) else None
    return None if isinstance(relaxation, Zero) else relaxation


def on_weights(penalty: Proximable, model: LinearModel[CrossEntropy]) -> Proximable:
    """Return ``penalty`` as a function of the whole point: the intercept, if there is one, is free."""
    if not model.intercept:
        return penalty
    rows = model.features.shape[1]
    if isinstance(penalty, Splittable):
        return Sum([_on_first_rows(term, rows) for term in penalty.terms])
    return SmoothMasked(penalty, rows) if isinstance(penalty, Differentiable) else Masked(penalty, rows)


def _on_first_rows(term: Term, rows: int) -> Proximable:
    if term.map is None:
        return Masked(term.penalty, rows)
    return Composed(term.penalty, FirstRows(term.map, rows))


def certificate(model: LinearModel[CrossEntropy], penalty: Proximable, tolerance: float) -> Certificate:
    """Return the relative duality gap, or the relative gradient mapping where the penalty has no useful conjugate.

    tolerance : a gap that is as good as any smaller one
    """
    columns = column_access(model.features) if _few_samples(model) else None
    if columns is not None and isinstance(penalty, Thresholding):
        return SparseGap(model, columns, penalty)
    if isinstance(penalty, Conjugable) and not isinstance(penalty, Zero):
        return DualityGap(model, penalty, tolerance if isinstance(penalty, L2) else 0.0)
    return Stationarity.of(model, on_weights(penalty, model))


def is_gap(bound: Certificate) -> bool:
    """Return whether the certificate is a duality gap, which bounds how far the value is from the minimum."""
    return isinstance(bound, DualityGap | SparseGap)


def coordinate_descent(name: str, model: LinearModel[CrossEntropy], penalty: Proximable) -> CoordinateDescent | None:
    """Return the descent on single coordinates where it is the solver of that name; None where it is another.

    Raises
    ------
    InputError : if it is named, and the penalty or the data is not for it
    """
    terms, in_memory = row_terms(penalty, model), column_access(model.features) is not None
    suits = in_memory and terms is not None and terms.absolute + terms.norm > 0
    if name == "coordinate-descent" and not suits:
        raise InputError(
            f"solver is 'coordinate-descent', which is for L1, ElasticNet, GroupLasso and SparseGroupLasso of rows on "
            f"data in the processor's memory, and the penalty is {type(penalty).__name__} and the data "
            f"{_whereabouts(model)}: use 'auto'"
        )
    chosen = name == "coordinate-descent" or (name == "auto" and _few_samples(model))
    return CoordinateDescent(terms) if terms is not None and suits and chosen else None


def chosen_solver(
    name: str, model: LinearModel[CrossEntropy], penalty: Proximable, *, kept: bool = False
) -> Solver[Any]:
    """Return the solver of that name; "auto" is the fastest of those that the penalty and the data allow.

    With ``kept`` it is one whose states a file can keep, which the samples of Newton's method are not.
    """
    splitting = _splitting(name, model, penalty)
    if splitting is not None:
        return splitting
    smooth, terms = isinstance(penalty, Differentiable), row_terms(penalty, model)
    few_classes = model.loss.outputs <= FEW_CLASSES
    if terms is not None and (
        name == "proximal-newton" or (name == "auto" and few_classes and not _few_samples(model))
    ):
        return ProximalNewton(terms, most_entries=_affordable_entries(model), dense=_accelerated(model))
    if name == "proximal-gradient" or (name == "auto" and not smooth):
        return _accelerated(model)
    if name == "proximal-newton":
        raise InputError(
            "solver is 'proximal-newton', which is for L1, ElasticNet, GroupLasso and SparseGroupLasso of rows, and "
            f"the penalty is {type(penalty).__name__}: use 'auto'"
        )
    if not smooth:
        raise InputError(
            f"solver is {name!r}, which needs a differentiable penalty, and {type(penalty).__name__} is not one: "
            "use 'auto', 'proximal-newton' or 'proximal-gradient'"
        )
    features, classes = model.features.shape[1], model.loss.outputs
    # a file is read for gradients alone: the samples of Newton's method would fill the memory that is being saved
    held = not kept and not isinstance(model.features, MappedFeatures)
    curved = isinstance(penalty, L2) and features <= FACTORED_FEATURES and classes <= FEW_CLASSES and held
    if name == "newton-cg" or (name == "auto" and curved):
        return newton(model, penalty)
    if name == "auto" and isinstance(penalty, L2) and features <= RENEWED_FEATURES and held:
        return renewed_lbfgs(model, penalty.strength)
    return LBFGS(preconditioner(model, penalty, model.zeros()))


def _splitting(name: str, model: LinearModel[CrossEntropy], penalty: Proximable) -> Solver[Any] | None:
    """Return the solver that takes the terms of a sum one by one, where it is asked for or the penalty is a sum."""
    two = isinstance(penalty, Splittable) and len(penalty.terms) == 2 and not any(t.map for t in penalty.terms)
    if name == "davis-yin" or (name == "auto" and two):
        return DavisYin(1.0 / _typical_curvature(model))
    if name == "primal-dual" or (name == "auto" and isinstance(penalty, Splittable)):
        return PrimalDual(1.0 / _typical_curvature(model))
    return None


def _whereabouts(model: LinearModel[CrossEntropy]) -> str:
    if isinstance(model.features, MappedFeatures):
        return "in a file"
    return "in memory" if model.features.device.type == "cpu" else f"on {model.features.device}"


def _few_samples(model: LinearModel[CrossEntropy]) -> bool:
    samples, features = model.features.shape
    return isinstance(model.features, SparseFeatures) or samples < features


def _affordable_entries(model: LinearModel[CrossEntropy]) -> int:
    """Return how many weights may move together, so that the matrix of their pairs is small beside the features."""
    samples, features = model.features.shape
    return min(max(math.isqrt(samples * features // HESSIAN_PART), FEW_ENTRIES), MOST_ENTRIES)


def newton(model: LinearModel[CrossEntropy], penalty: Proximable, samples: int | None = None) -> NewtonCG:
    """Return Newton's method with the Hessian of ``samples`` rows at first (None: of a quarter, or all of few)."""
    quarter = max(model.samples // HESSIAN_SHARE, LEAST_HESSIAN_ROWS)
    return NewtonCG(
        lambda part, point: preconditioner(part, penalty, point), samples=quarter if samples is None else samples
    )


def preconditioner(model: LinearModel[CrossEntropy], penalty: Proximable, point: Tensor) -> Preconditioner:
    """Return an approximate inverse Hessian of the model plus the penalty around ``point``."""
    ridge = penalty.strength if isinstance(penalty, (L2, Huber)) else 0.0
    if model.features.shape[1] <= FACTORED_FEATURES:
        return CholeskyPreconditioner.at(model, point, ridge)
    return DiagonalPreconditioner.of(model, ridge)


def _accelerated(model: LinearModel[CrossEntropy]) -> ProximalGradient:
    return ProximalGradient(first_step=1.0 / _typical_curvature(model))


def _typical_curvature(model: LinearModel[CrossEntropy]) -> float:
    """Return the scale of the curvature from some rows: a first step is only where the search for one begins."""
    some = evenly_spaced(model, CURVATURE_ROWS)
    return model.loss.typical_curvature() * (some.squared_norms().sum().item() + 1.0)


def _require(name: str, value: Any, valid: Callable[[float], bool], expected: str) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and valid(value)):
        raise InputError(f"{name} is {value!r}; expected {expected}")
