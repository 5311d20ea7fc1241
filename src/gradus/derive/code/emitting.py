"""One tree as one expression of array code; running indices become axes in front of those of the value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradus.derive.code.pieces import CALL, Piece, bracketed, extent_of, indices_in, safe_name, widened
from gradus.derive.functions import ELEMENTWISE
from gradus.derive.text import POWER, PRODUCT, SIGN, SUM
from gradus.derive.text import number_text as exact_text
from gradus.derive.tree import Binary, Call, Name, Negate, Number, Reduce, Subscript, Transpose

if TYPE_CHECKING:
    from gradus.derive.code.libraries import Library
    from gradus.derive.program import Program
    from gradus.derive.tree import Condition, Tree


class Emitter:
    """Writes trees over the names of ``program`` for ``library``; ``used`` collects the functions that need helpers."""

    def __init__(self, program: Program, library: Library) -> None:
        self.program = program
        self.library = library
        self.used: dict[str, None] = {}
        self.sizes: dict[str, None] = {}

    def array(self, tree: Tree, positions: tuple[str | None, ...], shape: tuple[str | int, ...]) -> str:
        """Return code for the whole array of which ``tree`` is the entry at ``positions`` (none: the array itself)."""
        running = {p: shape[place] for place, p in enumerate(positions) if p is not None}
        piece = self._emit(tree, running)
        missing = running and not (piece.indexed and set(running) <= indices_in(tree))
        if missing or (not positions and len(shape) > piece.rank):
            sizes = ", ".join(self._size(size) for size in shape)
            return self._call("broadcast", self._lifted(piece), f"({sizes},)")
        return self._lifted(piece)

    def _size(self, size: str | int) -> str:
        if isinstance(size, str):
            self.sizes[size] = None
            return safe_name(size)
        return str(size)

    def _call(self, name: str, *arguments: str) -> str:
        if name in self.library.helpers:
            self.used[name] = None
        return self.library.calls[name].format(*arguments)

    def _lifted(self, piece: Piece) -> str:
        return self._call("lifted", piece.text) if piece.plain else piece.text

    def _emit(self, tree: Tree, running: dict[str, str | int]) -> Piece:
        match tree:
            case Number(value=value):
                text = exact_text(value)
                return Piece(text, PRODUCT if "/" in text else CALL, 0, plain=True)
            case Name(name=name):
                return self._name(name)
            case Negate(operand=operand):
                inner = self._emit(operand, running)
                return replace(inner, text=f"-{bracketed(inner, PRODUCT)}", level=SIGN)
            case Transpose(operand=operand):
                return self._transpose(self._emit(operand, running))
            case Subscript(base=base, positions=positions):
                if (inner := self._emit(base, running)).indexed:
                    return self._taken(inner, positions, running, indices_in(base))
                return self._subscript(inner, positions, running)
            case Reduce():
                return self._reduce(tree, running)
            case Binary(operator="@", left=left, right=right):
                return self._matrix_product(self._emit(left, running), self._emit(right, running))
            case Binary(operator=operator, left=left, right=right):
                return self._binary(operator, self._emit(left, running), self._emit(right, running))
            case Call():
                return self._function(tree, running)

    def _name(self, name: str) -> Piece:
        if name in self.program.variables or name in self.program.definitions:
            return Piece(safe_name(name), CALL, len(self.program.shape(name)))
        if name == "pi":
            self.used["pi"] = None
            return Piece("math.pi", CALL, 0, plain=True)
        return Piece(self._size(name), CALL, 0, plain=True)

    def _transpose(self, inner: Piece) -> Piece:
        if inner.rank == 1:
            return replace(inner, row=not inner.row)
        text = f"{bracketed(inner, CALL)}.swapaxes(-1, -2)" if inner.indexed else f"{bracketed(inner, CALL)}.T"
        return replace(inner, text=text, level=CALL)

    def _subscript(self, base: Piece, positions: tuple[str | int | None, ...], running: dict[str, str | int]) -> Piece:
        """Put the axes at running indices in front, in their order, and a new axis of length 1 for every other one."""
        own = [p for p in positions if isinstance(p, str)]
        if len(set(own)) < len(own):
            return self._taken(base, positions, running, set())
        taken = ", ".join(str(p) if isinstance(p, int) else ":" for p in positions)
        text = f"{bracketed(base, CALL)}[{taken}]" if any(isinstance(p, int) for p in positions) else base.text
        piece = Piece(text, CALL if text != base.text else base.level, 0)
        axes = [p for p in positions if not isinstance(p, int)]
        order = [axes.index(name) for name in running if name in axes]
        order += [place for place, p in enumerate(axes) if p is None]
        rank = sum(p is None for p in axes)
        text = piece.text
        if order != sorted(order):
            text = f"{bracketed(piece, CALL)}.{self._permuted(order)}"
        if not own:
            return Piece(text, CALL, rank)
        names = list(running)
        last = max(names.index(name) for name in own)
        new = [":" if name in own else "None" for name in names]
        if all(name in own for name in names[: last + 1]) and last == len(names) - 1:
            return Piece(text, CALL if text != piece.text else piece.level, rank, indexed=True)
        shown = Piece(text, CALL if text != piece.text else piece.level, rank)
        return Piece(f"{bracketed(shown, CALL)}[{', '.join(new)}]", CALL, rank, indexed=True)

    def _permuted(self, order: list[int]) -> str:
        if order == [1, 0]:
            return "T"
        method = "transpose" if self.library.name == "np" else "permute"
        return f"{method}({', '.join(map(str, order))})"

    def _taken(
        self, base: Piece, positions: tuple[str | int | None, ...], running: dict[str, str | int], depends: set[str]
    ) -> Piece:
        """Index with ranges: for what depends on running indices itself (those in ``depends``), and for diagonals."""
        count = len(running)
        ranges = []
        front = [self._range(name, running, count) if name in depends else "0" for name in running]
        front = front if base.indexed else []
        for position in positions:
            if isinstance(position, str):
                ranges.append(self._range(position, running, count))
            else:
                ranges.append(":" if position is None else str(position))
        rank = sum(p is None for p in positions)
        if rank and (base.indexed or None in positions[: len(positions) - rank]):
            last = all(p is None for p in positions[len(positions) - rank :])
            if not last:
                raise NotImplementedError("a slice before an index of what has running indices")
        text = f"{bracketed(base, CALL)}[{', '.join([*front, *ranges])}]"
        return Piece(text, CALL, rank, indexed=True)

    def _range(self, name: str, running: dict[str, str | int], count: int) -> str:
        place = list(running).index(name)
        new = ", ".join(":" if axis == place else "None" for axis in range(count))
        text = self._call("range", self._size(running[name]))
        return text if count == 1 else f"{text}[{new}]"

    def _reduce(self, tree: Reduce, running: dict[str, str | int]) -> Piece:
        inside = {**running, **{name: self._extent(name, tree) for name in tree.indices}}
        body = self._emit(tree.body, inside)
        text, level = body.text, body.level
        if tree.conditions:
            conditions = [self._condition(condition, inside) for condition in tree.conditions]
            joined = conditions[0] if len(conditions) == 1 else " & ".join(f"({c})" for c in conditions)
            new = f"({joined})[..., {', '.join(['None'] * body.rank)}]" if body.rank else joined
            text, level = self._call("where", new, text), CALL
        first = -body.rank - len(tree.indices)
        axes = tuple(range(first, -body.rank)) if body.rank else tuple(range(first, 0))
        method = "sum" if tree.function == "sum" else "mean"
        axis = str(axes[0]) if len(axes) == 1 else str(axes)
        bracketed = text if level == CALL else f"({text})"
        return Piece(f"{bracketed}.{method}({self.library.axis}={axis})", CALL, body.rank, indexed=bool(running))

    def _extent(self, name: str, tree: Tree) -> str | int:
        found = extent_of(name, tree, self.program)
        if found is None:
            raise NotImplementedError(f"the range of the index {name} is not known")
        return found

    def _condition(self, condition: Condition, running: dict[str, str | int]) -> str:
        sides = [
            self._range(side, running, len(running)) if isinstance(side, str) else str(side)
            for side in (condition.left, condition.right)
        ]
        relation = "==" if condition.relation == "=" else condition.relation
        return f"{sides[0]} {relation} {sides[1]}"

    def _binary(self, operator: str, left: Piece, right: Piece) -> Piece:
        rank = max(left.rank, right.rank)
        left, right = widened(left, rank), widened(right, rank)
        flags = {"indexed": left.indexed or right.indexed, "plain": left.plain and right.plain}
        row = (left.row if left.rank else right.row) and rank == 1
        if operator in {"^", ".^"}:
            text = f"{bracketed(left, CALL)} ** {bracketed(right, POWER)}"
            return Piece(text, POWER, rank, row=row, **flags)
        level = SUM if operator in {"+", "-"} else PRODUCT
        operator = "*" if operator == "·" else operator
        text = f"{bracketed(left, level)} {operator} {bracketed(right, level + 1)}"
        return Piece(text, level, rank, row=row, **flags)

    def _matrix_product(self, left: Piece, right: Piece) -> Piece:
        indexed = left.indexed or right.indexed
        if (left.rank, right.rank) == (1, 1) and right.row and not left.row:
            return Piece(
                f"{bracketed(left, CALL)}[..., None] * {bracketed(right, CALL)}[..., None, :]", PRODUCT, 2, indexed
            )
        if not indexed:
            text = f"{bracketed(left, PRODUCT)} @ {bracketed(right, PRODUCT + 1)}"
            return Piece(text, PRODUCT, left.rank + right.rank - 2, row=left.rank == 1 and right.rank == 2)
        if (left.rank, right.rank) == (1, 1):
            text = f"({bracketed(left, PRODUCT)} * {bracketed(right, PRODUCT + 1)}).sum({self.library.axis}=-1)"
            return Piece(text, CALL, 0, indexed=True)
        if right.rank == 1:
            text = f"({bracketed(left, PRODUCT)} @ {bracketed(right, CALL)}[..., None])[..., 0]"
            return Piece(text, CALL, 1, indexed=True)
        if left.rank == 1:
            text = f"({bracketed(left, CALL)}[..., None, :] @ {bracketed(right, CALL)})[..., 0, :]"
            return Piece(text, CALL, 1, indexed=True, row=True)
        return Piece(f"{bracketed(left, PRODUCT)} @ {bracketed(right, PRODUCT + 1)}", PRODUCT, 2, indexed=True)

    def _function(self, tree: Call, running: dict[str, str | int]) -> Piece:
        name = tree.function
        if name in {"ones", "eye", "tri"}:
            sizes = [self._emit(argument, running).text for argument in tree.arguments]
            return Piece(
                self._call(name, sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"),
                CALL,
                1 if name == "ones" and len(sizes) == 1 else 2,
            )
        pieces = [self._emit(argument, running) for argument in tree.arguments]
        first = pieces[0]
        if name in ELEMENTWISE or (name == "max" and len(pieces) == 2):
            return self._entrywise("maximum" if name == "max" else name, pieces)
        if name == "outer" and any(piece.indexed for piece in pieces):
            left, right = (bracketed(piece, CALL) for piece in pieces)
            return Piece(f"{left}[..., None] * {right}[..., None, :]", PRODUCT, 2, indexed=True)
        if name in _REDUCTIONS:
            return self._reduction(name, first)
        if name == "diag":
            return self._diagonal(first)
        rank = {"logsumexp": first.rank - 1, "max": first.rank - 1, "det": 0, "logdet": 0, "tr": 0, "outer": 2}.get(
            name, first.rank
        )
        text = self._call(name, *(self._lifted(piece) for piece in pieces))
        return Piece(text, CALL, rank, indexed=first.indexed)

    def _entrywise(self, name: str, pieces: list[Piece]) -> Piece:
        rank = max(piece.rank for piece in pieces)
        wide = [widened(piece, rank) for piece in pieces]
        texts = [self._lifted(piece) for piece in wide]
        text = self._call(name, *texts)
        return Piece(text, CALL, rank, indexed=any(p.indexed for p in pieces), row=pieces[0].row)

    def _reduction(self, name: str, piece: Piece) -> Piece:
        axes = {"rowsum": (-1,), "colsum": (-2,)}.get(name, tuple(range(-piece.rank, 0)))
        axis = f"{self.library.axis}={axes[0] if len(axes) == 1 else axes}"
        argument = axis if piece.indexed or name in {"rowsum", "colsum"} else ""
        rank = 1 if name in {"rowsum", "colsum"} else 0
        if name == "norm":
            squared = f"({bracketed(piece, CALL)} ** 2).sum({argument})"
            return Piece(f"{squared} ** 0.5", POWER, 0, indexed=piece.indexed)
        method = "mean" if name == "mean" else "sum"
        return Piece(f"{bracketed(piece, CALL)}.{method}({argument})", CALL, rank, indexed=piece.indexed)

    def _diagonal(self, piece: Piece) -> Piece:
        if not piece.indexed:
            return Piece(f"{self.library.name}.diag({piece.text})", CALL, 3 - piece.rank)
        inner = bracketed(piece, CALL)
        if piece.rank == 2:
            axes = ("axis1=-2, axis2=-1", "dim1=-2, dim2=-1")[self.library.axis == "dim"]
            return Piece(f"{inner}.diagonal({axes})", CALL, 1, indexed=True)
        identity = self._call("eye", f"{inner}.shape[-1]")
        return Piece(f"{inner}[..., None] * {identity}", PRODUCT, 2, indexed=True)


_REDUCTIONS = frozenset({"sum", "mean", "norm", "rowsum", "colsum"})
