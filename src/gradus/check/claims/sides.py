"""The two sides of a claim at a point, in any precision."""

from __future__ import annotations

import string
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.derive.arithmetic import FLOAT, high_precision
from gradus.derive.errors import FormulaError
from gradus.derive.evaluation import Evaluator
from gradus.derive.lowering import Lowering
from gradus.derive.points import Point
from gradus.derive.shaped import Shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradus.derive.arithmetic import Arithmetic
    from gradus.derive.document import Claim, Document
    from gradus.derive.program import Program

DIGITS = 60
# central differences of fourth order: the step, and what is believed of their result
_WEIGHTS = ((-2, 1, 12), (-1, -2, 3), (1, 2, 3), (2, -1, 12))


@dataclass(frozen=True)
class Precision:
    """An arithmetic, the step of its differences, and how close two equal values come in it.

    Attributes
    ----------
    digits : that equal values share, at least
    """

    arithmetic: Arithmetic
    step: Any
    digits: int

    @classmethod
    def double(cls) -> Precision:
        """Return float64."""
        return cls(FLOAT, 1e-3, 7)

    @classmethod
    def high(cls) -> Precision:
        """Return mpmath's numbers with 60 digits, whose differences are right to about 35."""
        arithmetic = high_precision(DIGITS)
        return cls(arithmetic, arithmetic.convert(Fraction(1, 10**10)), 25)


@dataclass(frozen=True)
class Sides:
    """A claim with its right side read, ready to be evaluated.

    Attributes
    ----------
    named : which of the variable's axes the claim's indices are, in the order of ``right``'s first axes
    """

    program: Program
    claim: Claim
    left: Shaped | None
    right: Shaped

    @classmethod
    def of(cls, document: Document, program: Program, claim: Claim) -> Sides:
        """Read both sides.

        Raises
        ------
        FormulaError : if a side means nothing, or their shapes differ
        """
        _refuse_wrong_indices(document, program, claim)
        right = right_side(program, document.text, claim)
        left = None if claim.differential else Lowering(program, document.text).lower(claim.left)
        sides = cls(program, claim, left, right)
        wanted, given = sides.shape, tuple(axis.size for axis in right.axes)
        if wanted != given:
            sentence = f"the left side has the shape {_shown(wanted)} and the right side {_shown(given)}"
            raise FormulaError(sentence, document.text, claim.right.span.start, claim.right.span.end)
        return sides

    @property
    def shape(self) -> tuple[str | int, ...]:
        """Sizes of the left side's axes, those of named indices first."""
        if self.left is not None:
            return tuple(axis.size for axis in self.left.axes)
        places = indexed_axes(self.program, self.claim)
        return (*named_sizes(places).values(), *(size for position, size in places if position is None))

    def values(self, point: Point, precision: Precision) -> tuple[NDArray[Any], NDArray[Any], bool]:
        """Return the left and the right side, and whether the left side is smooth there."""
        evaluator = Evaluator(self.program, point, precision.arithmetic)
        right = np.asarray(evaluator.entries(self.right.body, self.right.axes))
        if self.left is not None:
            return np.asarray(evaluator.entries(self.left.body, self.left.axes)), right, True
        derivative, smooth = self._derivative(point, precision)
        return derivative, right, smooth

    def _derivative(self, point: Point, precision: Precision) -> tuple[NDArray[Any], bool]:
        assert self.claim.differential is not None
        target, variable = self.claim.differential.target, self.claim.differential.variable
        base = point.values[variable]
        columns, smooth = [], True
        for place in range(base.size):
            moved = {k: self._moved(point, precision, place, k) for k in (-2, -1, 0, 1, 2)}
            columns.append(sum(w * moved[k] / d for k, w, d in _WEIGHTS) / precision.step)
            bend = (moved[1] - 2 * moved[0] + moved[-1]) / precision.step
            smooth = smooth and bool(np.all(np.abs(bend) <= 0.05 * (1 + np.abs(columns[-1]))))
        shape = (*np.shape(self._moved(point, precision, 0, 0)), *base.shape) if base.size else base.shape
        whole = np.moveaxis(np.asarray(columns), 0, -1).reshape(shape)
        return self._picked(whole), smooth and target != variable

    def _moved(self, point: Point, precision: Precision, place: int, steps: int) -> NDArray[Any]:
        assert self.claim.differential is not None
        variable = self.claim.differential.variable
        values = np.array(point.values[variable])
        values.flat[place] = values.flat[place] + steps * precision.step
        moved = Point(point.sizes, {**point.values, variable: values})
        return np.asarray(Evaluator(self.program, moved, precision.arithmetic).array(self.claim.differential.target))

    def _picked(self, whole: NDArray[Any]) -> NDArray[Any]:
        """Return the derivative with numbered axes taken out, and one axis in front for every name."""
        positions = [position for position, _ in indexed_axes(self.program, self.claim)]
        taken = whole[tuple(p if isinstance(p, int) else slice(None) for p in positions)]
        kept = [p for p in positions if not isinstance(p, int)]
        names = list(dict.fromkeys(p for p in kept if p is not None))
        letters = [string.ascii_letters[k if p is None else -1 - names.index(p)] for k, p in enumerate(kept)]
        first = "".join(string.ascii_letters[-1 - k] for k in range(len(names)))
        rest = "".join(letter for letter, p in zip(letters, kept, strict=True) if p is None)
        return np.asarray(np.einsum(f"{''.join(letters)}->{first}{rest}", taken))


