"""Products of a few rows with a few columns, held in vector registers: what the product kernels are made of.

LLVM's own vectoriser stops at half of the registers' width on processors with AVX-512 and reloads its operands, so
these loops are written as vector instructions. Each factory returns a function for Numba code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HOST = llvmlite.binding.get_host_cpu_features()
WIDE_REGISTERS = bool(_HOST.get("avx512f"))
VECTOR_BYTES = 64 if WIDE_REGISTERS else 32 if _HOST.get("avx2") else 16
# tile x tile sums, tile operands and one more fit the 32 or 16 registers
TILE = 5 if WIDE_REGISTERS else 3
# registers of a row that are read one after the other
GROUP = TILE - 1

WORD = ir.IntType(64)
# Numba's own types are not typed
_kinds: Any = types
HALF_WORD = ir.IntType(32)


def dot_products(rows: int, columns: int) -> Any:
    """Return the function (left, right, out, i, k, first, second).

    It sets out[i + r, k + c] = sum_j left[i + r, j] right[k + c, j].

    left, right, out : C-contiguous matrices of one dtype; r < ``rows`` and c < ``columns`` must be inside them. The
        first may also be rows of a matrix in any order: the matrix and their numbers, int64, which are followed in
        memory by as many numbers of further rows
    first, second : of each ``GROUP`` registers of ``left`` that are read, the numbers so many places further in memory
        are asked for, which may be past the end, so that they come into the cache meanwhile; 0 for nothing. Of rows in
        any order those of the further rows are
    """

    @intrinsic
    def tile(typing: Any, left: Any, right: Any, out: Any, i: Any, k: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            x, w, z = _matrices(context, builder, signature, arguments)
            emit = Emitter(builder, signature.args[1].dtype)
            places = [builder.add(arguments[3], word(r)) for r in range(rows)]
            lefts = [x.row(place) for place in places]
            aheads = [[x.ahead(place, further) for further in arguments[5:7]] for place in places]
            rights = [w.row(builder.add(arguments[4], word(c))) for c in range(columns)]

            def add(j: ir.Value, sums: Sequence[ir.Value], mask: ir.Value | None = None) -> list[ir.Value]:
                others = [emit.load(builder.gep(right, [j]), mask) for right in rights]
                new = []
                for r, left in enumerate(lefts):
                    own = emit.load(builder.gep(left, [j]), mask)
                    new += [emit.multiply_add(own, b, sums[r * columns + c]) for c, b in enumerate(others)]
                return new

            def add_group(j: ir.Value, sums: Sequence[ir.Value]) -> list[ir.Value]:
                for pair in aheads:
                    for ahead, further in zip(pair, arguments[5:7], strict=True):
                        emit.ask_for(builder.gep(ahead, [builder.add(j, further)]))
                new = list(sums)
                for register in range(GROUP):
                    new = add(builder.add(j, word(register * emit.lanes)), new)
                return new

            def add_last(j: ir.Value, sums: Sequence[ir.Value]) -> list[ir.Value]:
                for pair in aheads:
                    emit.ask_for(builder.gep(pair[0], [builder.add(j, arguments[5])]))
                return add(j, sums)

            grouped, whole = (
                builder.mul(builder.sdiv(x.width, word(count)), word(count))
                for count in (GROUP * emit.lanes, emit.lanes)
            )
            sums = emit.loop((word(0), grouped, GROUP * emit.lanes), [emit.zero] * (rows * columns), add_group)
            sums = emit.loop((grouped, whole, emit.lanes), sums, add_last)
            mask = emit.first(builder.sub(x.width, whole))
            sums = emit.loop((whole, x.width, emit.lanes), sums, lambda j, old: add(j, old, mask))
            for index, total in enumerate(sums):
                place = z.row(builder.add(arguments[3], word(index // columns)))
                place = builder.gep(place, [builder.add(arguments[4], word(index % columns))])
                builder.store(emit.added_up(total), place)
            return context.get_dummy_value()

        return types.void(left, right, out, *(types.int64,) * 4), generate

    return tile


def outer_products(vectors: int, columns: int, *, masked: bool) -> Any:
    """Return the function (matrix, factors, sums, j, k, first, second).

    It adds sum_i factors[i, k + c] matrix[i, j + v] to sums[k + c, j + v], and asks for the numbers that lie ``first``
    and ``second`` places further in memory than those of the first register, as ``dot_products`` does.

    matrix, factors, sums : C-contiguous matrices of one dtype, the first also rows in any order; c < ``columns``, and
    v < ``vectors`` registers' width; if ``masked`` the matrix may end within the last register
    """

    @intrinsic
    def tile(typing: Any, matrix: Any, factors: Any, sums: Any, j: Any, k: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            x, r, s = _matrices(context, builder, signature, arguments)
            emit = Emitter(builder, signature.args[1].dtype)
            offsets = [builder.add(arguments[3], word(v * emit.lanes)) for v in range(vectors)]
            mask = emit.first(builder.sub(x.width, offsets[-1])) if masked else None
            rows = [s.row(builder.add(arguments[4], word(c))) for c in range(columns)]
            places = [builder.gep(row, [offset]) for row in rows for offset in offsets]

            def add(i: ir.Value, old: Sequence[ir.Value]) -> list[ir.Value]:
                row, own = x.row(i), builder.gep(r.row(i), [arguments[4]])
                pointers = [builder.gep(row, [offset]) for offset in offsets]
                numbers = [emit.load(pointer, mask) for pointer in pointers]
                for further in arguments[5:7]:
                    emit.ask_for(builder.gep(x.ahead(i, further), [builder.add(offsets[0], further)]))
                new = []
                for c in range(columns):
                    factor = emit.everywhere(builder.load(builder.gep(own, [word(c)])))
                    new += [emit.multiply_add(a, factor, old[c * vectors + v]) for v, a in enumerate(numbers)]
                return new

            sums_now = emit.loop((word(0), x.height, 1), [emit.load(place, mask) for place in places], add)
            for place, total in zip(places, sums_now, strict=True):
                emit.store(total, place, mask)
            return context.get_dummy_value()

        return types.void(matrix, factors, sums, *(types.int64,) * 4), generate

    return tile


def _extent(typing: Any, block: Any) -> Any:
    """Return the rows and the columns of a matrix, or of rows of one in any order."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args[0], arguments[0])
        return context.make_tuple(builder, signature.return_type, [rows.height, rows.width])

    return _kinds.UniTuple(types.int64, 2)(block), generate


