"""The value of an expression at a point, for every value of its free indices at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradus.derive.arithmetic import FLOAT
from gradus.derive.index_form import (
    Add,
    Apply,
    Entry,
    Expression,
    Extent,
    Function,
    Index,
    Lambda,
    Mask,
    Multiply,
    Number,
    Power,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.arithmetic import Arithmetic
    from gradus.derive.index_form import Position
    from gradus.derive.points import Point
    from gradus.derive.program import Program

Array = Any
_RELATIONS = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}


class Labelled(NamedTuple):
    """An array and the index that each of its axes runs over."""

    array: Array
    axes: tuple[Index, ...]


class Evaluator:
    """Evaluates expressions of ``program`` at ``point``; every value is computed once.

    Examples
    --------
    >>> import numpy as np
    >>> from gradus.derive.lowering import read_program
    >>> from gradus.derive.points import Point
    >>> program = read_program("x: vec(D); f = x.T @ x")
    >>> float(Evaluator(program, Point({"D": 2}, {"x": np.array([3.0, 4.0])})).array("f"))
    25.0
    """

    def __init__(self, program: Program, point: Point, arithmetic: Arithmetic = FLOAT) -> None:
        self.program = program
        self.point = point
        self.arithmetic = arithmetic
        self._known: dict[str, Labelled] = {}
        self._arrays: dict[str, Array] = dict(point.values)

    def array(self, name: str) -> Array:
        """Return the value of a variable or a definition."""
        if name not in self._arrays:
            definition = self.program.definitions[name]
            self._arrays[name] = self.entries(definition.body, definition.axes)
        return self._arrays[name]

    def entries(self, expression: Expression, axes: Sequence[Index]) -> Array:
        """Return the value of ``expression`` with one axis for each of ``axes``, which are its free indices or more."""
        found = self.value(expression)
        aligned = _aligned(found, tuple(axes))
        return np.broadcast_to(aligned, tuple(self.size(axis) for axis in axes))

    def size(self, index: Index) -> int:
        """Return how many values ``index`` takes."""
        return self.point.sizes[index.size] if isinstance(index.size, str) else index.size

    def value(self, expression: Expression) -> Labelled:
        """Return the value of ``expression`` and which index each axis is."""
        known = self._known.get(expression.key)
        if known is None:
            with np.errstate(all="ignore"):
                array, axes = self._compute(expression)
            kind = np.float64 if self.arithmetic is FLOAT else object
            # operations on objects without axes return the object itself
            known = self._known[expression.key] = Labelled(np.asarray(array, dtype=kind), axes)
        return known

    def _compute(self, expression: Expression) -> Labelled:
        match expression:
            case Number(value=value):
                return Labelled(self._scalar(self.arithmetic.convert(value)), ())
            case Extent(size=size):
                return Labelled(self._scalar(self.arithmetic.convert(_fraction(self.point.sizes[size]))), ())
            case Entry(array=array, at=at):
                return _taken(self.array(array), at)
            case Mask():
                return self._mask(expression)
            case Add(terms=terms):
                arrays, axes = self._together(terms)
                return Labelled(sum(arrays[1:], arrays[0]), axes)
            case Multiply():
                return self._product(expression)
            case Power(base=base, exponent=exponent):
                arrays, axes = self._together((base, exponent))
                return Labelled(self.arithmetic.power(*arrays), axes)
            case Function(name=name, arguments=()):
                return Labelled(self._scalar(self.arithmetic.constants[name]), ())
            case Function(name=name, arguments=arguments):
                arrays, axes = self._together(arguments)
                return Labelled(self.arithmetic.of_numbers[name](*arrays), axes)
            case Sum(indices=indices, body=body):
                return self._sum(indices, body)
            case Apply():
                return self._apply(expression)
        raise TypeError(type(expression).__name__)

    def _scalar(self, value: Any) -> Array:
        return np.asarray(value, dtype=np.float64 if self.arithmetic is FLOAT else object)

    def _together(self, expressions: Sequence[Expression]) -> tuple[list[Array], tuple[Index, ...]]:
        found = [self.value(expression) for expression in expressions]
        axes = tuple(dict.fromkeys(axis for labelled in found for axis in labelled.axes))
        return [_aligned(labelled, axes) for labelled in found], axes

    def _product(self, expression: Multiply) -> Labelled:
        masks = [f for f in expression.factors if isinstance(f, Mask)]
        others = [f for f in expression.factors if not isinstance(f, Mask)]
        arrays, axes = self._together([*others, *masks])
        product: Array = self._scalar(self.arithmetic.convert(_fraction(1)))
        for array in arrays[: len(others)]:
            product = product * array
        for array in arrays[len(others) :]:
            product = np.where(array != 0, product, 0 * array)
        return Labelled(product, axes)

    def _sum(self, indices: tuple[Index, ...], body: Expression) -> Labelled:
        found = self.value(body)
        places = tuple(found.axes.index(index) for index in indices)
        array = found.array
        if self.arithmetic is not FLOAT and 0 in (array.shape[place] for place in places):
            array = np.zeros([n for place, n in enumerate(array.shape) if place not in places], dtype=object)
        else:
            array = np.asarray(array.sum(axis=places), dtype=array.dtype)
        return Labelled(array, tuple(axis for axis in found.axes if axis not in indices))

    def _mask(self, expression: Mask) -> Labelled:
        sides = (expression.left, expression.right)
        axes = tuple(side for side in sides if isinstance(side, Index))
        ranges: list[Any] = [
            np.arange(self.size(side)).reshape([-1 if axis == side else 1 for axis in axes])
            if isinstance(side, Index)
            else side
            for side in sides
        ]
        return Labelled(_RELATIONS[expression.relation](*ranges) * self._scalar(1), axes)

    def _apply(self, expression: Apply) -> Labelled:
        batches = [self._over(argument) for argument in expression.arguments]
        batch = tuple(dict.fromkeys(axis for _, axes in batches for axis in axes))
        arrays = [
            np.broadcast_to(_batched(array, axes, batch), (*map(self.size, batch), *array.shape[len(axes) :]))
            for array, axes in batches
        ]
        result = np.asarray(self.arithmetic.of_arrays[expression.name](*arrays))
        return _taken(result, (*batch, *expression.at))

    def _over(self, argument: Lambda) -> tuple[Array, tuple[Index, ...]]:
        found = self.value(argument.body)
        batch = tuple(axis for axis in found.axes if axis not in argument.indices)
        return self.entries(argument.body, (*batch, *argument.indices)), batch


def _fraction(value: int) -> Any:
    from fractions import Fraction

    return Fraction(value)


def _aligned(labelled: Labelled, axes: tuple[Index, ...]) -> Array:
    """Return the array with an axis for each of ``axes``, of length 1 where it has none."""
    order = [labelled.axes.index(axis) for axis in axes if axis in labelled.axes]
    # a sum of objects is a bare number
    array = np.asarray(labelled.array)
    shown = array.transpose(order) if order else array
    return shown[tuple(slice(None) if axis in labelled.axes else None for axis in axes)]


def _batched(array: Array, axes: tuple[Index, ...], batch: tuple[Index, ...]) -> Array:
    order = [axes.index(axis) for axis in batch if axis in axes]
    shown = array.transpose([*order, *range(len(axes), array.ndim)])
    return shown[(*(slice(None) if axis in axes else None for axis in batch), ...)]


def _taken(array: Array, at: Sequence[Position]) -> Labelled:
    """Return ``array`` at positions that may be numbers, or one index twice."""
    array = np.asarray(array)
    array = array[tuple(slice(None) if isinstance(p, Index) else p for p in at)]
    axes = [p for p in at if isinstance(p, Index)]
    while len(set(axes)) < len(axes):
        twice = next(axis for axis in axes if axes.count(axis) > 1)
        first = axes.index(twice)
        second = axes.index(twice, first + 1)
        array = np.diagonal(array, axis1=first, axis2=second)
        axes = [axis for place, axis in enumerate(axes) if place not in (first, second)] + [twice]
    return Labelled(array, tuple(axes))
