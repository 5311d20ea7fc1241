"""Sums against exact ones, and on every number of threads."""

import math

import pytest
import torch

from gradus.layers.fixed_sums import LINE, total


@pytest.mark.parametrize("length", [0, 1, LINE - 1, LINE, LINE + 1, 2 * LINE, 40 * LINE + 7])
def test_the_exact_sum_and_the_same_bits(length):
    x = torch.randn(length, generator=torch.Generator().manual_seed(0))
    exact = math.fsum(x.double().tolist())
    found = []
    for threads in (1, 2, 3, 4):
        torch.set_num_threads(threads)
        found.append(total(x))
        assert abs(total(x, torch.float64).item() - exact) < 1e-9
    assert all(torch.equal(found[0], other) for other in found)
    assert abs(found[0].item() - exact) <= 1e-5 * max(x.abs().sum().item(), 1)


def test_any_layout_and_narrow_types():
    x = torch.randn(5, 8, 30, 31, generator=torch.Generator().manual_seed(0))
    last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(total(last), total(x))
    wide = total(x.bfloat16(), torch.float32)
    assert wide.dtype == torch.float32
    torch.testing.assert_close(wide, x.bfloat16().float().sum(), rtol=1e-4, atol=1e-3)
