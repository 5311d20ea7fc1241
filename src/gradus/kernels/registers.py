"""A vector register as a number of compiled code: + - * / and comparisons work on all of its places at once.

LLVM turns a loop into vector instructions only where it is simple, and then cares for what does not fill a register by
a second loop. A function of registers says what it means: it holds its numbers in registers whatever the loops around
it, and ``load`` and ``store`` leave out the places that are not there.

A plain number beside a register counts as a register that has it in every place, rounded to the register's type.
Where a branch would be, ``chosen`` takes one or the other place by place; masks are joined by & and |.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing import templates
from numba.extending import intrinsic, lower_builtin, register_model

from gradus.kernels.tiles import VECTOR_BYTES, call, everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

# two at a time: what is done with one need not wait for what was done with the other
HELD = 2
# Numba's own functions are not typed
_kinds: Any = types
_signature: Any = templates.signature
_typed_globally: Any = templates.infer_global
_lowered: Any = lower_builtin
_unpacked: Any = cgutils.unpack_tuple
_model: Any = register_model
_primitive: Any = models.PrimitiveModel


class Register(types.Type):
    """As many numbers of one floating-point type as ``HELD`` of the processor's registers hold."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.lanes = dtype, HELD * VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Register({dtype})")

    def holding(self, item: ir.Type) -> ir.VectorType:
        """Return LLVM's vector of as many items of another type."""
        return ir.VectorType(item, self.lanes)


class Mask(types.Type):
    """Yes or no for each place of a register."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"Mask({lanes})")


def _vector_model(manager: Any, kind: Register) -> Any:
    return _primitive(manager, kind, kind.holding(item_of(kind)))


def _mask_model(manager: Any, kind: Mask) -> Any:
    return _primitive(manager, kind, ir.VectorType(ir.IntType(1), kind.lanes))


_model(Register)(_vector_model)
_model(Mask)(_mask_model)


def item_of(kind: Register) -> ir.Type:
    """Return LLVM's type of a place."""
    return ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()


def vector_of(context: Any, builder: Any, value: ir.Value, given: Any, kind: Register) -> ir.Value:
    """Return what was given, a register or a number, as LLVM's vector for ``kind``."""
    if isinstance(given, Register):
        return value
    return everywhere(builder, context.cast(builder, value, given, kind.dtype), kind.lanes)


def called(builder: Any, name: str, kind: Register, arguments: list[ir.Value]) -> ir.Value:
    """Return what LLVM's function ``name`` makes of vectors of ``kind``."""
    return call(builder, f"llvm.{name}.v{kind.lanes}f{kind.dtype.bitwidth}", kind.holding(item_of(kind)), arguments)


def _compared(sign: str) -> Callable[..., ir.Value]:
    # NaN differs from everything, and is in no order
    name = "fcmp_unordered" if sign == "!=" else "fcmp_ordered"
    return lambda builder, a, b: getattr(builder, name)(sign, a, b)


_ARITHMETIC = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}
_ORDER = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
_LOGIC = {operator.and_: "and_", operator.or_: "or_"}
_OF_ONE: dict[Any, str | None] = {operator.neg: None, abs: "fabs", math.sqrt: "sqrt", math.floor: "floor"}


def _typed(function: Any, result: Callable[[Register], Any], arity: int) -> None:
    """Tell Numba what ``function`` of a register, and perhaps a number, gives."""

    def generic(self: Any, arguments: Any, keywords: Any) -> Any:
        found = [a for a in arguments if isinstance(a, Register)]
        if len(arguments) == arity and found:
            return _signature(result(found[0]), *(_kinds.unliteral(a) for a in arguments))
        return None

    _typed_globally(function)(type("OfRegisters", (templates.AbstractTemplate,), {"key": function, "generic": generic}))


def _lowered_pair(function: Any, work: Callable[..., ir.Value]) -> None:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = next(a for a in signature.args if isinstance(a, Register))
        pair = [
            vector_of(context, builder, value, given, kind)
            for value, given in zip(arguments, signature.args, strict=True)
        ]
        return work(builder, *pair)

    _lowered(function, Register, Register)(generate)
    _lowered(function, Register, types.Any)(generate)
    _lowered(function, types.Any, Register)(generate)


def _lowered_single(function: Any, name: str | None) -> None:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if name is None:
            return builder.fneg(arguments[0])
        return called(builder, name, signature.args[0], list(arguments))

    _lowered(function, Register)(generate)


def _join_masks(function: Any, name: str) -> None:
    def generic(self: Any, arguments: Any, keywords: Any) -> Any:
        if len(arguments) == 2 and isinstance(arguments[0], Mask) and arguments[0] == arguments[1]:
            return _signature(arguments[0], *arguments)
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, name)(*arguments)

    _typed_globally(function)(type("OfMasks", (templates.AbstractTemplate,), {"key": function, "generic": generic}))
    _lowered(function, Mask, Mask)(generate)


for _function, _name in _ARITHMETIC.items():
    _typed(_function, lambda kind: kind, 2)
    _lowered_pair(_function, lambda builder, a, b, name=_name: getattr(builder, name)(a, b))
for _function, _name in _ORDER.items():
    _typed(_function, lambda kind: Mask(kind.lanes), 2)
    _lowered_pair(_function, _compared(_name))
for _function, _name in _LOGIC.items():
    _join_masks(_function, _name)
for _of_one, _named in _OF_ONE.items():
    _typed(_of_one, lambda kind: kind, 1)
    _lowered_single(_of_one, _named)


def _chosen(typing: Any, mask: Any, yes: Any, no: Any) -> Any:
    """Return ``yes`` in the places of the mask and ``no`` in the others, one of them at least a register."""
    kind = next(a for a in (yes, no) if isinstance(a, Register))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pair = [
            vector_of(context, builder, value, given, kind)
            for value, given in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        return builder.select(arguments[0], *pair)

    return kind(mask, _kinds.unliteral(yes), _kinds.unliteral(no)), generate


def _multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c of three registers and numbers, in one instruction where the processor has it."""
    kind = next(x for x in (a, b, c) if isinstance(x, Register))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vectors = [
            vector_of(context, builder, value, given, kind)
            for value, given in zip(arguments, signature.args, strict=True)
        ]
        return called(builder, "fmuladd", kind, vectors)

    return kind(*(_kinds.unliteral(x) for x in (a, b, c))), generate


def _as_registers(typing: Any, like: Any, numbers: Any) -> Any:
    """Return a number, or a tuple of numbers and registers, as a tuple of registers of what the line ``like`` holds."""
    kind = Register(like.dtype)
    given = tuple(_kinds.unliteral(n) for n in numbers) if isinstance(numbers, _kinds.BaseTuple) else (numbers,)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = arguments[1:]
        if isinstance(numbers, _kinds.BaseTuple):
            values = _unpacked(builder, arguments[1], len(given))
        vectors = [vector_of(context, builder, v, g, kind) for v, g in zip(values, given, strict=True)]
        return context.make_tuple(builder, signature.return_type, vectors)

    return _kinds.UniTuple(kind, len(given))(like, numbers), generate


chosen: Any = intrinsic(_chosen)
as_registers: Any = intrinsic(_as_registers)
multiply_add: Any = intrinsic(_multiply_add)
