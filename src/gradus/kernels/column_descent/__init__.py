"""A log-linear model with absolute values and squares, descended on one coordinate after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns

__all__ = ["Coordinates", "Descended", "Terms", "column_logits", "column_products", "descend"]


class Coordinates(NamedTuple):
    """Weights of some columns for some outputs, in ascending order of the outputs, and an intercept for each output.

    Attributes
    ----------
    places : (weights,) int32, the column of each weight
    firsts : (outputs + 1,) int64, the first weight of each output, and the number of weights
    weights : (weights,) float64
    intercept : (outputs,) float64
    """

    places: Tensor
    firsts: Tensor
    weights: Tensor
    intercept: Tensor


class Terms(NamedTuple):
    """What is minimised besides the log-sum-exp of the logits.

    Attributes
    ----------
    shares : w, (samples,) float64, not negative
    slopes : c, (weights,) float64; -c . weights is part of the function
    intercept_slopes : (outputs,) float64, the same of the intercept; None where it stays as it is
    absolute : strength of the absolute values of the weights, not negative
    square : strength of half of their squares, not negative
    norm : strength of the norms of each column's weights, not negative; where it is positive, every output has a weight
        of every column
    baseline : whether one more output, whose logits are 0, is in each log-sum-exp, as in logistic regression; of two
        outputs or more then without norms
    """

    shares: Tensor
    slopes: Tensor
    intercept_slopes: Tensor | None
    absolute: float
    square: float
    norm: float = 0.0
    baseline: bool = False


class Descended(NamedTuple):
    """Where the descent ended, after how many sweeps, and by how much its last one found optimality violated."""

    coordinates: Coordinates
    sweeps: int
    violation: float


def column_logits(columns: SparseColumns, coordinates: Coordinates, samples: int) -> Tensor:
    """Return z, (outputs, samples) float64: the columns times the weights, plus the intercept.

    Cost: the entries of the columns of weights that are not 0; outputs in parallel.

    Examples
    --------
    >>> import torch
    >>> from gradus.core.columns import SparseColumns
    >>> columns = SparseColumns(torch.tensor([0, 1]), torch.tensor([1], dtype=torch.int32), torch.ones(1))
    >>> one = torch.ones(1, dtype=torch.float64)
    >>> coordinates = Coordinates(torch.tensor([0], dtype=torch.int32), torch.tensor([0, 1]), one, 2 * one)
    >>> column_logits(columns, coordinates, samples=2).tolist()
    [[2.0, 3.0]]
    """
    result: Tensor = _load(columns).column_logits(columns, coordinates, samples)
    return result


def column_products(columns: SparseColumns, residual: Tensor, coordinates: Coordinates) -> Tensor:
    """Return the product of each weight's column with its output of R, (weights,) float64.

    residual : R, (samples, outputs) float64
    """
    result: Tensor = _load(columns).column_products(columns, residual, coordinates)
    return result


def descend(columns: SparseColumns, coordinates: Coordinates, terms: Terms, tolerance: float, sweeps: int) -> Descended:
    """Lower  sum_i w_i lse(z_i) - c . weights + absolute |weights|_1 + square |weights|^2 / 2.

    One weight after the other goes to the minimum of a function that lies above: with g and h the first and second
    derivative of the smooth part and m the largest |x| of the column, along t the second derivative is at most
    h exp(m |t|), because the derivative of log(p (1 - p)) in a logit is 1 - 2p. So the smooth part is at most
    g t + h (exp(m |t|) - 1 - m |t|) / m^2, whose minimum has a closed form, and the value never rises. The
    probabilities are kept up to date. Sweeps over the weights that are not 0 alternate with full ones, which alone end
    the descent. Sequential, hence the same on any number of threads.

    With ``norm`` times sum_j |weights of column j| on top, all outputs' weights of a column move at a time.

    Cost of a sweep: the entries of the columns of the weights visited.

    Parameters
    ----------
    tolerance : ends when no optimality condition met in a full sweep is violated by more than this; not negative
    sweeps : most sweeps, positive

    References
    ----------
    Genkin, Lewis & Madigan 2007, Large-scale Bayesian logistic regression for text categorization (bounds on the
    curvature along a coordinate); Yuan, Chang, Hsieh & Lin 2010, A comparison of optimization methods and software for
    large-scale L1-regularized linear classification, section 4.1; Bach 2010, Self-concordant analysis for logistic
    regression, proposition 1
    """
    if terms.baseline:
        return _with_baseline(columns, coordinates, terms, tolerance, sweeps)
    result: Descended = _load(columns).descend(columns, coordinates, terms, tolerance, sweeps)
    return result


def _with_baseline(
    columns: SparseColumns, coordinates: Coordinates, terms: Terms, tolerance: float, sweeps: int
) -> Descended:
    """Descend with one more output that has no weights: only how its intercept differs from the others' counts."""
    places, firsts, weights, intercept = coordinates
    wider = Coordinates(
        places, torch.cat([firsts, firsts[-1:]]), weights, torch.cat([intercept, intercept.new_zeros(1)])
    )
    lifts = terms.intercept_slopes
    if lifts is not None:
        lifts = torch.cat([lifts, (terms.shares.sum() - lifts.sum())[None]])
    if len(intercept) == 1:
        # the norm of one weight is its absolute value
        terms = terms._replace(absolute=terms.absolute + terms.norm, norm=0.0)
    ended = descend(columns, wider, terms._replace(intercept_slopes=lifts, baseline=False), tolerance, sweeps)
    found = ended.coordinates.intercept
    return ended._replace(
        coordinates=coordinates._replace(weights=ended.coordinates.weights, intercept=found[:-1] - found[-1])
    )


def _load(columns: SparseColumns) -> Any:
    return dispatch.load("column_descent", columns.values.device.type)
