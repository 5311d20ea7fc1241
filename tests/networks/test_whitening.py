"""Whitening against NumPy's covariance, and its edges."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import conv2d

from gradus.core.errors import InputError
from gradus.networks import whitening_filters


def photographs():
    images = torch.from_numpy(load_digits().images)[:, None]
    images = torch.cat([images, images.roll(1, 2), images.flip(3)], dim=1)
    images += torch.randn(images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return images - images.mean(dim=(0, 2, 3), keepdim=True)


def test_answers_are_uncorrelated_and_of_variance_one():
    images = photographs()
    answers = conv2d(images, whitening_filters(images, (2, 2)).double()).permute(1, 0, 2, 3).flatten(1)
    moments = (answers @ answers.T / answers.shape[1]).numpy()
    np.testing.assert_allclose(moments, np.diag(np.diag(moments)), atol=1e-4)
    assert 0.99 < np.diag(moments)[0] < 1 and (np.diff(np.diag(moments)) < 1e-9).all()


def test_directions_are_those_of_numpy():
    images = photographs()[:50]
    patches = np.lib.stride_tricks.sliding_window_view(images.numpy(), (2, 3), axis=(2, 3))
    rows = patches.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 18)
    _, values, directions = np.linalg.svd(rows, full_matrices=False)
    variances = values**2 / len(rows)
    ours = whitening_filters(images, (2, 3)).flatten(1).double().numpy()
    expected = directions / np.sqrt(variances + 5e-4 * variances.mean())[:, None]
    np.testing.assert_allclose(np.abs((ours * expected).sum(1)), (expected**2).sum(1), rtol=1e-4)


def test_constant_images_give_finite_filters():
    assert whitening_filters(torch.zeros(3, 1, 4, 4), (2, 2)).isfinite().all()


def test_patches_larger_than_the_images_are_refused():
    with pytest.raises(InputError, match="patches of 3x3 pixels do not fit into images of 2x4"):
        whitening_filters(torch.zeros(3, 1, 2, 4), (3, 3))
