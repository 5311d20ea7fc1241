"""Planes laid side by side and apart again, in square blocks of vector registers: what makes planes into lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gradus.kernels.compilation import compiled
from gradus.kernels.tiles import HALF_WORD, VECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_BYTES = 4
# more than this does not stay in a core's caches until somebody reads it
MANY_BYTES = 4 << 20


@compiled(inline="always")
def side(itemsize: int) -> int:
    """Return how many rows and columns a block of numbers of ``itemsize`` bytes has."""
    found: int = VECTOR_BYTES // max(itemsize, LEAST_BYTES)
    return found


def _interleaved(builder: Any, rows: Sequence[ir.Value]) -> list[ir.Value]:
    """Return the rows of which 2 i and 2 i + 1 are the halves of rows i and i + n/2, entry by entry in turn."""
    count = len(rows)
    half = count // 2
    found = []
    for first, second in zip(rows[:half], rows[half:], strict=True):
        for begin in (0, half):
            order = [place for entry in range(begin, begin + half) for place in (entry, count + entry)]
            mask = ir.Constant(ir.VectorType(HALF_WORD, count), [ir.Constant(HALF_WORD, p) for p in order])
            found.append(builder.shuffle_vector(first, second, mask))
    return found


def _block_turned(*, past_the_cache: bool) -> Any:
    """Return the function that sets target[target_start + j target_pitch + i] = source[start + i pitch + j].

    i and j are below the side. Past the cache only whole, aligned lines of memory may be written: they need not be
    fetched before, nor drive anything else out.
    """

    def turned(
        typing: Any, source: Any, start: Any, pitch: Any, target: Any, target_start: Any, target_pitch: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = signature.args[0]
            count, item = side.py_func(kind.dtype.bitwidth // 8), context.get_data_type(kind.dtype)
            vector, aligned = ir.VectorType(item, count), kind.dtype.bitwidth // 8
            data, into = (
                context.make_array(kind)(context, builder, array).data for array in (arguments[0], arguments[3])
            )

            def place(base: ir.Value, first: ir.Value, pitch: ir.Value, row: int) -> ir.Value:
                index = builder.add(first, builder.mul(pitch, ir.Constant(pitch.type, row)))
                return builder.bitcast(builder.gep(base, [index]), vector.as_pointer())

            rows = [builder.load(place(data, arguments[1], arguments[2], row), align=aligned) for row in range(count)]
            # a perfect shuffle as often as the side has factors of two exchanges rows and columns
            for _ in range(count.bit_length() - 1):
                rows = _interleaved(builder, rows)
            for row, values in enumerate(rows):
                pointer = place(into, arguments[4], arguments[5], row)
                stored = builder.store(values, pointer, align=VECTOR_BYTES if past_the_cache else aligned)
                if past_the_cache:
                    stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(HALF_WORD, 1)]))
            return context.get_dummy_value()

        integer = types.int64
        return types.void(source, integer, integer, target, integer, integer), generate

    return intrinsic(turned)


def _all_written(typing: Any) -> Any:
    """Wait until what was written past the cache can be seen by all."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


_turn_block: Any = _block_turned(past_the_cache=False)
_turn_block_past_the_cache: Any = _block_turned(past_the_cache=True)
fence: Any = intrinsic(_all_written)


@compiled()
def side_by_side(planes: Any, first: int, count: int, size: int, tile: Any, lanes: int) -> None:
    """Set tile[i lanes + p] to entry i of plane ``first`` + p, for ``count`` planes of ``size`` entries in a row."""
    block = side(planes.itemsize)
    whole, many = count // block * block, size // block * block
    for p in range(0, whole, block):
        start = (first + p) * size
        for i in range(0, many, block):
            _turn_block(planes, start + i, size, tile, i * lanes + p, lanes)
        for i in range(many, size):
            for q in range(p, p + block):
                tile[i * lanes + q] = planes[(first + q) * size + i]
    for p in range(whole, count):
        for i in range(size):
            tile[i * lanes + p] = planes[(first + p) * size + i]


@compiled(inline="always")
def goes_past_the_cache(planes: Any, size: int) -> bool:
    """Return whether planes of ``size`` entries are too many for the cache and begin with lines of memory."""
    begin_with_lines = (planes.ctypes.data | (size * planes.itemsize)) % VECTOR_BYTES == 0
    found: bool = planes.size * planes.itemsize >= MANY_BYTES and planes.itemsize >= LEAST_BYTES and begin_with_lines
    return found


@compiled()
def apart(tile: Any, lanes: int, planes: Any, first: int, count: int, size: int) -> None:
    """Undo ``side_by_side``: set entry i of plane ``first`` + p to tile[i lanes + p]."""
    block, past_the_cache = side(planes.itemsize), goes_past_the_cache(planes, size)
    whole, many = count // block * block, size // block * block
    for p in range(0, whole, block):
        start = (first + p) * size
        if past_the_cache:
            for i in range(0, many, block):
                _turn_block_past_the_cache(tile, i * lanes + p, lanes, planes, start + i, size)
        else:
            for i in range(0, many, block):
                _turn_block(tile, i * lanes + p, lanes, planes, start + i, size)
        for i in range(many, size):
            for q in range(p, p + block):
                planes[(first + q) * size + i] = tile[i * lanes + q]
    for p in range(whole, count):
        for i in range(size):
            planes[(first + p) * size + i] = tile[i * lanes + p]
    if past_the_cache:
        fence()
