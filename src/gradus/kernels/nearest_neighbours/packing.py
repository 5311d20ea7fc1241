"""Numbers below a bound, moved together a register at a time: what the buffers of the nearest are filled by.

LLVM's own vectoriser does not know the instruction for it, and a loop over single numbers costs several times as much
as the products whose results it looks at.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gradus.kernels.tiles import HALF_WORD, WORD, Emitter, call


def _take_below(
    typing: Any, products: Any, norms: Any, p: Any, number: Any, keys: Any, index: Any, size: Any, worst: Any
) -> Any:
    """Append norms[p + i] - 2 products[p + i] and number + i wherever that is below ``worst``; return the new size.

    As many numbers are read as fill a register, and the buffers must have room for as many.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        product, norm, key, named = (
            _place(context, builder, kinds[k], arguments[k], arguments[at])
            for k, at in ((0, 2), (1, 2), (4, 6), (5, 6))
        )
        emit = Emitter(builder, kinds[0].dtype)
        minus_two = ir.Constant(emit.zero.type, [-2.0] * emit.lanes)
        distances = emit.multiply_add(minus_two, emit.load(product), emit.load(norm))
        below = builder.fcmp_ordered("<", distances, emit.everywhere(arguments[7]))
        first = emit.everywhere(builder.trunc(arguments[3], HALF_WORD))
        numbers = builder.add(first, ir.Constant(first.type, list(range(emit.lanes))))
        taken = _compressed(builder, emit, (distances, numbers), (key, named), below)
        return builder.add(arguments[6], taken)

    # a bound of another width would need a conversion
    assert worst == products.dtype, (worst, products.dtype)
    arguments = (products, norms, types.int64, types.int64, keys, index, types.int64, worst)
    return types.int64(*arguments), generate


def _pack_below(typing: Any, keys: Any, index: Any, p: Any, size: Any, filled: Any, worst: Any) -> Any:
    """Move what of keys[p : size], at most a register, is below ``worst`` to ``filled``, its index too; return the end.

    ``filled`` is at most ``p``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        sources = [_place(context, builder, kinds[k], arguments[k], arguments[2]) for k in (0, 1)]
        targets = [_place(context, builder, kinds[k], arguments[k], arguments[4]) for k in (0, 1)]
        emit = Emitter(builder, kinds[0].dtype)
        values = emit.load(sources[0])
        whole = ir.VectorType(HALF_WORD, emit.lanes)
        numbers = builder.load(builder.bitcast(sources[1], whole.as_pointer()), align=4)
        below = builder.fcmp_ordered("<", values, emit.everywhere(arguments[5]))
        below = builder.and_(below, emit.first(builder.sub(arguments[3], arguments[2])))
        return builder.add(arguments[4], _compressed(builder, emit, (values, numbers), targets, below))

    assert worst == keys.dtype, (worst, keys.dtype)
    return types.int64(keys, index, types.int64, types.int64, types.int64, worst), generate


def _place(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    """Return where place ``offset`` of a C-contiguous vector is."""
    assert kind.layout == "C", kind
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])


def _compressed(builder: Any, emit: Emitter, values: Any, targets: Any, mask: Any) -> Any:
    """Write the values inside the mask one after the other; return how many there are."""
    bits = builder.bitcast(mask, ir.IntType(emit.lanes))
    with builder.if_then(builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0)), likely=False):
        for value, target in zip(values, targets, strict=True):
            scalar = "i32" if value.type.element == HALF_WORD else f"f{8 * emit.bytes}"
            name = f"llvm.masked.compressstore.v{emit.lanes}{scalar}"
            call(builder, name, ir.VoidType(), [value, target, mask])
    return call(builder, "llvm.ctpop.i64", WORD, [builder.zext(bits, WORD)])


take_below: Any = intrinsic(_take_below)
pack_below: Any = intrinsic(_pack_below)
