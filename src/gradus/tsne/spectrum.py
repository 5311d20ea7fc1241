"""The transform of Student's t kernel on a grid, made ready for charges that B-splines have spread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import torch
from torch import Tensor

from gradus.kernels.threads import threads

# the weights of the centred B-spline at the integers, times the factorial of order - 1
AT_INTEGERS = {4: (1 / 6, 4 / 6, 1 / 6), 6: (1 / 120, 26 / 120, 66 / 120, 26 / 120, 1 / 120)}


@dataclass(frozen=True)
class Rule:
    """How a potential is put on a grid.

    Attributes
    ----------
    dof : degrees of freedom a of the kernel (1 + r^2 / a)^(-a)
    spacing : distance h between nodes
    order : order of the B-splines, 4 or 6
    """

    dof: float
    spacing: float
    order: int


@lru_cache(maxsize=16)
def spectrum(rule: Rule, height: int, width: int) -> Tensor:
    """Return the real transform of the kernel over the transform of the splines squared.

    The kernel is sampled at all differences of nodes of a grid (height, width), on a grid of twice the size, so that
    its period is never seen. Spreading and reading multiply every wave by the transform of the sampled
    spline once each, and division by its square undoes both: at the nodes the convolution is exact.

    Returns
    -------
    spectrum : (width + 1, height + 1), float32, at the waves that are not negative: the kernel is even

    Cost
    ----
    One cosine transform of a quarter of the grid in float64; the last few results are kept.

    References
    ----------
    Essmann et al. 1995, A smooth particle mesh Ewald method, equation 4.8; MATH of the single charge in
    docs/derivations/tsne.md

    Examples
    --------
    >>> spectrum(Rule(dof=1.0, spacing=0.5, order=4), 8, 6).shape
    torch.Size([7, 9])
    """
    down = (np.arange(height + 1) * rule.spacing) ** 2
    along = (np.arange(width + 1) * rule.spacing) ** 2
    # in place: memory that is new costs more than the arithmetic
    kernel = np.add.outer(along / rule.dof, down / rule.dof)
    kernel += 1
    np.power(kernel, -rule.dof, out=kernel)
    # an even sequence of twice the length: its Fourier transform is the cosine transform of its first half
    with threads(None) as workers:
        quarter = scipy.fft.dctn(kernel, type=1, overwrite_x=True, workers=workers)
    quarter /= spline_transform(rule.order, width)[:, None] ** 2
    quarter /= spline_transform(rule.order, height)[None, :] ** 2
    return torch.from_numpy(quarter.astype(np.float32))


def spline_transform(order: int, half: int) -> np.ndarray:
    """Return sum_j M_p(j) cos(2 pi j k / (2 half)) for k = 0 .. half, the transform of the spline at the integers.

    Examples
    --------
    >>> spline_transform(4, 2).round(4).tolist()
    [1.0, 0.6667, 0.3333]
    """
    weights = AT_INTEGERS[order]
    offsets = np.arange(len(weights)) - len(weights) // 2
    transform: np.ndarray = np.cos(np.pi / half * np.outer(np.arange(half + 1), offsets)) @ np.array(weights)
    return transform
