"""Philox is the one that was published, and what is made of it is uniform."""

import numpy as np
import pytest
import torch

from gradus.kernels import dispatch
from gradus.kernels.uniform_numbers import uniform_numbers
from gradus.kernels.uniform_numbers.reference import philox

# counter, key, words: the known answers of Random123 (kat_vectors, philox4x32, 10 rounds)
ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), ANSWERS)
def test_the_words_are_those_published(counter, key, words):
    found = philox(tuple(torch.tensor([n]) for n in counter), tuple(torch.tensor(n) for n in key))
    assert tuple(int(word) for word in found) == words


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0, 1, 7, 1000, 4_000_001])
def test_the_kernel_is_its_reference_bit_by_bit(dtype, count):
    key = torch.tensor([0xA4093822, 0x299F31D0])
    found = uniform_numbers(key, count, dtype)
    with dispatch.force("reference"):
        assert torch.equal(found, uniform_numbers(key, count, dtype))
    assert found.dtype == dtype and found.shape == (count,)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_are_uniform_and_no_two_keys_alike(dtype):
    found = uniform_numbers(torch.tensor([1, 2]), 1_000_000, dtype)
    assert found.min() >= 0 and found.max() < 1
    counts = np.histogram(found, bins=1000, range=(0, 1))[0]
    # chi-squared of 999 degrees of freedom: mean 999, deviation 45
    assert abs(((counts - 1000) ** 2 / 1000).sum() - 999) < 5 * 45
    neighbours = np.corrcoef(found[:-1], found[1:])[0, 1]
    other = uniform_numbers(torch.tensor([2, 2]), 1_000_000, dtype)
    assert abs(neighbours) < 5e-3 and abs(np.corrcoef(found, other)[0, 1]) < 5e-3
    digits = 24 if dtype == torch.float32 else 53
    assert torch.equal(found.double() * 2**digits, (found.double() * 2**digits).floor())
    assert (found.double() * 2**digits % 2).mean() == pytest.approx(0.5, abs=5e-3)
