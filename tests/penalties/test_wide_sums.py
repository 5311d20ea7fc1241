"""A sum in parts is that of the whole, in float64, however the point lies in memory."""

import math

import pytest
import torch

from gradus.penalties import L1, L2, ElasticNet, wide_sums


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_parts_add_up(dtype, turned, monkeypatch):
    monkeypatch.setattr(wide_sums, "PART", 7)
    point = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)
    point = point.t() if turned else point
    entries = point.double().flatten().tolist()
    absolute, squares = math.fsum(map(abs, entries)), math.fsum(entry * entry for entry in entries)
    pairs = [(L1(2.0), 2 * absolute), (L2(3.0), 1.5 * squares), (ElasticNet(2.0, 3.0), 2 * absolute + 1.5 * squares)]
    for penalty, expected in pairs:
        value = penalty.value(point)
        assert value.dtype == torch.float64
        assert value.item() == pytest.approx(expected, rel=1e-14)
