"""The number whose sum with its own logarithm is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

NEWTON_STEPS = 7
# exp of less than this is not a normal number in float64
LEAST_EXPONENT = -700.0


def wright_omega(point: Tensor) -> Tensor:
    """Return w > 0 with w + log w = z for each entry z, in float64: Lambert's W of exp(z), without its overflow.

    Newton's method, w <- w (1 + z - log w) / (1 + w), from log(1 + exp z), which is above the root and within a factor
    of 1 + log(1 + z) of it. Cost: O(n), some ten passes.

    References
    ----------
    Corless & Jeffrey 2002, The Wright omega function

    Examples
    --------
    >>> wright_omega(torch.tensor([1.0, 1e6, -800.0]))
    tensor([1.0000e+00, 9.9999e+05, 0.0000e+00], dtype=torch.float64)
    """
    wide = point.double()
    held = wide.clamp_min(LEAST_EXPONENT)
    root = torch.nn.functional.softplus(held).clamp_min(held.exp() * 0.5)
    # where z is large its logarithm is most of the difference
    root = (held - held.clamp_min(1.0).log()).where(held > 2.0, root)
    for _ in range(NEWTON_STEPS):
        root = root / (1.0 + root) * (1.0 + (held - root.log()))
    return root.where(wide > LEAST_EXPONENT, wide.exp())
