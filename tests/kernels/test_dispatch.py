"""Which implementation runs."""

import pytest
import torch

from gradus.core.errors import UnavailableError
from gradus.kernels import dispatch
from gradus.kernels.rank_count import rank_count


def test_every_kernel_has_a_reference():
    assert "rank_count" in dispatch.kernels()
    for kernel in dispatch.kernels():
        assert dispatch.implementations(kernel)[0] == "reference"


def test_the_device_decides():
    assert dispatch.chosen("rank_count", "cpu") == "cpu"
    assert dispatch.chosen("rank_count", "xpu") == "reference"
    assert dispatch.load("rank_count", "cpu").__name__ == "gradus.kernels.rank_count.cpu"


def test_a_forced_implementation_runs_or_is_refused():
    with dispatch.force("reference"):
        assert dispatch.chosen("rank_count", "cpu") == "reference"
        with dispatch.force("cpu"):
            assert dispatch.chosen("rank_count", "cpu") == "cpu"
            with pytest.raises(UnavailableError, match="cannot take data on 'cuda'"):
                dispatch.chosen("rank_count", "cuda")
        assert dispatch.chosen("rank_count", "cpu") == "reference"
    with dispatch.force("fpga"), pytest.raises(UnavailableError, match="has no implementation 'fpga'"):
        rank_count(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
    assert dispatch.chosen("rank_count", "cpu") == "cpu"


def test_a_forced_implementation_is_forgotten_after_an_error():
    with pytest.raises(RuntimeError, match="inside"), dispatch.force("reference"):
        raise RuntimeError("inside")
    assert dispatch.chosen("rank_count", "cpu") == "cpu"