extent: Any = intrinsic(_extent)


class _Rows:
    """The rows of a C-contiguous matrix, all or those with some numbers, in the code that is being written."""

    def __init__(self, context: Any, builder: Any, kind: Any, argument: ir.Value) -> None:
        self._builder, self._chosen = builder, isinstance(kind, _kinds.BaseTuple)
        parts, kinds = ([argument], [kind])
        if self._chosen:
            parts, kinds = [builder.extract_value(argument, place) for place in range(2)], list(kind.types)
        arrays = [context.make_array(own)(context, builder, part) for own, part in zip(kinds, parts, strict=True)]
        self._data, self._numbers = arrays[0].data, arrays[-1].data
        self.height = builder.extract_value(arrays[-1].shape, 0)
        self.width = builder.extract_value(arrays[0].shape, 1)

    def row(self, index: ir.Value) -> ir.Value:
        """Return where row ``index`` begins."""
        builder = self._builder
        number = builder.load(builder.gep(self._numbers, [index])) if self._chosen else index
        return builder.gep(self._data, [builder.mul(number, self.width)])

    def ahead(self, index: ir.Value, further: ir.Value) -> ir.Value:
        """Return from where ``further`` places on lies what is to be asked for while row ``index`` is read."""
        if not self._chosen:
            return self.row(index)
        builder = self._builder
        size = builder.mul(self.height, self.width)
        following = builder.gep(self.row(builder.add(index, self.height)), [builder.neg(size)])
        return builder.select(builder.icmp_signed("==", further, word(0)), self.row(index), following)


def _matrices(context: Any, builder: Any, signature: Any, arguments: Any) -> list[_Rows]:
    kinds = signature.args[:3]
    matrices = [kind.types[0] if isinstance(kind, _kinds.BaseTuple) else kind for kind in kinds]
    assert all(kind.layout == "C" and kind.dtype == matrices[0].dtype for kind in matrices), kinds
    return [_Rows(context, builder, kind, argument) for kind, argument in zip(kinds, arguments[:3], strict=True)]


def word(value: int) -> ir.Constant:
    """Return a 64-bit integer constant."""
    return ir.Constant(WORD, value)


