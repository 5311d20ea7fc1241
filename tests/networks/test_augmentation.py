"""Moves of images against NumPy's padding."""

import numpy as np
import pytest
import torch

from gradus.networks import Augmentation


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_every_move_is_a_crop_of_the_padded_image(shift, flip):
    image = np.arange(5 * 6 * 2, dtype=np.uint8).reshape(5, 6, 2)
    padded = np.pad(image, [(shift, shift), (shift, shift), (0, 0)], mode="reflect")
    moves = [padded[up : up + 5, left : left + 6] for up in range(2 * shift + 1) for left in range(2 * shift + 1)]
    moves += [each[:, ::-1] for each in moves] if flip else []
    rows = torch.zeros(3 * len(moves), dtype=torch.int64)
    moved = Augmentation(shift, flip)(torch.from_numpy(image)[None], rows, torch.Generator().manual_seed(3))
    assert moved.dtype == torch.uint8
    counts = [sum(np.array_equal(one, each) for one in moved.numpy()) for each in moves]
    assert counts == [3] * len(moves)


def test_it_moves_the_images_asked_for_and_leaves_the_rest():
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, 3, 1).contiguous()
    moved = Augmentation(1, True)(images, torch.tensor([2, 0, 2]), torch.Generator().manual_seed(0))
    assert moved[:, 0, 0, 0].tolist() == [2.0, 0.0, 2.0]
    assert torch.equal(images[:, 0, 0, 0], torch.arange(4.0))


def test_images_smaller_than_the_shift_are_moved_less():
    images = torch.arange(2.0).reshape(1, 1, 2, 1)
    moved = Augmentation(5)(images, torch.zeros(30, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert {tuple(row) for row in moved.flatten(1).tolist()} == {(0.0, 1.0), (1.0, 0.0), (1.0, 0.0)}


def test_same_generator_same_moves_and_another_order_with_another():
    images = torch.arange(36.0).reshape(1, 6, 6, 1)
    rows = torch.zeros(40, dtype=torch.int64)
    one, again, other = (
        Augmentation(2)(images, rows, torch.Generator().manual_seed(seed)).flatten(1) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
