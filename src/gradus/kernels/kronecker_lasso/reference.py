"""The descent on the matrix written out, by torch: right on any device, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.gram_lasso import Quadratic as Written
from gradus.kernels.gram_lasso.reference import gram_lasso

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.kronecker_lasso import Quadratic


def kronecker_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    gram, between, vectors, signs = (part.double() for part in quadratic.curvature)
    outputs = len(between)
    # entries output by output, so that the rows are the blocks b, b + features, ...
    flat = vectors.permute(1, 2, 0).reshape(len(signs), outputs * len(gram))
    hessian = torch.kron(between, gram) + (flat.t() * signs) @ flat
    absolute, square = (part.repeat(outputs) for part in (quadratic.absolute, quadratic.square))
    gradient, start = (part.t().contiguous().ravel() for part in (quadratic.gradient, quadratic.start))
    written = Written(hessian, gradient, start, absolute, square, quadratic.norms)
    found = gram_lasso(written, tolerance, sweeps)
    return found.reshape(outputs, len(gram)).t().contiguous()
