"""What everything that is minimised is made of: a smooth function, a proximable one, and a solver for their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.columns import SparseColumns
    from gradus.core.solution import Problem


class Smooth(Protocol):
    """A differentiable function whose data was bound when it was made."""

    def value(self, point: Tensor) -> Tensor:
        """Return the value, a float64 scalar; cheaper than ``value_and_gradient``."""

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value (a float64 scalar) and the gradient (shape and dtype of ``point``)."""


@runtime_checkable
class TwiceSmooth(Smooth, Protocol):
    """A smooth function that can also multiply by its Hessian."""

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map v -> Hessian(point) v, with the work that does not depend on v done once."""


@runtime_checkable
class Sampled(TwiceSmooth, Protocol):
    """A mean over samples, a part of which can stand for all of them where second derivatives are concerned."""

    @property
    def samples(self) -> int:
        """How many there are."""

    def sampled(self, point: Tensor, count: int) -> TwiceSmooth:
        """Return the function on about ``count`` samples that have nearly its Hessian around ``point``."""


@runtime_checkable
class Curved(Smooth, Protocol):
    """A smooth function of a matrix that can give its Hessian among some entries, as numbers."""

    def hessian_among(self, point: Tensor, entries: Tensor, samples: int) -> Tensor:
        """Return the Hessian at ``point`` among ``entries``, indices into the flat point, estimated from some samples.

        (entries, entries), symmetric, in the dtype of the point, positive semidefinite up to rounding, in the order of
        ``entries``; from about ``samples`` of the data's rows, which should be those that bend the function, or from
        all.
        """

    def hessian_factors(self, point: Tensor, rows: Tensor, samples: int) -> tuple[Tensor, Tensor]:
        """Return G (rows, rows) and M (columns, columns), float64: the Hessian at ``point`` is near their product.

        Between the entries (j, k) and (h, l) of these rows of the point it is about G_jh M_kl. From about ``samples``
        of the data's rows; G is in the dtype of the point, both are symmetric.
        """


@runtime_checkable
class Expandable(Smooth, Protocol):
    """A smooth function of a matrix of few numbers that gives all its derivatives up to the second at once."""

    def expansion(self, point: Tensor) -> tuple[float, Tensor, Tensor]:
        """Return the value, the gradient (of the point's shape) and the Hessian among all entries, float64, new.

        The Hessian is (entries, entries), symmetric; the entries of the point's first column come first.
        """


@runtime_checkable
class LogLinear(Smooth, Protocol):
    """A smooth function of a matrix (W; b) whose features can be had one at a time, each touching few samples.

    sum_i w_i lse(z_i) - <C, (W; b)>, z_i = W' x_i + b: a log-linear model with C = (X' Y; 1' Y) for the labels Y, whose
    rows are w_i times probabilities. Without an intercept there is no b. With a baseline lse is log(1 + sum_k exp z_k).
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point: a row for each feature and perhaps one for the intercept, a column for each output."""

    @property
    def intercept(self) -> bool:
        """Whether b is there."""

    @property
    def baseline(self) -> bool:
        """Whether one more output, whose logits are 0, is in each log-sum-exp."""

    @property
    def shares(self) -> Tensor:
        """The weights w, (samples,), float64, not negative, sum 1."""

    @property
    def labels(self) -> Tensor:
        """Y, (samples, outputs), float64."""

    def column_sums(self) -> Tensor:
        """Return sum_i w_i |x_ij|, which no slope exceeds anywhere, and sum_i w_i x_ij^2; (features, 2), float64."""

    def columns(self, features: Tensor) -> SparseColumns:
        """Return a copy of the features at ``features``, (columns,) int64, ascending."""

    def slopes(self, residual: Tensor, features: Tensor) -> Tensor:
        """Return the sums of w_i x_ij r_i for some features, (features, outputs), float64; r is (samples, outputs)."""

    def value_and_residual(self, logits: Tensor) -> tuple[float, Tensor]:
        """Return the value at the logits, (samples, outputs) float64, and residuals r that are feasible for the dual.

        At s r, s in [0, 1], the dual function is ``dual_value(r, s)`` less the penalty's conjugate at minus the slopes.
        """

    def dual_value(self, residual: Tensor, scale: float) -> float:
        """Return minus the conjugate of the function of the logits at scale times the residuals, strongly concave."""


@runtime_checkable
class Proximable(Protocol):
    """A function whose proximal operator is known in closed form."""

    def value(self, point: Tensor) -> Tensor:
        """Return h(point), a float64 scalar; ``inf`` outside the domain."""

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return argmin_u h(u) + |u - point|^2 / (2 step)."""


@runtime_checkable
class MetricProximable(Proximable, Protocol):
    """A proximable function whose proximal operator is known where every entry has a curvature of its own."""

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return argmin_u h(u) + 1/2 sum_i metric_i (u_i - point_i)^2, for a positive metric of the point's shape."""


@runtime_checkable
class Conjugable(Proximable, Protocol):
    """A convex proximable function whose conjugate is known: what a duality gap needs."""

    def conjugate(self, point: Tensor) -> Tensor:
        """Return h*(point) = sup_u <point, u> - h(u), a float64 scalar; ``inf`` outside its domain."""

    def gauge(self, point: Tensor) -> float:
        """Return the smallest s >= 0 such that h*(point / t) is finite for every t > s; ``inf`` where none is."""


@runtime_checkable
class Thresholding(Conjugable, Protocol):
    """A penalty that is a sum over entries, and to whose conjugate small entries add nothing."""

    @property
    def threshold(self) -> float:
        """Entries of the conjugate's argument up to this size add 0 to it, and alone make a gauge of at most 1."""


@runtime_checkable
class Differentiable(Proximable, Protocol):
    """A proximable function that is also smooth."""

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value (a float64 scalar) and the gradient (shape and dtype of ``point``)."""

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map v -> Hessian(point) v."""


class LinearMap(Protocol):
    """A linear map between two spaces of tensors, and its adjoint."""

    def times(self, point: Tensor) -> Tensor:
        """Return A x, in the dtype of ``point``."""

    def adjoint_times(self, dual: Tensor) -> Tensor:
        """Return A' u, in the dtype of ``dual``."""


class Term(NamedTuple):
    """The function x -> penalty(A x); without a map, of x itself."""

    penalty: Proximable
    map: LinearMap | None


@runtime_checkable
class Splittable(Proximable, Protocol):
    """A sum of terms: its own prox takes iterations, those of the terms do not."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """What is summed, one term or more."""


class Iterate(Protocol):
    """What ``minimize`` looks at in a solver's state; the rest of the state is the solver's own."""

    @property
    def point(self) -> Tensor:
        """The current point, feasible for the penalty."""

    @property
    def residual(self) -> float:
        """How far the point is from stationary (a norm of the gradient mapping); 0 only at a minimiser."""

    @property
    def halted(self) -> bool:
        """Whether another iteration would not move the point: rounding, or a value that is not finite."""


State = TypeVar("State", bound=Iterate)


class Solver(Protocol[State]):
    """A method of minimising: a first state, and a pure map from one state to the next."""

    def start(self, problem: Problem, point: Tensor) -> State:
        """Return the state at ``point``; raise InputError where the problem lacks what the method needs."""

    def advance(self, problem: Problem, state: State) -> State:
        """Return the state after one iteration; neither argument is changed."""


class Certificate(Protocol):
    """A number that bounds how far a point is from the minimum, computed apart from the solver."""

    def __call__(self, point: Tensor) -> float:
        """Return the relative bound; it is compared with the tolerance."""
