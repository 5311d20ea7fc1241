"""Reading and writing of arrays that do not overlap, said so that LLVM need not test it before every loop."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _written(module: Any) -> Any:
    """Return the list of one scope: what is written."""
    domain = module.add_metadata(["gradus.window_pooling"])
    return module.add_metadata([module.add_metadata(["gradus.window_pooling.written", domain])])


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


def _read(typing: Any, array: Any, index: Any) -> Any:
    """Return array[index] of a line that nobody writes to with ``write`` in the same loop."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = builder.load(_place(context, builder, signature.args[0], *arguments))
        loaded.set_metadata("noalias", _written(builder.module))
        return loaded

    return array.dtype(array, types.int64), generate


def _before(typing: Any, array: Any, index: Any) -> Any:
    """Return array[index], which ``write`` is about to set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature.args[0], *arguments))

    return array.dtype(array, types.int64), generate


def _write(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Set array[index] = value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _place(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], pointer).set_metadata("alias.scope", _written(builder.module))
        return context.get_dummy_value()

    return types.void(array, types.int64, array.dtype), generate


read: Any = intrinsic(_read)
before: Any = intrinsic(_before)
write: Any = intrinsic(_write)
