"""Unit charges spread to a regular grid by B-splines, convolved there, and read back with their gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["convolve", "interpolate", "spread"]

ORDERS = (4, 6)


def spread(places: Tensor, shape: tuple[int, int], order: int) -> Tensor:
    """Return the grid of charges rho(g) = sum_j M_p(u_j - g), with M_p the B-spline of order p on both axes.

    Node g gets its share of every point whose coordinate u has floor(u) <= g < floor(u) + p: the spline is shifted by
    a constant that cancels where the same order reads the grid.

    Parameters
    ----------
    places : (samples, 2) in units of the spacing, 0 <= u <= size - order on each axis, float32 or float64
    shape : (height, width) of the grid
    order : 4 (cubic) or 6 (quintic)

    Returns
    -------
    charges : (height, width), the dtype of ``places``; their sum is the number of points

    Cost
    ----
    order^2 additions per point. Points are brought in order of their row and every row of the grid gathers, so the
    sums are formed in the same order for any number of threads.

    References
    ----------
    Essmann et al. 1995, A smooth particle mesh Ewald method, equations 4.1 and 4.6

    Examples
    --------
    >>> import torch
    >>> spread(torch.tensor([[0.0, 0.0]]), (4, 4), order=4)[:3, :3].mul(36).round()
    tensor([[ 1.,  4.,  1.],
            [ 4., 16.,  4.],
            [ 1.,  4.,  1.]])
    """
    module = dispatch.load("spline_grid", places.device.type)
    return cast("Tensor", module.spread(places, shape, order))


def convolve(charges: Tensor, spectrum: Tensor) -> Tensor:
    """Return the charges convolved with the kernel of this spectrum, without images at the grid's period.

    Parameters
    ----------
    charges : (height, width)
    spectrum : (width + 1, height + 1), real: the transform of an even kernel on the grid of twice the size, at the
        waves that are not negative; those along a row come first

    Returns
    -------
    potential : (height, width)

    Cost
    ----
    Two real transforms of (2 height, 2 width), of which the rows that are only padding are left out.

    References
    ----------
    Hockney & Eastwood 1988, Computer simulation using particles, section 6-5-4

    Examples
    --------
    >>> import torch
    >>> convolve(torch.eye(3), torch.ones(4, 4))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """
    module = dispatch.load("spline_grid", charges.device.type)
    return cast("Tensor", module.convolve(charges, spectrum))


def interpolate(potential: Tensor, places: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the spline sum_g potential(g) M_p(u - g) and its gradient with respect to u at every place.

    Parameters
    ----------
    potential : (height, width)
    places, order : as of ``spread``

    Returns
    -------
    values : (samples,), float64
    slopes : (samples, 2), the dtype of ``places``

    Examples
    --------
    >>> import torch
    >>> ramp = torch.arange(8.0).expand(8, 8)
    >>> values, slopes = interpolate(ramp, torch.tensor([[2.5, 1.25]]), order=4)
    >>> values, slopes.round(decimals=3).abs()
    (tensor([2.2500], dtype=torch.float64), tensor([[0., 1.]]))
    """
    module = dispatch.load("spline_grid", places.device.type)
    return cast("tuple[Tensor, Tensor]", module.interpolate(potential, places, order))
