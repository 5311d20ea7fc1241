"""A CUDA device without a GPU: tensors that say they are on ``cuda:0`` and answer as CUDA's do where devices meet.

Inside ``simulated_device()`` a ``SimulatedTensor`` is what ``torch.zeros(3, device="cuda")`` and ``x.to("cuda")`` give
on a machine without a GPU. It holds a tensor in memory, and every operation of torch is done with what it holds; so
values, views, in-place operations, gradients, forward mode and ``torch.func`` are torch's. As on CUDA,

- an operation of tensors on two devices raises torch's error (numbers without axes may be on the processor, and
  indices, and what is given to ``copy_``);
- ``numpy()``, ``numpy.asarray`` and a tensor's address are refused, so that no kernel of the processor can run;
- a generator of the processor cannot draw on the device.

``simulated_device()`` gives a ``Traffic``, which counts what waits for the device: numbers read, copies either way.

What it cannot show is left to tests marked ``gpu``: ``torch.compile``, ``torch.export``, ``torch.autocast``, streams,
generators of the device, the rounding of CUDA's own sums, the kernels in ``cuda.py`` (references run instead), and what
changes the shape of a tensor in place, which is an error here. Code of torch in C++ that asks for the device of a
tensor is told the processor (or torch without CUDA would refuse the tensor): where that makes an error that CUDA does
not, the test is one for a GPU.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager, nullcontext

import torch

from gradus.kernels import dispatch
from simulated_tensor import DEVICE, TRAFFIC, SimulatedTensor

_aten = torch.ops.aten
_FACTORIES = ("arange", "arange.start", "arange.start_step", "eye", "eye.m", "tril_indices", "triu_indices")
_plain_tensor, _plain_as_tensor = torch.tensor, torch.as_tensor
_plain_to, _plain_device = torch.Tensor.to, torch._C.TensorBase.device


class _ToDevice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return _uploaded(x)

    @staticmethod
    def backward(ctx, upstream):
        return _downloaded(upstream)


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return _downloaded(x)

    @staticmethod
    def backward(ctx, upstream):
        return _uploaded(upstream)


def _uploaded(x):
    TRAFFIC.to_device += 1
    with torch._C._DisableFuncTorch():  # what is made inside a transform is no less a tensor
        return SimulatedTensor(x.detach().clone())


def _downloaded(x):
    TRAFFIC.to_host += 1
    with torch._C._DisableFuncTorch():
        return x.inner.detach().clone()


def _on_device(x) -> bool:
    """Return whether ``x``, or what a transform of ``torch.func`` wraps in it, is on the simulated device."""
    while torch._C._functorch.is_functorch_wrapped_tensor(x):
        x = torch._C._functorch.get_unwrapped(x)
    return isinstance(x, SimulatedTensor)


def _to(x, *args, **kwargs):
    """Do what ``Tensor.to`` does, with a device of its own."""
    device, rest = kwargs.pop("device", None), []
    for value in (*args, *([kwargs.pop("other")] if "other" in kwargs else [])):
        if isinstance(value, torch.Tensor):
            device, value = value.device, value.dtype
        if isinstance(value, str | torch.device) or type(value) is int:
            device = value
        elif not (value is None or isinstance(value, bool)):
            rest.append(value)
    here = _on_device(x)
    if device is not None and (torch.device(device).type == "cuda") != here:
        # the functions of autograd cannot be called inside a transform of torch.func
        plain, learned = (_downloaded, _ToHost.apply) if here else (_uploaded, _ToDevice.apply)
        x = (learned if x.requires_grad and torch.is_grad_enabled() else plain)(x)
    return _plain_to(x, *rest, **kwargs) if rest or kwargs else x


def _made_in_memory(make):
    """Return ``torch.tensor`` or ``torch.as_tensor``, which make in memory what they then move."""

    def made(data, *, dtype=None, device=None, **kwargs):
        if isinstance(data, SimulatedTensor):
            device = DEVICE if device is None else device
            data = data.cpu() if torch.device(device).type == "cpu" or make is _plain_tensor else data
        if isinstance(data, SimulatedTensor):
            return data if dtype is None else data.to(dtype)
        in_memory = make(data, dtype=dtype, **kwargs)
        return in_memory if device is None or torch.device(device).type == "cpu" else in_memory.to(device)

    return made


def _empty(size, *, dtype=None, layout=None, device=None, pin_memory=None, memory_format=None):
    return SimulatedTensor(torch.empty(size, dtype=dtype, memory_format=memory_format or torch.contiguous_format))


def _empty_strided(size, stride, *, dtype=None, layout=None, device=None, pin_memory=None):
    return SimulatedTensor(torch.empty_strided(size, stride, dtype=dtype))


def _factory(make):
    def made(*args, device=None, **kwargs):
        return SimulatedTensor(make(*args, **kwargs))

    return made


@contextmanager
def simulated_device():
    """Let torch have a simulated CUDA device inside this block, in every thread; gives the ``Traffic`` with it."""
    if torch.cuda.is_available():
        raise RuntimeError("there is a CUDA device here: test with that")
    before = {name: getattr(torch.cuda, name) for name in ("_lazy_init", "current_stream", "stream", "synchronize")}
    implementations = dispatch.implementations
    library = torch.library.Library("aten", "IMPL")
    TRAFFIC.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # where torch has kernels for CUDA, ours take their place
        library.impl("empty.memory_format", _empty, "CUDA")
        library.impl("empty_strided", _empty_strided, "CUDA")
        for name in _FACTORIES:
            library.impl(name, _factory(getattr(_aten, name.split(".")[0])), "CUDA")
    try:
        torch.cuda._lazy_init = torch.cuda.synchronize = lambda *_: None
        torch.cuda.current_stream, torch.cuda.stream = (lambda *_: None), (lambda *_: nullcontext())
        torch.Tensor.to, torch.Tensor.cuda = _to, lambda x, *_, **__: _to(x, "cuda")
        torch.Tensor.type_as = lambda x, other: _to(x, other)
        torch.Tensor.device = property(lambda x: DEVICE if _on_device(x) else _plain_device.__get__(x))
        torch.tensor, torch.as_tensor = _made_in_memory(_plain_tensor), _made_in_memory(_plain_as_tensor)
        torch.__future__.set_overwrite_module_params_on_conversion(True)  # a tensor cannot become one of another class
        dispatch.implementations = lambda kernel: [name for name in implementations(kernel) if name != "cuda"]
        yield TRAFFIC
    finally:
        for name, value in before.items():
            setattr(torch.cuda, name, value)
        del torch.Tensor.to, torch.Tensor.cuda, torch.Tensor.type_as, torch.Tensor.device
        torch.tensor, torch.as_tensor = _plain_tensor, _plain_as_tensor
        torch.__future__.set_overwrite_module_params_on_conversion(False)
        dispatch.implementations = implementations
        library._destroy()


def compared():
    """Inside this block what is on the processor is computed by the references, to be compared with a device.

    The kernels need minutes to be compiled for everything that is compared, and are held against the references by
    tests of their own.
    """
    return dispatch.force("reference")
