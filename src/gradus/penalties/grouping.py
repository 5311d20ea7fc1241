"""Which rows belong together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Partition(Protocol):
    """Which rows of a point belong together, and how much each group counts."""

    def norms(self, point: Tensor) -> Tensor:
        """Return the Euclidean norm of each group, float64 (groups,)."""

    def spread(self, numbers: Tensor, point: Tensor) -> Tensor:
        """Return the number of each row's group, in a shape that broadcasts to the point's."""

    def weights_for(self, point: Tensor) -> Tensor:
        """Return the weights, float64 (groups,), on the device of ``point``."""


def shrunk_by_groups(point: Tensor, groups: Partition, threshold: float) -> Tensor:
    """Return each group scaled by max(1 - threshold * weight / norm, 0), in the dtype of ``point``.

    Examples
    --------
    >>> shrunk_by_groups(torch.tensor([[3.0, 4.0], [0.0, 0.5]]), EachRow(), 1.0)
    tensor([[2.4000, 3.2000],
            [0.0000, 0.0000]])
    """
    norms = groups.norms(point)
    # where the norm is 0 the group is 0 whatever it is scaled by
    ratios = threshold * groups.weights_for(point) / norms.clamp_min(torch.finfo(torch.float64).tiny)
    return (point * groups.spread((1.0 - ratios).clamp_min(0.0), point)).to(point.dtype)


def largest_ratio(norms: Tensor, limits: Tensor) -> float:
    """Return max_g norms_g / limits_g, where 0 / 0 is 0.

    Examples
    --------
    >>> largest_ratio(torch.tensor([3.0, 0.0]), torch.tensor([2.0, 0.0]))
    1.5
    """
    return float((norms / limits).where(norms > 0, 0.0).max()) if norms.numel() else 0.0


@dataclass(frozen=True)
class Groups:
    """A partition of the first axis of a point, with a weight for each group.

    Of the weights (features, classes) of a softmax regression a group is a set of features, with all their classes.

    Parameters
    ----------
    members : the indices of each group; together they are 0, 1, ..., n - 1, each once
    weights : one for each group, positive; None for the square root of the number of its indices

    Raises
    ------
    InputError : if an index is missing or there twice, or a weight is not positive; at a call, if the point's first
        axis has another length

    Examples
    --------
    >>> groups = Groups([[0, 2], [1]], weights=[1.0, 1.0])
    >>> groups.norms(torch.tensor([3.0, 2.0, 4.0])).tolist()
    [5.0, 2.0]
    """

    members: Sequence[Sequence[int]]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        indices = sorted(int(index) for group in self.members for index in group)
        if indices != list(range(len(indices))):
            raise InputError("the groups' members are not 0, 1, ..., n - 1, each once: every row belongs to one group")
        if any(len(group) == 0 for group in self.members):
            raise InputError("one of the groups has no members: leave it out")
        if self.weights is not None and not (
            len(self.weights) == len(self.members) and all(0 < weight < float("inf") for weight in self.weights)
        ):
            raise InputError(f"the groups' weights are {self.weights}; expected {len(self.members)} positive numbers")

    def norms(self, point: Tensor) -> Tensor:
        """Return the Euclidean norm of each group, float64 (groups,)."""
        labels = self._labels_for(point)
        rows = point.double().square().reshape(len(labels), -1).sum(dim=1)
        sums = torch.zeros(len(self.members), dtype=torch.float64, device=point.device)
        return sums.index_add(0, labels, rows).sqrt()

    def spread(self, numbers: Tensor, point: Tensor) -> Tensor:
        """Return the number of each row's group, in a shape that broadcasts to the point's."""
        return numbers[self._labels_for(point)].reshape(-1, *(1 for _ in point.shape[1:]))

    def weights_for(self, point: Tensor) -> Tensor:
        """Return the weights, float64 (groups,), on the device of ``point``."""
        weights = [len(group) ** 0.5 for group in self.members] if self.weights is None else list(self.weights)
        return torch.tensor(weights, dtype=torch.float64, device=point.device)

    def _labels_for(self, point: Tensor) -> Tensor:
        if point.ndim == 0 or point.shape[0] != len(self._labels):
            raise InputError(
                f"the groups have {len(self._labels)} members and the point the shape {tuple(point.shape)}; expected "
                "one member for each entry of its first axis"
            )
        return self._labels.to(point.device)

    @cached_property
    def _labels(self) -> Tensor:
        labels = torch.empty(sum(len(group) for group in self.members), dtype=torch.int64)
        for number, group in enumerate(self.members):
            labels[torch.as_tensor(group, dtype=torch.int64)] = number
        return labels


@dataclass(frozen=True)
class EachRow:
    """The partition of a matrix into its rows, all of weight 1.

    Examples
    --------
    >>> EachRow().norms(torch.tensor([[3.0, 4.0], [0.0, 2.0]])).tolist()
    [5.0, 2.0]
    """

    def norms(self, point: Tensor) -> Tensor:
        """Return the Euclidean norm of each row, float64 (rows,)."""
        if point.ndim != 2:
            raise InputError(f"a penalty of rows was given the shape {tuple(point.shape)}; expected a matrix")
        norms: Tensor = torch.linalg.vector_norm(point.double(), dim=1)
        return norms

    def spread(self, numbers: Tensor, point: Tensor) -> Tensor:
        """Return the number of each row as a column."""
        return numbers[:, None]

    def weights_for(self, point: Tensor) -> Tensor:
        """Return ones, float64 (rows,), on the device of ``point``."""
        return torch.ones(len(point), dtype=torch.float64, device=point.device)
