"""An approximate inverse Hessian for many strengths: the Gram matrix is diagonalised once and serves them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.kernels.softmax_sweep import Labelled
from gradus.losses import passes
from gradus.losses.leading_rows import Largest, LeadingRows, affordable
from gradus.losses.overflow import squares_checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from gradus.losses.cross_entropy import CrossEntropy
    from gradus.losses.linear_model import LinearModel

# rows from which the Gram matrix is estimated: more rows change the number of iterations little
GRAM_ROWS = 16_384
# added to the spectrum, relative to its mean, so that directions without data stay bounded
JITTER = 1e-7
# the least curvature of an output, relative to its value at uniform probabilities
LEAST_CURVATURE = 1e-6
# and the least that is left of it beside the leading rows, relative to all of it
LEAST_REST = 1e-3


@dataclass(frozen=True)
class Spectrum:
    """beta^2 X' Omega X around the model's centre as U diag(s) U'; without U its diagonal alone.

    Attributes
    ----------
    values : s, (features,), positive
    basis : U, (features, features), or None
    """

    values: Tensor
    basis: Tensor | None

    @classmethod
    def of(cls, model: LinearModel[Any], *, diagonal: bool) -> Spectrum:
        """Return the spectrum of the Gram matrix of ``model``, or its diagonal.

        Cost: rows x features^2 for 16,384 to 32,768 evenly spaced rows, then 10 features^3; the diagonal one pass.

        Raises
        ------
        InputError : if the squares overflow
        """
        dtype = model.features.dtype
        if diagonal:
            values = model.squared_norms()
            return cls((values + 1e-3 * _positive(values.mean())).to(dtype), None)
        stride = max(model.features.shape[0] // GRAM_ROWS, 1)
        rows = model.features.rows(0, model.features.shape[0], stride)
        weights = model.weights[::stride] / _positive(model.weights[::stride].sum())
        gram = rows.gram(weights).double()
        if model.centre is not None:
            mean, centre = rows.weighted_sums(weights)[0].double(), model.centre.double()
            gram = gram - torch.outer(centre, mean) - torch.outer(mean, centre) + torch.outer(centre, centre)
        squares_checked(float(gram.trace()), dtype)
        values, basis = _eigenvectors(model.scale**2 * gram)
        values = values.clamp_min(0.0) + JITTER * _positive(values.mean())
        # column after column, as products of rows with it want it: they would copy it first each time
        return cls(values.to(dtype), basis.to(dtype).t().contiguous().t())


def _eigenvectors(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues and eigenvectors; features that are 0 stand for themselves, so that they stay 0."""
    live = gram.diagonal().nonzero()[:, 0]
    if len(live) == len(gram):
        values, basis = torch.linalg.eigh(gram)
        return values, basis
    values, basis = torch.zeros_like(gram[0]), torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    values[live], basis[live[:, None], live] = torch.linalg.eigh(gram[live[:, None], live])
    return values, basis


