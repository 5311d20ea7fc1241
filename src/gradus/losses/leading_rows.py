"""The few rows that bend each output's loss most: what sets its Hessian apart from a multiple of the Gram matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.kernels.blocks import row_parts
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from gradus.losses.linear_model import LinearModel

# rows of each output: more change little where there are many outputs; fewer than the least are not worth it
COUNT, MOST, LEAST = 32, 128, 8
# of few outputs up to so many together, and of any at most this share of the rows
TOGETHER_AT_MOST, SHARE_OF_ROWS = 3200, 0.25
# outputs that are worked on together
TOGETHER = 8
# a comparison and what surrounds it, in arithmetic steps
STEPS = 10
# keeps rounding in float32 from making an eigenvalue of I - B'B, which may be as small as this, negative
ROUNDING = 4e-6


class LeadingRows(NamedTuple):
    """For each output k the rows with the largest v_ik = w_i p_ik (1 - p_ik), around a centre m_k, in a basis U.

    Attributes
    ----------
    rows : sqrt(v_ik) (beta (x_i - c) - m_k)' U, (outputs, count, features)
    total : the sum of their v_ik, (outputs,)
    """

    rows: Tensor
    total: Tensor

    @classmethod
    def of(cls, model: LinearModel[Any], bends: Iterable[Tensor], centre: Tensor, basis: Tensor) -> LeadingRows:
        """Return those of the rows of ``model``, which should be ``enough`` for it.

        bends : v_ik of consecutive rows, (some, outputs), all of them in turn; centre : m_k, (features, outputs)
        basis : U, (features, features)

        Cost: a comparison with every v_ik, and count x outputs x features^2. Memory: at most half of X's.
        """
        strengths, positions = largest(bends, affordable(model))
        rows = model.features.taken(positions.flatten()).times(model.scale * basis)
        shift = centre if model.centre is None else centre + model.scale * model.centre[:, None]
        rows = rows.view(*positions.shape, -1).sub_((basis.t() @ shift).t()[:, None])
        return cls(rows.mul_(strengths.sqrt()[:, :, None]), strengths.sum(dim=1))

    def against(self, diagonal: Tensor) -> Tensor:
        """Return B, (outputs, count, features), such that D^-1/2 (I - B'B) D^-1/2 is the inverse of D + rows' rows.

        diagonal : D, (features, outputs), positive. Cost: count^2 x outputs x features.
        """
        outputs, count, features = self.rows.shape
        found = torch.empty_like(self.rows)
        scale = diagonal.t().rsqrt()

        def fill(part: slice) -> None:
            scaled = (self.rows[part] * scale[part, None]).double()
            system = torch.baddbmm(
                torch.eye(count, dtype=torch.float64, device=scaled.device), scaled, scaled.transpose(1, 2)
            )
            factor = torch.linalg.cholesky(system)
            found[part] = torch.linalg.solve_triangular(factor, scaled, upper=False) * (1.0 - ROUNDING)

        each_part(row_parts(outputs, outputs // TOGETHER), fill, 4 * outputs * count**2 * features)
        return found


def enough(model: LinearModel[Any]) -> bool:
    """Return whether there are enough rows for some of them to stand out."""
    return affordable(model) >= LEAST


def affordable(model: LinearModel[Any]) -> int:
    """Return how many rows of each output are kept."""
    outputs: int = model.loss.outputs
    return min(max(COUNT, min(MOST, TOGETHER_AT_MOST // outputs)), int(SHARE_OF_ROWS * model.samples / outputs))


def largest(blocks: Iterable[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` largest entries of each column of some consecutive blocks of rows, and which rows they are.

    Both are (columns, count); fewer where there are fewer rows.

    Examples
    --------
    >>> values, rows = largest([torch.tensor([[1.0, 5.0], [3.0, 4.0]]), torch.tensor([[2.0, 6.0]])], 2)
    >>> sorted(rows[0].tolist()), sorted(rows[1].tolist())
    ([1, 2], [0, 2])
    """
    values, rows, start = torch.empty(0), torch.empty(0, dtype=torch.int64), 0
    for block in blocks:
        found, places = _largest_of_block(block, min(count, len(block)))
        places += start
        if start:
            found, places = torch.cat([values, found], dim=1), torch.cat([rows, places], dim=1)
        values, order = torch.topk(found, min(count, found.shape[1]), dim=1, sorted=False)
        rows, start = places.gather(1, order), start + len(block)
    return values, rows


def _largest_of_block(block: Tensor, count: int) -> tuple[Tensor, Tensor]:
    columns = block.shape[1]
    values, rows = block.new_empty(columns, count), block.new_empty(columns, count, dtype=torch.int64)

    def fill(part: slice) -> None:
        found = torch.topk(block[:, part], count, dim=0, sorted=False)
        values[part], rows[part] = found.values.t(), found.indices.t()

    each_part(row_parts(columns, columns // TOGETHER), fill, STEPS * block.numel())
    return values, rows
