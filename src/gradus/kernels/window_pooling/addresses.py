"""Compiled functions, and lines of numbers, by their addresses: a call then costs what a call in C does.

Numba looks a function that is an argument up anew in every call, which takes longer than a small layer does, and holds
Python's lock meanwhile.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling.signatures import pull_signature, reduce_signature

if TYPE_CHECKING:
    from collections.abc import Callable

# Numba's own functions are not typed
_carray: Any = numba.carray  # type: ignore[attr-defined]
_struct_of: Any = cgutils.create_struct_proxy


def addresses_of(function: Any, signature: Any) -> tuple[int, int]:
    """Return where a compiled function begins, for C and for other compiled functions."""
    found = function.get_compile_result(signature)
    of_c, own = found.fndesc.llvm_cfunc_wrapper_name, found.fndesc.llvm_func_name
    return found.library.get_pointer_to_function(of_c), found.library.get_pointer_to_function(own)


def called_from_python(function: Any, signature: Any) -> Callable[..., None]:
    """Return a compiled function of whole numbers that Python calls without its lock; ``address``: for code in C."""
    address, _ = addresses_of(function, signature)
    call = ctypes.CFUNCTYPE(None, *(ctypes.c_int64,) * len(signature.args))(address)
    # the machine code lives as long as its function
    call.compiled, call.address = function, address  # type: ignore[attr-defined]
    return call


def _pointed(typing: Any, address: Any) -> Any:
    """Return a pointer to an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


def _found_at(signature_of: Callable[[bool, bool], Any]) -> Any:
    def found(typing: Any, of_c: Any, own: Any, numbers: Any, winners: Any) -> Any:
        kind = types.FunctionType(signature_of(numbers.dtype == types.float64, winners.dtype == types.int32))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = context.get_value_type(types.voidptr)
            function = _struct_of(kind)(context, builder)
            function.c_addr = builder.inttoptr(arguments[0], pointer)
            function.jit_addr = builder.inttoptr(arguments[1], pointer)
            return function._getvalue()

        return kind(types.int64, types.int64, numbers, winners), generate

    return intrinsic(found)


_pointer_to: Any = intrinsic(_pointed)
# (the two addresses of a function, a line of its numbers, a line of its winners) -> the function
reduction_at: Any = _found_at(reduce_signature)
pullback_at: Any = _found_at(pull_signature)


@compiled(inline="always")
def line_at(address: int, length: int, kind: Any) -> Any:
    """Return the line of ``length`` numbers of a kind that begins at an address."""
    return _carray(_pointer_to(address), (length,), kind)
