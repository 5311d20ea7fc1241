"""Zeros that nobody has written to take no memory, and behave as zeros."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from gradus.core import unwritten


@pytest.mark.parametrize("shape", [(3, 2), (0, 4), (500_000, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_they_are_zeros_that_can_be_written_to(shape, dtype):
    zeros = unwritten.zeros(shape, dtype)
    assert zeros.shape == shape and zeros.dtype == dtype and zeros.is_contiguous()
    assert not zeros.any()
    zeros[-1:] = 3
    assert zeros.sum() == 3 * zeros[-1:].numel()
    assert not unwritten.zeros(shape, dtype).any()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_reading_them_and_writing_to_some_takes_no_memory():
    before = _resident()
    zeros = unwritten.zeros((4_000_000, 4), torch.float32)
    zeros.sum()
    zeros[17] = 1
    assert _resident() - before < 0.2 * zeros.numel() * 4


@pytest.mark.parametrize("shape", [(3, 2), (0, 4), (200_000, 4)])
@pytest.mark.parametrize("written", [0, 1, 50_000])
def test_a_matrix_is_turned_whether_many_of_its_numbers_are_zero_or_few(shape, written):
    matrix = torch.zeros(shape, dtype=torch.float64)
    matrix[:written] = torch.arange(1.0, 1.0 + shape[1])
    turned = unwritten.transposed(matrix)
    assert turned.is_contiguous() and turned.equal(matrix.t())


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_turning_zeros_takes_no_memory():
    matrix = unwritten.zeros((4_000_000, 4), torch.float32)
    matrix[17] = 1
    before = _resident()
    turned = unwritten.transposed(matrix)
    assert turned.sum() == 4
    assert _resident() - before < 0.2 * matrix.numel() * 4


def _resident() -> int:
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])
