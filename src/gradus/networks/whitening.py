"""Filters that decorrelate small patches of images: a first layer that is computed, not learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

# what is added to each variance, relative to the mean one: directions with less are noise, and stay small
FLOOR = 5e-4


def whitening_filters(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return filters whose answers to patches of ``images`` are uncorrelated and of variance about 1.

    With C = V diag(e) V' the second moments of the patches, the filters are the columns of V, each divided by
    (e + 5e-4 mean(e))^(1/2); strongest first, with its largest entry positive.

    Cost: one pass over the patches, samples height width (channels size)^2 operations.

    Parameters
    ----------
    images : (samples, channels, height, width) floating point, centred
    size : height and width of a patch

    Returns
    -------
    (channels * size, channels, *size) float32, a filter for every direction

    Raises
    ------
    InputError : if the patches are larger than the images

    References
    ----------
    Coates & Ng 2012, Learning feature representations with k-means, section 3.2; Page 2019, How to train your ResNet 8

    Examples
    --------
    >>> images = torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> filters = whitening_filters(images + images.roll(1, dims=3), (2, 2))
    >>> answers = torch.nn.functional.conv2d(images + images.roll(1, dims=3), filters)
    >>> [round(variance, 1) for variance in answers.var(dim=(0, 2, 3)).tolist()]
    [1.0, 1.0, 1.0, 1.0]
    """
    channels, height, width = images.shape[1:]
    if size[0] > height or size[1] > width:
        raise InputError(
            f"patches of {size[0]}x{size[1]} pixels do not fit into images of {height}x{width}: give larger images"
        )
    patches = images.unfold(2, size[0], 1).unfold(3, size[1], 1)
    rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels * size[0] * size[1]).double()
    moments = rows.T @ rows / len(rows)
    variances, directions = torch.linalg.eigh(moments)
    variances, directions = variances.flip(0).clamp_min(0.0), directions.flip(1).T
    floor = FLOOR * variances.mean().clamp_min(torch.finfo(torch.float32).tiny)
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    filters = directions * largest.sign() / (variances + floor).sqrt()[:, None]
    shaped: Tensor = filters.reshape(-1, channels, *size).float()
    return shaped
