"""The tensors of the simulated device: each holds one in memory, and does what it is told with that; see there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("cuda", 0)
APART = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
_HOST, _SHAPES = torch.device("cpu"), torch.device("meta")
_aten = torch.ops.aten


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