def indexed_axes(program: Program, claim: Claim) -> list[tuple[str | int | None, str | int]]:
    """Return the index and the size of every axis of the derivative, those of the target first."""
    if claim.differential is None:
        return []
    found: list[tuple[str | int | None, str | int]] = []
    target, outer, variable, inner = claim.differential
    for name, positions in ((target, outer), (variable, inner)):
        sizes = program.shape(name)
        found += zip(positions or (None,) * len(sizes), sizes, strict=True)
    return found


def named_sizes(places: list[tuple[str | int | None, str | int]]) -> dict[str, str | int]:
    """Return the size that each named index runs over, in the order in which they occur."""
    return {position: size for position, size in places if isinstance(position, str)}


def right_side(program: Program, text: str, claim: Claim) -> Shaped:
    """Return the right side over the claim's indices, each of the range of the axis it stands at, and its own axes.

    Raises
    ------
    FormulaError : if it means nothing
    """
    lowering = Lowering(program, text)
    named = []
    for name, size in named_sizes(indexed_axes(program, claim)).items():
        axis = lowering.scope.new(size)
        lowering.scope.bound[name] = axis
        named.append(axis)
    shaped = lowering.lower(claim.right)
    return Shaped((*named, *shaped.axes), shaped.body)


def _refuse_wrong_indices(document: Document, program: Program, claim: Claim) -> None:
    """Refuse a number of indices that is not the array's, and one name for axes of different sizes."""
    if claim.differential is None:
        return
    target, outer, variable, inner = claim.differential
    place = document.text, claim.left.span.start, claim.left.span.end
    for name, positions in ((target, outer), (variable, inner)):
        rank = len(program.shape(name))
        if len(positions or ()) not in (0, rank):
            raise FormulaError(f"{name} takes {rank} indices, as claim dL/dW[i,j] = ...", *place)
    places = indexed_axes(program, claim)
    sizes = named_sizes(places)
    for position, size in places:
        if isinstance(position, str) and size != sizes[position]:
            sentence = (
                f"{position} stands at axes of the sizes {size} and {sizes[position]}: give each an index of its own"
            )
            raise FormulaError(sentence, *place)


def _shown(shape: tuple[str | int, ...]) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "of a scalar"


def converted(values: Mapping[str, NDArray[Any]], precision: Precision) -> dict[str, NDArray[Any]]:
    """Return exact fractions as the numbers of a precision."""
    if precision.arithmetic is FLOAT:
        return {name: np.asarray(array, dtype=np.float64) for name, array in values.items()}
    convert = np.frompyfunc(precision.arithmetic.convert, 1, 1)
    return {name: np.asarray(convert(array), dtype=object) for name, array in values.items()}
