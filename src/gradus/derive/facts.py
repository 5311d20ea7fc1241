"""What is known of the signs, sums and symmetries of a program's expressions, and which declared facts were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.binding import applied, fresh
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
    from collections.abc import Callable

    from gradus.derive.program import Program

_POSITIVE_FUNCTIONS = frozenset({"exp", "sigmoid", "softplus", "pi"})
_INTERIOR = ("positive", "nonnegative", "simplex", "joint")


class Facts:
    """Answers questions about expressions of ``program``; ``used`` collects the declarations that were needed."""

    def __init__(
        self, program: Program, normal: Callable[[Expression], Expression], used: dict[str, None] | None = None
    ) -> None:
        self.program = program
        self.normal = normal
        self.used: dict[str, None] = {} if used is None else used
        self.visible = frozenset(program.definitions)
        self.frozen: frozenset[str] = frozenset()
        self._positive: dict[str, bool] = {}
        self._symmetric: dict[str, bool] = {}

    def use(self, fact: str) -> None:
        """Note that a rewrite rested on a declaration."""
        self.used[fact] = None

    def declared(self, array: str, *domains: str) -> bool:
        """Tell whether an equation such as A = A.T may be used: not before the derivative in that array is taken."""
        return array not in self.frozen and self.program.has(array, *domains)

    def positive(self, expression: Expression) -> bool:
        """Tell whether ``expression`` is positive in the interior of the declared domains."""
        match expression:
            case Number(value=value):
                return value > 0
            case Extent():
                return True
            case Entry(array=array):
                return self._positive_array(array)
            case Add(terms=terms):
                return all(map(self.nonnegative, terms)) and any(map(self.positive, terms))
            case Multiply(factors=factors):
                return all(self.positive(f) for f in factors if not isinstance(f, Mask))
            case Power(base=base):
                return self.positive(base)
            case Function(name=name):
                return name in _POSITIVE_FUNCTIONS
            case Apply(name=name, arguments=arguments):
                return name == "softmax" or (name == "det" and self.definite(arguments[0]))
            case Sum(body=body):
                return self.positive(body) or (self.nonnegative(body) and isinstance(body, Power))
        return False

    def nonnegative(self, expression: Expression) -> bool:
        """Tell whether ``expression`` is never negative."""
        match expression:
            case Power(base=base, exponent=exponent):
                even = isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value % 2 == 0
                return even or self.nonnegative(base)
            case Function(name="relu" | "abs" | "step") | Mask():
                return True
            case Entry(array=array) if array in self.program.definitions:
                return self.positive(expression) or self.nonnegative(self.program.definitions[array].body)
            case Sum(body=body):
                return self.nonnegative(body)
            case Add(terms=parts) | Multiply(factors=parts):
                return all(map(self.nonnegative, parts))
        return self.positive(expression)

    def _positive_array(self, array: str) -> bool:
        if array in self.program.variables:
            return self.program.has(array, *_INTERIOR)
        if array not in self._positive:
            self._positive[array] = False
            self._positive[array] = self.positive(self.program.definitions[array].body)
        return self._positive[array]

    def definite(self, matrix: Lambda) -> bool:
        """Tell whether ``matrix`` is a variable declared spd."""
        return isinstance(matrix.body, Entry) and self.program.has(matrix.body.array, "spd")

    def body_of(self, expression: Expression) -> Expression | None:
        """Return what an entry of a definition stands for."""
        if isinstance(expression, Entry) and expression.array in self.program.definitions:
            return self.program.definitions[expression.array].entry(expression.at)
        return None

    def symmetric_array(self, array: str) -> bool:
        """Tell whether the matrix ``array`` equals its transpose, by declaration or by what it is defined as."""
        if self.declared(array, "symmetric", "spd"):
            return True
        if array not in self.program.definitions:
            return False
        definition = self.program.definitions[array]
        if len(definition.axes) != 2 or definition.axes[0].size != definition.axes[1].size:
            return False
        if array not in self._symmetric:
            self._symmetric[array] = False
            self._symmetric[array] = self._equal_swapped(definition.axes, definition.entry)
        return self._symmetric[array]

    def symmetric_matrix(self, matrix: Lambda) -> bool:
        """Tell whether ``matrix`` equals its transpose."""
        key = matrix.key
        if key not in self._symmetric:
            self._symmetric[key] = self._equal_swapped(matrix.indices, lambda at: applied(matrix, at))
        return self._symmetric[key]

    def _equal_swapped(self, axes: tuple[Index, ...], entry: Callable[[tuple[Index, ...]], Expression]) -> bool:
        if len(axes) != 2 or axes[0].size != axes[1].size:
            return False
        row, column = fresh(axes[0]), fresh(axes[1])
        return self.normal(entry((row, column))) == self.normal(entry((column, row)))