def everywhere(builder: Any, value: ir.Value, lanes: int) -> ir.Value:
    """Return a vector with ``value`` in every place."""
    kind = ir.VectorType(value.type, lanes)
    nothing, places = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(HALF_WORD, lanes), None)
    return builder.shuffle_vector(builder.insert_element(nothing, value, ir.Constant(HALF_WORD, 0)), nothing, places)


def call(builder: Any, name: str, result: ir.Type, arguments: list[ir.Value], flags: Sequence[str] = ()) -> ir.Value:
    """Return what LLVM's own function ``name`` makes of the arguments."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    declare: Callable[..., Any] = cgutils.get_or_insert_function
    return builder.call(declare(builder.module, kind, name), arguments, fastmath=flags)


class Emitter:
    """Writes vector instructions on full registers of one floating-point type."""

    def __init__(self, builder: Any, scalar: Any) -> None:
        self._builder = builder
        self.bytes = scalar.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.bytes
        self._scalar = ir.FloatType() if scalar == types.float32 else ir.DoubleType()
        self._vector = ir.VectorType(self._scalar, self.lanes)
        self._suffix = f"v{self.lanes}f{scalar.bitwidth}"
        self.zero = ir.Constant(self._vector, [0.0] * self.lanes)

    def loop(
        self, span: tuple[ir.Value, ir.Value, int], values: Sequence[ir.Value], body: Callable[..., list[ir.Value]]
    ) -> list[ir.Value]:
        """Write for i in range(*span): values = body(i, values), and return the last values."""
        builder, before = self._builder, self._builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(WORD)
        carried = [builder.phi(value.type) for value in values]
        for phi, value in zip([index, *carried], [span[0], *values], strict=True):
            phi.add_incoming(value, before)
        builder.cbranch(builder.icmp_signed("<", index, span[1]), inside, after)
        builder.position_at_end(inside)
        updated = [*body(index, carried), builder.add(index, word(span[2]))]
        for phi, value in zip([*carried, index], updated, strict=True):
            phi.add_incoming(value, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return carried

    def everywhere(self, value: ir.Value) -> ir.Value:
        """Return a register with ``value`` in every place."""
        return everywhere(self._builder, value, self.lanes)

    def first(self, count: ir.Value) -> ir.Value:
        """Return the mask of the first ``count`` places."""
        places = ir.Constant(ir.VectorType(WORD, self.lanes), list(range(self.lanes)))
        return self._builder.icmp_signed("<", places, self.everywhere(count))

    def load(self, pointer: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """Return the numbers from ``pointer`` on; 0 outside the mask, where nothing is read."""
        pointer = self._builder.bitcast(pointer, self._vector.as_pointer())
        if mask is None:
            return self._builder.load(pointer, align=self.bytes)
        arguments = [pointer, ir.Constant(HALF_WORD, self.bytes), mask, self.zero]
        return self._call(f"llvm.masked.load.{self._suffix}.p0", self._vector, arguments)

    def store(self, value: ir.Value, pointer: ir.Value, mask: ir.Value | None = None) -> None:
        """Write the numbers from ``pointer`` on, inside the mask."""
        pointer = self._builder.bitcast(pointer, self._vector.as_pointer())
        if mask is None:
            self._builder.store(value, pointer, align=self.bytes)
        else:
            arguments = [value, pointer, ir.Constant(HALF_WORD, self.bytes), mask]
            self._call(f"llvm.masked.store.{self._suffix}.p0", ir.VoidType(), arguments)

    def ask_for(self, pointer: ir.Value) -> None:
        """Have the cache line at ``pointer`` fetched, which need not exist."""
        pointer = self._builder.bitcast(pointer, ir.IntType(8).as_pointer())
        # to read, into the second level of the cache, data
        flags = [ir.Constant(HALF_WORD, flag) for flag in (0, 2, 1)]
        self._call("llvm.prefetch.p0", ir.VoidType(), [pointer, *flags])

    def multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """Return a b + c, in one instruction where the processor has it."""
        return self._call(f"llvm.fmuladd.{self._suffix}", self._vector, [a, b, c])

    def added_up(self, value: ir.Value) -> ir.Value:
        """Return the sum of a register's numbers, by halves."""
        arguments = [ir.Constant(self._scalar, -0.0), value]
        return self._call(f"llvm.vector.reduce.fadd.{self._suffix}", self._scalar, arguments, ["reassoc"])

    def _call(self, name: str, result: ir.Type, arguments: list[ir.Value], flags: Sequence[str] = ()) -> ir.Value:
        return call(self._builder, name, result, arguments, flags)
