"""Which implementation runs."""

import pytest
import torch

from gradus.core.errors import UnavailableError
from gradus.kernels import dispatch
from gradus.kernels.rank_count import rank_count
from gradus.runs import diagnosis


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


def test_without_triton_the_reference_serves_cuda_and_says_so(monkeypatch):
    monkeypatch.setattr(dispatch, "can_compile", lambda implementation: implementation != "cuda")
    assert dispatch.chosen("rank_count", "cuda") == "reference"
    with dispatch.force("cuda"), pytest.raises(UnavailableError, match="install 'triton'"):
        dispatch.chosen("rank_count", "cuda")
    assert diagnosis._named("rank_count", "cuda") == "reference (torch; triton is not installed)"
    assert diagnosis._named("rank_count", "cpu") == "compiled (numba)"
    assert diagnosis._named("cell_search", "cuda") == "reference (torch)"
    assert dispatch.chosen("softmax_sweep", "cuda") == "accelerator"
    assert diagnosis._named("softmax_sweep", "cuda") == "accelerator (torch; triton is not installed)"


def test_with_triton_a_device_gets_kernels_and_a_processor_only_in_the_interpreter(monkeypatch):
    monkeypatch.setattr(dispatch, "can_compile", lambda implementation: True)
    assert dispatch.chosen("rank_count", "cuda") == "cuda"
    assert diagnosis._named("rank_count", "cuda") == "compiled (triton)"
    assert dispatch.chosen("rank_count", "cpu") == "cpu"
    with dispatch.force("cuda"):
        monkeypatch.setenv("TRITON_INTERPRET", "1")
        assert dispatch.chosen("rank_count", "cpu") == "cuda"
        monkeypatch.delenv("TRITON_INTERPRET")
        with pytest.raises(UnavailableError, match="cannot take data on 'cpu'"):
            dispatch.chosen("rank_count", "cpu")
