"""The few rows that bend each output's loss most: what sets its Hessian apart from a multiple of the Gram matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from gradus.core import unwritten
from gradus.kernels.blocks import row_parts
from gradus.kernels.portions import portion
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.features import Features
    from gradus.losses.linear_model import LinearModel

# rows of each output: more change little where there are many outputs; fewer than the least are not worth it
COUNT, MOST, LEAST = 16, 128, 8
# of few outputs up to so many together, and of any at most this share of the rows
TOGETHER_AT_MOST, SHARE_OF_ROWS = 1600, 0.25
# outputs that are worked on together
TOGETHER = 2
# a comparison and what surrounds it, in arithmetic steps
STEPS = 10
# keeps rounding in float32 from making an eigenvalue of I - B'B, which may be as small as this, negative
ROUNDING = 4e-6


@dataclass(frozen=True)
class LeadingRows:
    """For each output k the rows with the largest v_ik = w_i p_ik (1 - p_ik), around a centre m_k, in a basis U.

    They are sqrt(v_ik) (beta (x_i - c) - m_k)' U, and are worked out a few outputs at a time where they are needed:
    all of them may be as large as half of X.

    Attributes
    ----------
    features : the x_i
    positions : i, (outputs, count)
    roots : sqrt(v_ik), (outputs, count)
    basis : beta U, (features, features)
    shift : (m_k + beta c)' U, (outputs, features)
    """

    features: Features
    positions: Tensor
    roots: Tensor
    basis: Tensor
    shift: Tensor

    @classmethod
    def of(cls, model: LinearModel[Any], largest: Largest, centre: Tensor, basis: Tensor) -> LeadingRows:
        """Return those of the rows of ``model``, which should be ``enough`` for it.

        largest : the ``affordable`` largest v_ik of each output; centre : m_k, (features, outputs)
        basis : U, (features, features)
        """
        shift = centre if model.centre is None else centre + model.scale * model.centre[:, None]
        scaled = basis if model.scale == 1 else model.scale * basis
        return cls(model.features, largest.rows, largest.values.sqrt(), scaled, shift.t() @ basis)

    @cached_property
    def total(self) -> Tensor:
        """The sum of their v_ik, (outputs,)."""
        return self.roots.square().sum(dim=1)

    def rows(self, outputs: slice) -> Tensor:
        """Return those of some outputs, (outputs, count, features). Cost: count x outputs x features^2."""
        positions = self.positions[outputs]
        rows = self.features.taken(positions.flatten()).times(self.basis).view(*positions.shape, -1)
        return rows.sub_(self.shift[outputs, None]).mul_(self.roots[outputs, :, None])

    def against(self, diagonal: Tensor) -> Tensor:
        """Return B, (outputs, count, features), such that D^-1/2 (I - B'B) D^-1/2 is the inverse of D + rows' rows.

        diagonal : D, (features, outputs), positive. Cost: that of the rows, and count^2 x outputs x features.
        """
        outputs, count = self.positions.shape
        features = len(diagonal)
        found = unwritten.zeros((outputs, count, features), diagonal.dtype, diagonal.device)
        scale = diagonal.t().rsqrt()
        identity = torch.eye(count, dtype=torch.float64, device=diagonal.device)

        def fill(part: slice) -> None:
            scaled = self.rows(part).mul_(scale[part, None]).double()
            factor = torch.linalg.cholesky(torch.baddbmm(identity, scaled, scaled.transpose(1, 2)))
            found[part] = torch.linalg.solve_triangular(factor, scaled, upper=False) * (1.0 - ROUNDING)

        steps = 4 * outputs * count * features * (count + features // 2)
        together = portion(diagonal.device, TOGETHER * count * features) // (count * features)
        each_part(row_parts(outputs, outputs // together), fill, steps)
        return found


def enough(model: LinearModel[Any]) -> bool:
    """Return whether there are enough rows for some of them to stand out."""
    return affordable(model) >= LEAST


def affordable(model: LinearModel[Any]) -> int:
    """Return how many rows of each output are kept."""
    outputs: int = model.loss.outputs
    return min(max(COUNT, min(MOST, TOGETHER_AT_MOST // outputs)), int(SHARE_OF_ROWS * model.samples / outputs))


class Largest:
    """The ``count`` largest entries of each column of some consecutive blocks of rows, and which rows they are.

    Attributes
    ----------
    values, rows : (columns, count), in no order; fewer where there are fewer rows

    Examples
    --------
    >>> largest = Largest(2)
    >>> largest.add(torch.tensor([[1.0, 5.0], [3.0, 4.0]]))
    >>> largest.add(torch.tensor([[2.0, 6.0]]))
    >>> sorted(largest.rows[0].tolist()), sorted(largest.rows[1].tolist())
    ([1, 2], [0, 2])
    """

    values: Tensor
    rows: Tensor

    def __init__(self, count: int) -> None:
        self._count, self._seen = count, 0

    def add(self, block: Tensor) -> None:
        """Look at the next rows. Cost: a comparison with every entry."""
        few = _candidates(block, self.values) if self._full() else None
        found, places = few or _largest_of_block(block, min(self._count, len(block)))
        places += self._seen
        if self._seen:
            found, places = torch.cat([self.values, found], dim=1), torch.cat([self.rows, places], dim=1)
        self.values, order = torch.topk(found, min(self._count, found.shape[1]), dim=1, sorted=False)
        self.rows, self._seen = places.gather(1, order), self._seen + len(block)

    def _full(self) -> bool:
        return self._seen > 0 and self.values.shape[1] == self._count


def _candidates(block: Tensor, values: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the entries of each column above the least of ``values``, padded with less; None where they are many."""
    rows, columns = (block > values.amin(dim=1)).nonzero(as_tuple=True)
    counts = torch.bincount(columns, minlength=block.shape[1])
    most = int(counts.max())
    if most > values.shape[1]:
        return None
    columns, order = columns.sort(stable=True)
    rows = rows[order]
    at = torch.arange(len(columns), device=block.device) - (counts.cumsum(0) - counts)[columns]
    found, places = block.new_full((block.shape[1], most), -torch.inf), rows.new_zeros(block.shape[1], most)
    found[columns, at], places[columns, at] = block[rows, columns], rows
    return found, places


def _largest_of_block(block: Tensor, count: int) -> tuple[Tensor, Tensor]:
    columns = block.shape[1]
    values, rows = block.new_empty(columns, count), block.new_empty(columns, count, dtype=torch.int64)

    def fill(part: slice) -> None:
        found = torch.topk(block[:, part], count, dim=0, sorted=False)
        values[part], rows[part] = found.values.t(), found.indices.t()

    each_part(row_parts(columns, columns // TOGETHER), fill, STEPS * block.numel())
    return values, rows
