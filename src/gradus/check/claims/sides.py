"""The two sides of a claim at a point, in any precision."""

from __future__ import annotations

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
        names = tuple(p for p in claim.positions or () if isinstance(p, str))
        rank = len(program.shape(claim.variable)) if claim.variable else 0
        if len(set(names)) < len(names) or len(claim.positions or ()) not in (0, rank):
            sentence = f"{claim.variable} takes {rank} indices of different names, as claim dL/dW[i,j] = ..."
            raise FormulaError(sentence, document.text, claim.left.span.start, claim.left.span.end)
        right = right_side(program, document.text, claim)
        left = None if claim.variable else Lowering(program, document.text).lower(claim.left)
        sides = cls(program, claim, left, right)
        wanted, given = sides.shape, tuple(axis.size for axis in right.axes)
        if wanted != given:
            sentence = f"the left side has the shape {_shown(wanted)} and the right side {_shown(given)}"
            raise FormulaError(sentence, document.text, claim.right.span.start, claim.right.span.end)
        return sides

    @property
    def shape(self) -> tuple[str | int, ...]:
        """Sizes of the left side's axes, those of named indices first."""
        if self.claim.variable is None or self.claim.target is None:
            assert self.left is not None
            return tuple(axis.size for axis in self.left.axes)
        variable, target = self.program.shape(self.claim.variable), self.program.shape(self.claim.target)
        positions = self.claim.positions or (None,) * len(variable)
        named = [size for size, p in zip(variable, positions, strict=True) if isinstance(p, str)]
        whole = [size for size, p in zip(variable, positions, strict=True) if p is None]
        return (*named, *target, *whole)

    def values(self, point: Point, precision: Precision) -> tuple[NDArray[Any], NDArray[Any], bool]:
        """Return the left and the right side, and whether the left side is smooth there."""
        evaluator = Evaluator(self.program, point, precision.arithmetic)
        right = np.asarray(evaluator.entries(self.right.body, self.right.axes))
        if self.left is not None:
            return np.asarray(evaluator.entries(self.left.body, self.left.axes)), right, True
        derivative, smooth = self._derivative(point, precision)
        return derivative, right, smooth

    def _derivative(self, point: Point, precision: Precision) -> tuple[NDArray[Any], bool]:
        target, variable = str(self.claim.target), str(self.claim.variable)
        base = point.values[variable]
        columns, smooth = [], True
        for place in range(base.size):
            moved = {k: self._moved(point, precision, place, k) for k in (-2, -1, 0, 1, 2)}
            columns.append(sum(w * moved[k] / d for k, w, d in _WEIGHTS) / precision.step)
            bend = (moved[1] - 2 * moved[0] + moved[-1]) / precision.step
            smooth = smooth and bool(np.all(np.abs(bend) <= 0.05 * (1 + np.abs(columns[-1]))))
        shape = (*np.shape(self._moved(point, precision, 0, 0)), *base.shape) if base.size else base.shape
        whole = np.moveaxis(np.asarray(columns), 0, -1).reshape(shape)
        return self._picked(whole, base.ndim), smooth and target != variable

    def _moved(self, point: Point, precision: Precision, place: int, steps: int) -> NDArray[Any]:
        variable = str(self.claim.variable)
        values = np.array(point.values[variable])
        values.flat[place] = values.flat[place] + steps * precision.step
        moved = Point(point.sizes, {**point.values, variable: values})
        return np.asarray(Evaluator(self.program, moved, precision.arithmetic).array(str(self.claim.target)))

    def _picked(self, whole: NDArray[Any], rank: int) -> NDArray[Any]:
        """Return the derivative with the axes of named indices first and numbered ones taken out."""
        positions = self.claim.positions or (None,) * rank
        before = whole.ndim - rank
        taken = whole[(..., *(p if isinstance(p, int) else slice(None) for p in positions))]
        kept = [p for p in positions if not isinstance(p, int)]
        named = [before + k for k, p in enumerate(kept) if p is not None]
        return np.moveaxis(taken, named, range(len(named)))


def right_side(program: Program, text: str, claim: Claim) -> Shaped:
    """Return the right side over the claim's indices, whose ranges are those of the variable's axes, and its own axes.

    Raises
    ------
    FormulaError : if it means nothing
    """
    lowering = Lowering(program, text)
    named = []
    for size, position in zip(
        program.shape(claim.variable) if claim.variable else (), claim.positions or (), strict=False
    ):
        if isinstance(position, str):
            axis = lowering.scope.new(size)
            lowering.scope.bound[position] = axis
            named.append(axis)
    shaped = lowering.lower(claim.right)
    return Shaped((*named, *shaped.axes), shaped.body)


def _shown(shape: tuple[str | int, ...]) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "of a scalar"


def converted(values: Mapping[str, NDArray[Any]], precision: Precision) -> dict[str, NDArray[Any]]:
    """Return exact fractions as the numbers of a precision."""
    if precision.arithmetic is FLOAT:
        return {name: np.asarray(array, dtype=np.float64) for name, array in values.items()}
    convert = np.frompyfunc(precision.arithmetic.convert, 1, 1)
    return {name: np.asarray(convert(array), dtype=object) for name, array in values.items()}
