"""A layer called for its value alone is not announced to torch, and gives what the announced one gives."""

import os
import subprocess
import sys
import threading

import pytest
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gradus.kernels import dispatch
from gradus.layers import average_pool, avg_pool2d, lp_pool2d, max_pool2d, soft_pool, windows
from gradus.layers.average_pooling import PADDED_MEAN
from gradus.layers.eager import _is_known, is_plain


class Listening(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.heard = []

    def __torch_dispatch__(self, function, kinds, arguments=(), keywords=None):
        self.heard.append(str(function))
        return function(*arguments, **(keywords or {}))


class Replacing(TorchFunctionMode):
    def __torch_function__(self, function, kinds, arguments=(), keywords=None):
        return function(*arguments, **(keywords or {}))


def numbers(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_who_asks_for_a_value_and_nothing_else():
    x = numbers(2, 3, 8, 8)
    leaf = x.clone().requires_grad_()
    assert is_plain(x) and is_plain(torch.nn.Parameter(x, requires_grad=False))
    assert not is_plain(leaf)
    with torch.no_grad():
        assert is_plain(leaf)
    with torch.inference_mode():
        assert is_plain(x) and is_plain(numbers(2, 3, 8, 8))
    assert not any(is_plain(other) for other in (x.to("meta"), x.to_sparse(), [1.0], None))
    assert not is_plain(torch.zeros(2, dtype=torch.complex64).conj().imag)
    assert not is_plain(torch._efficientzerotensor((2, 3, 8, 8)))


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
def test_who_wants_to_be_told():
    x, seen = numbers(2, 3, 8, 8), []
    with dispatch.force("reference"):
        seen.append(is_plain(x))
    for watching in (Listening(), Replacing(), torch.autograd.forward_ad.dual_level(), torch.profiler.profile()):
        with watching:
            seen.append(is_plain(x))
    torch.vmap(lambda entry: seen.append(is_plain(entry)) or entry)(x)
    torch.func.grad(lambda entry: seen.append(is_plain(entry)) or entry.sum())(x)
    torch.jit.trace(lambda entry: seen.append(is_plain(entry)) or entry * 2, x, check_trace=False)
    torch.compile(lambda entry: entry * 2 if is_plain(entry) else entry, backend="eager")(x)
    assert len(seen) == 8 and not any(seen)
    assert torch.equal(torch.compile(lambda entry: entry * 2 if is_plain(entry) else entry, backend="eager")(x), x)
    assert is_plain(x)


def test_an_operator_is_heard_by_who_listens_and_by_nobody_else():
    x = numbers(2, 3, 8, 8)
    before = avg_pool2d(x, 2)
    with Listening() as listening:
        assert torch.equal(avg_pool2d(x, 2), before)
    assert any("padded_average_pool" in name for name in listening.heard)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(2, 5, 9, 8), (64, 16, 20, 20), (1, 1, 70, 90), (0, 3, 8, 8), (3, 1, 1, 4)])
def test_values_are_those_of_the_operator(shape, layout, dtype):
    x = numbers(*shape, dtype=dtype).contiguous(memory_format=layout)
    geometry = windows(2, 3, 2, 1)
    for layer in (average_pool, soft_pool):
        with Replacing():
            announced = layer(x, geometry)
        for _ in range(2):
            found = layer(x, geometry)
            assert torch.equal(found, announced) and found.stride() == announced.stride()


def test_what_is_cut_out_or_lies_anyhow_is_read_where_it_lies():
    x = numbers(4, 6, 12, 12)
    for view in (x[1:, :, :, :], x[:, 1:4], x[..., 1:11], x.transpose(2, 3), x[:, :, ::2], x.expand(4, 6, 12, 12)):
        for _ in range(2):
            torch.testing.assert_close(avg_pool2d(view, 2), functional.avg_pool2d(view, 2))


def test_another_setting_geometry_or_type_is_another_call():
    x = numbers(2, 3, 8, 8)
    for given in (x, x.double(), x, x.abs()):
        for norm in (2, 3, 2):
            for kernel in (2, 3):
                found = lp_pool2d(given.abs(), norm, kernel)
                torch.testing.assert_close(found, functional.lp_pool2d(given.abs(), float(norm), kernel))


@pytest.mark.parametrize("channels", [64, 60])
def test_many_values_side_by_side_are_written_past_the_cache(channels):
    x = numbers(17, channels, 64, 64).contiguous(memory_format=torch.channels_last)
    assert avg_pool2d(x, 2).numel() * 4 >= 4 << 20 or channels == 60
    assert torch.equal(max_pool2d(x, 2), functional.max_pool2d(x, 2))
    torch.testing.assert_close(avg_pool2d(x, 2), functional.avg_pool2d(x, 2))


def test_shapes_without_end_are_forgotten():
    for size in range(2, 300):
        avg_pool2d(torch.ones(1, 1, 2, size), 2)
    assert len(PADDED_MEAN._seen) <= 256
    assert torch.equal(avg_pool2d(torch.ones(1, 1, 2, 2), 2), torch.ones(1, 1, 1, 1))


def test_many_threads_of_python_may_call_at_once():
    x = numbers(32, 64, 32, 32).contiguous(memory_format=torch.channels_last)
    expected, wrong = functional.max_pool2d(x, 2), []

    def call():
        wrong.extend(n for n in range(10) if not torch.equal(max_pool2d(x, 2), expected))

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    assert not wrong and not any(caller.is_alive() for caller in callers)


AFTER_A_FORK = """
import os, sys, threading, torch
from gradus.layers import max_pool2d
torch.set_num_threads(2)
x = torch.randn(32, 64, 32, 32)
value = max_pool2d(x, 2).numpy()
child = os.fork()
# torch's own operations on several threads hang in a process forked after one
same = bool((max_pool2d(x, 2).numpy() == value).all())
if child == 0:
    os._exit(0 if same else 3)
threading.Thread(target=lambda: [max_pool2d(x, 2) for _ in range(100)]).start()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or not same)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_pools_and_one_that_ends_meanwhile_ends():
    found = subprocess.run([sys.executable, "-c", AFTER_A_FORK], timeout=60, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_a_torch_without_the_words_for_what_is_asked_is_told_of_every_call(monkeypatch):
    monkeypatch.delattr(torch._C, "_len_torch_dispatch_stack")
    _is_known.cache_clear()
    try:
        assert not is_plain(torch.ones(1, 1, 4, 4))
        assert max_pool2d(torch.ones(1, 1, 4, 4), 2).shape == (1, 1, 2, 2)
    finally:
        _is_known.cache_clear()