class OutputCurvature(NamedTuple):
    """What the rows' probabilities p make of the Hessian's block of each output k.

    Attributes
    ----------
    total : c_k, the weighted mean of v_ik = p_ik (1 - p_ik), (outputs,), positive
    centre : m_k, the mean of beta (x_i - c) with weights w_i v_ik, (features, outputs): where the rows are that output
        k is still unsure of
    leading : the rows that bend the loss of each output most, in the basis of a spectrum; None for none
    """

    total: Tensor
    centre: Tensor
    leading: LeadingRows | None = None

    @classmethod
    def at(
        cls, model: LinearModel[CrossEntropy], point: Tensor, least_rows: int, basis: Tensor | None = None
    ) -> OutputCurvature:
        """Return both at ``point``, from ``least_rows`` evenly spaced rows, up to twice as many, or all if fewer.

        The better the fit, the fewer rows have any uncertainty left, and the more have to be looked at. With the basis
        of a spectrum the leading rows of all are found as well, for half a pass over X.
        """
        part = (0, model.samples, max(model.samples // least_rows, 1))
        weights = model.weights[:: part[2]]
        share = weights / _positive(weights.sum())
        some = replace(model, loss=model.loss.rows(*part), features=model.features.rows(*part), weights=share)
        found = cls.of(some, _bends(some, point))
        if basis is None:
            return found
        largest = Largest(affordable(model))
        for _, bend in _bends(model, point):
            largest.add(bend)
        return found._replace(leading=LeadingRows.of(model, largest, found.centre, basis))

    @classmethod
    def of(
        cls, model: LinearModel[CrossEntropy], bends: Iterable[tuple[slice, Tensor]], basis: Tensor | None = None
    ) -> OutputCurvature:
        """Return both from all rows of ``model``, which come in turn, each block with its w_i v_ik, (some, outputs).

        With the basis of a spectrum the leading rows as well.
        """
        features, outputs = model.features.shape[1], model.loss.outputs
        total = model.weights.new_zeros(outputs)
        centre = model.weights.new_zeros(features, outputs)
        largest = Largest(affordable(model))
        for rows, bend in bends:
            total += bend.sum(dim=0)
            centre += model.pull_back(bend, model.features.rows(rows.start, rows.stop))[:features]
            if basis is not None:
                largest.add(bend)
        total.clamp_min_(LEAST_CURVATURE * model.loss.typical_curvature())
        centre /= total
        return cls(total, centre, None if basis is None else LeadingRows.of(model, largest, centre, basis))


def evaluated(model: LinearModel[CrossEntropy], point: Tensor, basis: Tensor) -> tuple[Tensor, Tensor, OutputCurvature]:
    """Return the value, the gradient and the curvature at ``point``, with the leading rows. One pass over X.

    No more of the probabilities is held than of a block of rows: all of them might be as large as the data.
    """
    value, gradient = point.new_zeros((), dtype=torch.float64), torch.zeros_like(point)
    linear, labelled = model.linear(point), Labelled(model.loss.targets, model.weights)

    def bends() -> Iterator[tuple[slice, Tensor]]:
        nonlocal value
        for rows, loss, slopes, probabilities in passes.with_probabilities(model.features, linear, labelled):
            value = value + loss
            gradient.add_(model.gradient(slopes))
            yield rows, _bend(probabilities, model.weights[rows])

    curvature = OutputCurvature.of(model, bends(), basis)
    return value, gradient, curvature


def _bends(model: LinearModel[CrossEntropy], point: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows and their w_i v_ik; the next overwrite them."""
    labelled = Labelled(model.loss.targets, model.weights)
    for rows, probabilities in passes.probabilities(model.features, model.linear(point), labelled):
        yield rows, _bend(probabilities, model.weights[rows])


def _bend(probabilities: Tensor, weights: Tensor) -> Tensor:
    """Return w_i p_ik (1 - p_ik), in the place of the probabilities."""
    return probabilities.addcmul_(probabilities, probabilities, value=-1.0).mul_(weights[:, None])


@dataclass(frozen=True)
class SharedPreconditioner:
    """One system for each output k, with the Gram matrix G = U diag(s) U' of all rows in the place of its own rows'.

    The Hessian's block of output k is that of a least-squares problem with the weights w_i v_ik: in coordinates around
    their centre m_k the intercept stands apart with the curvature c_k, and the slopes have nearly c_k G + ridge. So a
    change of the ridge or of the probabilities costs no factorisation. Leading rows stand for themselves: the more a
    fit tells the outputs apart, the fewer rows bend the loss at all, and in the directions between them it is flat.
    """

    spectrum: Spectrum
    curvature: OutputCurvature
    ridge: float
    intercept: bool

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the map's value at a gradient, in its shape and dtype. Cost: 4 features^2 outputs."""
        rows = len(self.spectrum.values)
        if not self.intercept:
            return self._solved(gradient)
        slopes = self._solved(gradient[:rows] - self.curvature.centre * gradient[rows])
        intercept = gradient[rows] / self.curvature.total - (self.curvature.centre * slopes).sum(dim=0)
        # an intercept common to all outputs changes nothing, and must not wander
        return torch.cat([slopes, (intercept - intercept.mean())[None]])

    def _solved(self, slopes: Tensor) -> Tensor:
        basis = self.spectrum.basis
        if basis is None:
            return slopes / self._diagonal
        inward = (basis.t() @ slopes).mul_(self._root)
        if self._leading is not None:
            rows = inward.t().contiguous()[:, None]
            along = torch.bmm(rows, self._leading.transpose(1, 2))
            inward = torch.baddbmm(rows, along, self._leading, alpha=-1.0)[:, 0].t()
        return basis @ (inward * self._root)

    @cached_property
    def _diagonal(self) -> Tensor:
        """The system in the basis of the spectrum, without the leading rows, (features, outputs)."""
        total, leading = self.curvature.total, self.curvature.leading
        if leading is not None:
            total = torch.maximum(total - leading.total, LEAST_REST * total)
        return self.spectrum.values[:, None] * total + self.ridge

    @cached_property
    def _root(self) -> Tensor:
        """The inverse square root of the diagonal."""
        return self._diagonal.rsqrt()

    @cached_property
    def _leading(self) -> Tensor | None:
        """What the leading rows take from the inverse; see ``LeadingRows.against``."""
        leading = self.curvature.leading
        return None if leading is None else leading.against(self._diagonal)


def _positive(value: Tensor) -> Tensor:
    return value.clamp_min(torch.finfo(value.dtype).tiny)
