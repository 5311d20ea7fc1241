"""Registers read from lines of numbers and written to them, whole, or the first places alone."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gradus.kernels.registers import Mask, Register, item_of
from gradus.kernels.tiles import HALF_WORD, VECTOR_BYTES, WORD, call, everywhere

BYTE = ir.IntType(8)


def _lanes(typing: Any, line: Any) -> Any:
    """Return how many numbers of a line a register holds."""
    lanes = Register(line.dtype).lanes

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(WORD, lanes)

    return types.int64(line), generate


def _first(typing: Any, line: Any, count: Any) -> Any:
    """Return the mask of the first ``count`` places of a register of the line's type."""
    kind = Mask(Register(line.dtype).lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = ir.Constant(ir.VectorType(WORD, kind.lanes), list(range(kind.lanes)))
        return builder.icmp_signed("<", places, everywhere(builder, arguments[1], kind.lanes))

    return kind(line, types.int64), generate


def _written(module: Any) -> Any:
    """Return the list of one scope, what is written: ``read`` says that it reads nothing of it."""
    domain = module.add_metadata(["gradus.registers"])
    return module.add_metadata([module.add_metadata(["gradus.registers.written", domain])])


def _moved(builder: Any, name: str, pointer: ir.Value, rest: list[ir.Value], result: ir.Type) -> ir.Value:
    vector = pointer.type.pointee
    item = f"i{vector.element.width}" if isinstance(vector.element, ir.IntType) else _float_name(vector.element)
    return call(builder, f"llvm.masked.{name}.v{vector.count}{item}.p0", result, rest)


def _float_name(item: ir.Type) -> str:
    return "f32" if isinstance(item, ir.FloatType) else "f64"


def _loaded(context: Any, builder: Any, line: Any, arguments: Any, lanes: int, *, masked: bool) -> ir.Value:
    pointer = builder.gep(context.make_array(line)(context, builder, arguments[0]).data, [arguments[1]])
    vector, size = ir.VectorType(pointer.type.pointee, lanes), line.dtype.bitwidth // 8
    pointer = builder.bitcast(pointer, vector.as_pointer())
    if not masked:
        return builder.load(pointer, align=size)
    rest = [pointer, ir.Constant(HALF_WORD, size), arguments[2], ir.Constant(vector, None)]
    return _moved(builder, "load", pointer, rest, vector)


def _read(typing: Any, line: Any, index: Any, mask: Any) -> Any:
    """Return the register from line[index] on, of a line that nobody writes to meanwhile; 0 outside the mask."""
    kind = Register(line.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        masked = isinstance(signature.args[2], Mask)
        found = _loaded(context, builder, signature.args[0], arguments, kind.lanes, masked=masked)
        found.set_metadata("noalias", _written(builder.module))
        return found

    return kind(line, types.int64, mask), generate


def _before(typing: Any, line: Any, index: Any, mask: Any) -> Any:
    """Return the register from line[index] on, which ``write`` is about to set; 0 outside the mask."""
    kind = Register(line.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        masked = isinstance(signature.args[2], Mask)
        return _loaded(context, builder, signature.args[0], arguments, kind.lanes, masked=masked)

    return kind(line, types.int64, mask), generate


def _read_whole_numbers(typing: Any, line: Any, index: Any, mask: Any, like: Any) -> Any:
    """Return bytes or int32s from line[index] on as a register of the type of the line ``like``."""
    kind = Register(like.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = signature.args[0]
        found = _loaded(context, builder, given, arguments, kind.lanes, masked=isinstance(mask, Mask))
        target = kind.holding(item_of(kind))
        return builder.sitofp(found, target) if given.dtype.signed else builder.uitofp(found, target)

    return kind(line, types.int64, mask, like), generate


def _write(typing: Any, line: Any, index: Any, mask: Any, register: Any) -> Any:
    """Set the line from line[index] on, inside the mask, to a register, rounded towards 0 if the line holds integers.

    -1 is 255 as a byte.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind: Any = signature.args[0]
        value = arguments[3]
        pointer = builder.gep(context.make_array(kind)(context, builder, arguments[0]).data, [arguments[1]])
        if kind.dtype in types.integer_domain:
            value = builder.fptosi(value, ir.VectorType(HALF_WORD, register.lanes))
            if kind.dtype.bitwidth < HALF_WORD.width:
                value = builder.trunc(value, ir.VectorType(BYTE, register.lanes))
        pointer, size = builder.bitcast(pointer, value.type.as_pointer()), kind.dtype.bitwidth // 8
        if isinstance(signature.args[2], Mask):
            rest = [value, pointer, ir.Constant(HALF_WORD, size), arguments[2]]
            stored = _moved(builder, "store", pointer, rest, ir.VoidType())
        else:
            stored = builder.store(value, pointer, align=size)
        stored.set_metadata("alias.scope", _written(builder.module))
        return context.get_dummy_value()

    return types.void(line, types.int64, mask, register), generate


def _write_past_the_cache(typing: Any, line: Any, index: Any, register: Any) -> Any:
    """Set line[index] and what follows, which begins with a line of memory, without fetching that line before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind: Any = signature.args[0]
        pointer = builder.gep(context.make_array(kind)(context, builder, arguments[0]).data, [arguments[1]])
        pointer = builder.bitcast(pointer, arguments[2].type.as_pointer())
        stored = builder.store(arguments[2], pointer, align=VECTOR_BYTES)
        stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(HALF_WORD, 1)]))
        stored.set_metadata("alias.scope", _written(builder.module))
        return context.get_dummy_value()

    return types.void(line, types.int64, register), generate


def _places(context: Any, builder: Any, line: Any, arguments: Any, index: ir.Value) -> ir.Value:
    """Return where line[index] lies, for a vector of whole numbers that are not negative."""
    base = context.make_array(line)(context, builder, arguments[0]).data
    count, item = index.type.count, ir.Constant(WORD, line.dtype.bitwidth // 8)
    first = everywhere(builder, builder.ptrtoint(base, WORD), count)
    distance = builder.mul(builder.zext(index, ir.VectorType(WORD, count)), everywhere(builder, item, count))
    return builder.inttoptr(builder.add(first, distance), ir.VectorType(base.type, count))


def _scattered(builder: Any, name: str, places: ir.Value, rest: list[ir.Value], result: ir.Type) -> ir.Value:
    item = places.type.element.pointee
    return call(
        builder, f"llvm.masked.{name}.v{places.type.count}{_float_name(item)}.v{places.type.count}p0", result, rest
    )


def _everywhere_and_aligned(line: Any, count: int) -> list[ir.Value]:
    mask = ir.VectorType(ir.IntType(1), count)
    return [ir.Constant(HALF_WORD, line.dtype.bitwidth // 8), ir.Constant(mask, [1] * count)]


def _add_scattered(typing: Any, line: Any, slot: Any, register: Any) -> Any:
    """Add place p of ``register`` to line[slot lanes + p], ``slot`` a register of whole numbers."""
    kind = Register(line.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        halves = ir.VectorType(HALF_WORD, kind.lanes)
        whole = builder.fptosi(arguments[1], halves)
        whole = builder.mul(whole, ir.Constant(halves, [ir.Constant(HALF_WORD, kind.lanes)] * kind.lanes))
        whole = builder.add(whole, ir.Constant(halves, [ir.Constant(HALF_WORD, p) for p in range(kind.lanes)]))
        places = _places(context, builder, signature.args[0], arguments, whole)
        vector, known = kind.holding(item_of(kind)), _everywhere_and_aligned(line, kind.lanes)
        found = _scattered(builder, "gather", places, [places, *known, ir.Constant(vector, None)], vector)
        total = builder.fadd(found, arguments[2])
        _scattered(builder, "scatter", places, [total, places, *known], ir.VoidType())
        return context.get_dummy_value()

    return types.void(line, slot, register), generate


lanes: Any = intrinsic(_lanes)
first: Any = intrinsic(_first)
read: Any = intrinsic(_read)
before: Any = intrinsic(_before)
read_whole_numbers: Any = intrinsic(_read_whole_numbers)
write: Any = intrinsic(_write)
write_past_the_cache: Any = intrinsic(_write_past_the_cache)
add_scattered: Any = intrinsic(_add_scattered)
