"""Arrays while a formula is read: axes, the entry as an expression in them, NumPy's rules for shapes made strict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import fresh, substitute
from gradus.derive.index_form import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradus.derive.declarations import Size
    from gradus.derive.index_form import Expression, Position


@dataclass(frozen=True, slots=True)
class Shaped:
    """``body`` for every value of ``axes``; ``row`` marks a vector that was transposed."""

    axes: tuple[Index, ...]
    body: Expression
    row: bool = False

    @property
    def shape(self) -> tuple[Size, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    def at(self, positions: Sequence[Position]) -> Expression:
        """Return the entry at ``positions``."""
        return substitute(self.body, dict(zip(self.axes, positions, strict=True)))


def shown_shape(shaped: Shaped) -> str:
    """Return how an error names the shape.

    Examples
    --------
    >>> shown_shape(Shaped((Index("i", "D"),), algebra.ONE))
    'a vector (D)'
    """
    rank = len(shaped.axes)
    if rank == 0:
        return "a scalar"
    kind = {1: "a row" if shaped.row else "a vector", 2: "a matrix"}.get(rank, "a tensor")
    return f"{kind} ({', '.join(map(str, shaped.shape))})"


def entrywise(operation: Callable[[Expression, Expression], Expression], left: Shaped, right: Shaped) -> Shaped:
    """Combine entry by entry; a scalar fits everything, and a vector the last axis of a matrix that is not square."""
    if not right.axes:
        return Shaped(left.axes, operation(left.body, right.body), row=left.row)
    if not left.axes:
        return Shaped(right.axes, operation(left.body, right.body), row=right.row)
    if left.shape == right.shape:
        if left.row != right.row:
            raise ValueError("a row and a column are combined entry by entry: use outer(a, b), or drop the transpose")
        return Shaped(left.axes, operation(left.body, right.at(left.axes)), row=left.row)
    small, large = (left, right) if len(left.axes) < len(right.axes) else (right, left)
    if len(small.axes) == 1 and len(large.axes) == 2 and small.shape == large.shape[1:]:
        if large.shape[0] == large.shape[1]:
            raise ValueError(
                f"{shown_shape(small)} fits the rows and the columns of {shown_shape(large)}: "
                f"write outer(ones({large.shape[0]}), b) for the same row everywhere"
            )
        axes = large.axes
        entries = [s.at(axes[1:]) if s is small else s.body for s in (left, right)]
        return Shaped(axes, operation(entries[0], entries[1]))
    raise ValueError(f"the shapes do not fit: {shown_shape(left)} and {shown_shape(right)}")


def matrix_product(left: Shaped, right: Shaped) -> Shaped:
    """Return ``left @ right``, with ``x.T @ y`` a scalar and ``x @ y.T`` refused in favour of outer."""
    if not left.axes or not right.axes:
        raise ValueError("`@` needs two arrays, one side is a scalar: write `*`")
    if len(left.axes) > 2 or len(right.axes) > 2:
        raise ValueError("`@` is for vectors and matrices: write sum[i](a[i,j,k]*b[i]) for tensors")
    if len(left.axes) == 1 and len(right.axes) == 1:
        return _of_vectors(left, right)
    if (len(right.axes) == 1 and right.row) or (len(left.axes) == 1 and not left.row and len(right.axes) == 2):
        raise ValueError(f"the shapes do not fit: {shown_shape(left)} @ {shown_shape(right)}; {_advice(left)}")
    if left.axes[-1].size != right.axes[0].size:
        raise ValueError(
            f"the shapes do not fit: {shown_shape(left)} @ {shown_shape(right)}; "
            f"the inner sizes are {left.axes[-1].size} and {right.axes[0].size}"
        )
    inner, *rest = right.axes
    product = algebra.multiply(left.body, substitute(right.body, {inner: left.axes[-1]}))
    axes = (*left.axes[:-1], *rest)
    return Shaped(axes, algebra.sum_over(left.axes[-1:], product), row=len(left.axes) == 1 and len(axes) == 1)


def _advice(left: Shaped) -> str:
    return "a vector on the left of a matrix is written x.T" if len(left.axes) == 1 else "drop the transpose"


def _of_vectors(left: Shaped, right: Shaped) -> Shaped:
    if not left.row and right.row:
        return outer(left, right)
    if left.row == right.row and left.row:
        raise ValueError("both sides of `@` are rows: write x.T @ y, or outer(x, y)")
    if left.shape != right.shape:
        raise ValueError(
            f"the shapes do not fit: {shown_shape(left)} @ {shown_shape(right)}; "
            f"the inner sizes are {left.shape[0]} and {right.shape[0]}"
        )
    product = algebra.multiply(left.body, right.at(left.axes))
    return Shaped((), algebra.sum_over(left.axes, product))


def outer(left: Shaped, right: Shaped) -> Shaped:
    """Return the outer product of two vectors."""
    if len(left.axes) != 1 or len(right.axes) != 1:
        raise ValueError(f"outer needs two vectors, not {shown_shape(left)} and {shown_shape(right)}")
    axis = fresh(right.axes[0])
    return Shaped((left.axes[0], axis), algebra.multiply(left.body, right.at((axis,))))


def over_new_indices(shaped: Shaped, names: tuple[str, ...] = ()) -> tuple[tuple[Index, ...], Expression]:
    """Return axes with names that are the same whenever the same text is read, and the body in them."""
    named = names or tuple(f"{place}" for place in range(len(shaped.axes)))
    axes = tuple(Index(f"@{name}", axis.size) for name, axis in zip(named, shaped.axes, strict=True))
    return axes, shaped.at(axes)
