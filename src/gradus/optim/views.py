"""Penalties of the rows of a matrix, made penalties of a layer's filters or of its input channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.core.protocols import MetricProximable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def of_filters(inner: Proximable) -> Proximable:
    """Return the penalty inner(M), M the weights as a matrix with a row for each entry of their first axis.

    For a convolution (out, in, height, width) and a linear layer (out, in) that is an output channel: under a
    ``GroupLasso`` filters become zero as a whole. A vector, as a batch norm's weights, is a column.

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import GroupLasso
    >>> of_filters(GroupLasso(1.0)).prox(torch.tensor([[[3.0, 4.0]], [[0.0, 0.5]]]), step=1.0).tolist()
    [[[2.4000000953674316, 3.200000047683716]], [[0.0, 0.0]]]
    """
    return MetricRows(inner, axis=0) if isinstance(inner, MetricProximable) else Rows(inner, axis=0)


def of_input_channels(inner: Proximable) -> Proximable:
    """Return the penalty inner(M), M the weights as a matrix with a row for each entry of their second axis.

    For a convolution that is an input channel; for a transposed convolution (in, out, height, width) an output channel.

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import GroupLasso
    >>> of_input_channels(GroupLasso(1.0)).prox(torch.tensor([[3.0, 0.0], [4.0, 0.5]]), step=1.0)
    tensor([[2.4000, 0.0000],
            [3.2000, 0.0000]])
    """
    return MetricRows(inner, axis=1) if isinstance(inner, MetricProximable) else Rows(inner, axis=1)


@dataclass(frozen=True)
class Rows:
    """A penalty of a matrix, of the slices of a tensor along one axis; see ``of_filters``."""

    inner: Proximable
    axis: int

    def value(self, point: Tensor) -> Tensor:
        """Return inner(M), a float64 scalar."""
        return self.inner.value(_matrix(point, self.axis))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox of M, in the shape of ``point``."""
        return _back(self.inner.prox(_matrix(point, self.axis), step), point, self.axis)


@dataclass(frozen=True)
class MetricRows:
    """As ``Rows``, of a penalty that has a prox in a metric."""

    inner: MetricProximable
    axis: int

    def value(self, point: Tensor) -> Tensor:
        """Return inner(M), a float64 scalar."""
        return self.inner.value(_matrix(point, self.axis))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox of M, in the shape of ``point``."""
        return _back(self.inner.prox(_matrix(point, self.axis), step), point, self.axis)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return the inner prox of M in the metric's matrix, in the shape of ``point``."""
        matrix = _matrix(point, self.axis)
        return _back(self.inner.prox_in_metric(matrix, _matrix(metric, self.axis)), point, self.axis)


def _matrix(point: Tensor, axis: int) -> Tensor:
    if point.ndim <= axis:
        raise InputError(
            f"a penalty of channels was given the shape {tuple(point.shape)}; expected {axis + 1} axes or more"
        )
    return point.movedim(axis, 0).reshape(point.shape[axis], -1)


def _back(matrix: Tensor, point: Tensor, axis: int) -> Tensor:
    return matrix.reshape(point.movedim(axis, 0).shape).movedim(0, axis)
