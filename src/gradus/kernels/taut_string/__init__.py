"""Total variation denoising of a signal: the string pulled taut in a tube around its running sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["taut_string"]


def taut_string(rows: Tensor, radius: float) -> Tensor:
    """Return for each row y the x that minimises 1/2 sum_i (x_i - y_i)^2 + radius sum_i |x_{i+1} - x_i|.

    The running sums of x are the shortest way from (0, 0) to (n, sum y) that stays within ``radius`` of the running
    sums of y. From the last corner of that way, the tightest ways to the upper and the lower wall are chains of
    straight pieces, the one bending up and the other down; where a wall's chain has become one straight piece and the
    chains cross, the way goes along the other chain's first piece. Each piece is made and dropped once: O(n) a row.

    Parameters
    ----------
    rows : (rows, n) float64
    radius : not negative

    Raises
    ------
    InputError : if the shape or type is another, or the radius negative

    References
    ----------
    Davies & Kovac 2001, Local extremes, runs, strings and multiresolution, section 3; Barbero & Sra 2018, Modular
    proximal optimization for multidimensional total-variation regularization, section 3.2

    Examples
    --------
    >>> import torch
    >>> taut_string(torch.tensor([[0.0, 1.0, 5.0, 6.0]], dtype=torch.float64), 1.0).tolist()
    [[1.0, 1.0, 5.0, 5.0]]
    """
    if rows.ndim != 2 or not rows.dtype.is_floating_point or rows.element_size() != 8:
        raise InputError(f"rows are {tuple(rows.shape)} {rows.dtype}; (rows, n) torch.float64 was expected")
    if not radius >= 0:
        raise InputError(f"radius is {radius}; expected a number >= 0")
    result: Tensor = dispatch.load("taut_string", rows.device.type).taut_string(rows, float(radius))
    return result
