"""The pull of equal edges on as many rows as a register has places, one edge of each at a time.

LLVM's own vectoriser takes 32 edges of a row at once and what is left one by one: of 20 edges, all. It also gathers
each coordinate for itself, where a point of the plane is one number of 64 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gradus.kernels.tiles import HALF_WORD, VECTOR_BYTES, WIDE_REGISTERS, WORD, Emitter, call, everywhere, word

if TYPE_CHECKING:
    from collections.abc import Sequence

# float32 numbers in a register
LANES = VECTOR_BYTES // 4
# the bit of an edge that says it counts twice, and the bits that say where it leads
TWICE = 2**31
PLACE = TWICE - 1
POINT_BYTES = 8
# how many edges further in memory are asked for, of this group or of the next ones, so that they come meanwhile
AHEAD = 32 * LANES
# 1 + d^2 / a is taken to be no more than this power of 2, where the pull is 0 to any precision
FARTHEST = 2.0**100


def _pull_abreast(typing: Any, edges: Any, rows: Any, points: Any, inverse_dof: Any, pull: Any) -> Any:
    """Set pull[:, l] to sum_j m_j (t - s_j) / (1 + |t - s_j|^2 inverse_dof), t = points[rows[l]].

    edges : (edges, LANES), uint32, where s_j is in ``points``, with the bit ``TWICE`` where m_j = 2, else m_j = 1
    rows : (LANES,), uint32
    points : (samples, 2), float32
    pull : (2, LANES), float32
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        places = [context.make_array(kinds[k])(context, builder, arguments[k]) for k in (0, 1, 2, 4)]
        columns, own, there, out = (place.data for place in places)
        emit = Emitter(builder, types.float32)
        targets = _points(builder, emit, _numbers(builder, own), there)
        scale, one, two = (emit.everywhere(value) for value in (arguments[3], _number(1), _number(2)))
        farthest, bits = emit.everywhere(_number(FARTHEST)), _whole(PLACE)

        def add(j: ir.Value, sums: Sequence[ir.Value]) -> list[ir.Value]:
            place = builder.gep(columns, [j])
            emit.ask_for(builder.gep(place, [word(AHEAD)]))
            edge = _numbers(builder, place)
            sources = _points(builder, emit, builder.and_(edge, bits), there)
            across, along = (builder.fsub(here, other) for here, other in zip(targets, sources, strict=True))
            squared = emit.multiply_add(across, across, builder.fmul(along, along))
            times = builder.select(builder.icmp_signed("<", edge, _whole(0)), two, one)
            base = emit.multiply_add(squared, scale, one)
            # the step to the reciprocal of infinity would be no number
            base = builder.select(builder.fcmp_ordered("<", base, farthest), base, farthest)
            weight = builder.fmul(times, _reciprocal(builder, emit, base))
            return [emit.multiply_add(weight, off, old) for off, old in zip((across, along), sums, strict=True)]

        size = builder.mul(builder.extract_value(places[0].shape, 0), word(LANES))
        for axis, total in enumerate(emit.loop((word(0), size, LANES), [emit.zero, emit.zero], add)):
            emit.store(total, builder.gep(out, [word(axis * LANES)]))
        return context.get_dummy_value()

    kinds = (edges, rows, points, pull)
    assert all(kind.layout == "C" for kind in kinds), kinds
    assert [kind.dtype for kind in kinds] == [types.uint32] * 2 + [types.float32] * 2, kinds
    return types.void(edges, rows, points, types.float32, pull), generate


def _number(value: float) -> ir.Constant:
    return ir.Constant(ir.FloatType(), value)


def _whole(value: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(HALF_WORD, LANES), [value] * LANES)


def _numbers(builder: Any, place: ir.Value) -> ir.Value:
    """Return a register of the 32-bit integers from ``place`` on."""
    return builder.load(builder.bitcast(place, ir.VectorType(HALF_WORD, LANES).as_pointer()), align=4)


def _points(builder: Any, emit: Emitter, numbers: ir.Value, origin: ir.Value) -> list[ir.Value]:
    """Return both coordinates of the points with these numbers, of which half are gathered at a time."""
    half = LANES // 2
    points, places = ir.VectorType(WORD, half), ir.VectorType(ir.IntType(8).as_pointer(), half)
    every = ir.Constant(ir.VectorType(ir.IntType(1), half), [1] * half)
    starts = everywhere(builder, builder.ptrtoint(origin, WORD), half)
    halves = []
    for part in range(2):
        own = builder.zext(_shuffled(builder, numbers, numbers, range(part * half, part * half + half)), points)
        addresses = builder.add(starts, builder.mul(own, ir.Constant(points, [POINT_BYTES] * half)))
        arguments = [
            builder.inttoptr(addresses, places),
            ir.Constant(HALF_WORD, 4),
            every,
            ir.Constant(points, None),
        ]
        gathered = call(builder, f"llvm.masked.gather.v{half}i64.v{half}p0", points, arguments)
        halves.append(builder.bitcast(gathered, emit.zero.type))
    first, second = halves
    return [_shuffled(builder, first, second, range(axis, 2 * LANES, 2)) for axis in range(2)]


def _shuffled(builder: Any, one: ir.Value, other: ir.Value, places: Sequence[int]) -> ir.Value:
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(HALF_WORD, len(places)), list(places)))


def _reciprocal(builder: Any, emit: Emitter, value: ir.Value) -> ir.Value:
    """Return 1 / value to float32's precision: an estimate of 14 bits and a step of Newton's, where there is one."""
    one = emit.everywhere(_number(1))
    if not WIDE_REGISTERS:
        return builder.fdiv(one, value)
    every = ir.Constant(ir.IntType(LANES), 2**LANES - 1)
    rough = call(builder, "llvm.x86.avx512.rcp14.ps.512", value.type, [value, emit.zero, every])
    error = emit.multiply_add(builder.fneg(value), rough, one)
    return emit.multiply_add(rough, error, rough)


pull_abreast: Any = intrinsic(_pull_abreast)
