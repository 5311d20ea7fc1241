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
from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

from gradus.kernels import dispatch

DEVICE = torch.device("cuda", 0)
APART = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
_FACTORIES = ("arange", "arange.start", "arange.start_step", "eye", "eye.m", "tril_indices", "triu_indices")
_HOST, _SHAPES = torch.device("cpu"), torch.device("meta")
_aten = torch.ops.aten
_plain_tensor, _plain_as_tensor = torch.tensor, torch.as_tensor
_plain_to, _plain_device = torch.Tensor.to, torch._C.TensorBase.device


@dataclass
class Traffic:
    """How often something waited for the device."""

    numbers_read: int = 0
    to_host: int = 0
    to_device: int = 0

    def clear(self) -> None:
        self.numbers_read = self.to_host = self.to_device = 0


TRAFFIC = Traffic()


class SimulatedTensor(torch.Tensor):
    """A tensor that says it is on ``cuda:0`` and does what it is told with ``inner``, which is in memory."""

    @staticmethod
    def __new__(cls, inner):
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset()}
        made = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, device="cpu", **layout)
        made.inner = inner
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    device = property(lambda self: DEVICE)

    def __repr__(self):
        return f"SimulatedTensor({self.inner!r})"

    def __deepcopy__(self, memo):
        copied = memo[id(self)] = SimulatedTensor(self.inner.detach().clone())
        copied.requires_grad_(self.requires_grad)
        for name in self.__dict__.keys() - {"inner"}:  # such as what makes it a parameter
            setattr(copied, name, self.__dict__[name])
        return copied

    def __format__(self, how):
        return format(self.item() if self.dim() == 0 else self, how)

    @property
    def data(self):
        return torch.Tensor.data.__get__(self)

    @data.setter
    def data(self, value):
        torch.Tensor.data.__set__(self, value)
        self.inner = value.inner

    def get_device(self):
        return 0

    def cpu(self, memory_format=torch.preserve_format):
        return self.to("cpu", memory_format=memory_format)

    def new_zeros(self, *size, device=None, **kwargs):
        made = torch.Tensor.new_zeros(self, *size, **kwargs)
        return made if device is None else made.to(device)

    def new_ones(self, *size, device=None, **kwargs):
        made = torch.Tensor.new_ones(self, *size, **kwargs)
        return made if device is None else made.to(device)

    def new_empty(self, *size, device=None, **kwargs):
        made = torch.Tensor.new_empty(self, *size, **kwargs)
        return made if device is None else made.to(device)

    def new_full(self, *size, device=None, **kwargs):
        made = torch.Tensor.new_full(self, *size, **kwargs)
        return made if device is None else made.to(device)

    def new_tensor(self, data, **kwargs):
        return torch.tensor(data, **{"dtype": self.dtype, "device": DEVICE} | kwargs)

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, *, force=False):
        if force:
            return self.detach().cpu().numpy()
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    def __array__(self, *_, **__):
        return self.numpy()

    def __dlpack__(self, *_, **__):
        raise BufferError("the memory of a simulated device cannot be shared")

    def data_ptr(self):
        raise RuntimeError("the memory of a simulated device has no address")

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        definition = torch._library.custom_ops.OPDEFS.get(func._schema.name)
        if definition is not None and func.namespace == "gradus":
            return definition._init_fn(*args, **kwargs)
        if func is _aten.copy_.default:
            return _copy(*args, **kwargs)
        given = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
        _refuse_two_devices(func, args, kwargs, given)
        _refuse_generators(args, kwargs)
        return _on_inner(func, args, kwargs, given)


def _on_inner(func, args, kwargs, given):
    if func is _aten._local_scalar_dense.default:
        TRAFFIC.numbers_read += 1
    if kwargs.get("device") == _SHAPES:
        return func(*tree_map(_inner, args), **kwargs)
    if kwargs.get("device") is not None:
        kwargs["device"] = _HOST
    found = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    result = return_and_correct_aliasing(func, args, kwargs, tree_map(_outer, found))
    if any(t.shape != t.inner.shape for t in given if isinstance(t, SimulatedTensor)):
        raise NotImplementedError(f"{func} changed the shape of a tensor of the simulated device in place")
    return result


def _inner(t):
    return t.inner if isinstance(t, SimulatedTensor) else t


def _outer(t):
    return SimulatedTensor(t) if isinstance(t, torch.Tensor) and not isinstance(t, SimulatedTensor) else t


def _copy(here, there, non_blocking=False):
    if isinstance(here, SimulatedTensor) and not isinstance(there, SimulatedTensor):
        TRAFFIC.to_device += 1
    if isinstance(there, SimulatedTensor) and not isinstance(here, SimulatedTensor):
        TRAFFIC.to_host += 1
    _inner(here).copy_(_inner(there))
    return here


def _refuse_two_devices(func, args, kwargs, given):
    indexing = func.overloadpacket in (_aten.index, _aten.index_put, _aten.index_put_, _aten._index_put_impl_)
    if indexing and isinstance(args[0], SimulatedTensor):  # indices may be in memory
        given = [args[0], *(args[2:3])]
    if any(t.dim() > 0 and not _made_by_autograd(t) for t in given if not isinstance(t, SimulatedTensor)):
        raise RuntimeError(APART)
    for argument, value in zip(func._schema.arguments, args, strict=False):
        if argument.is_write and isinstance(value, torch.Tensor) and not isinstance(value, SimulatedTensor):
            raise RuntimeError(APART)
    out = kwargs.get("out")
    if isinstance(out, torch.Tensor) and not isinstance(out, SimulatedTensor):
        raise RuntimeError(APART)


def _made_by_autograd(t) -> bool:
    """Return whether torch itself made zeros, of what has no gradient or tangent, on the device that it was told."""
    own = torch._C._current_graph_task_id() != -1 or not any(t.stride())
    return own and not torch.count_nonzero(t)


def _refuse_generators(args, kwargs):
    if any(isinstance(each, torch.Generator) for each in (*args, *kwargs.values())):
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")


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
    """Inside this block what is on the processor is computed to be compared with a device.

    Where there is a GPU the references do it: the kernels need minutes to be compiled, and are held against the
    references by tests of their own.
    """
    return dispatch.force("reference") if torch.cuda.is_available() else nullcontext()
