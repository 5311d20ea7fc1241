"""The two sides of a claim as arrays over the same indices, ready to be evaluated or subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.closed_form import ClosedForm, neat, without_names, written
from gradus.derive.derivative import Order, differentiate
from gradus.derive.errors import FormulaError
from gradus.derive.lowering import Lowering
from gradus.derive.preparing import prepared
from gradus.derive.program import Definition, Program
from gradus.derive.shaped import Shaped, shown_shape
from gradus.derive.tree import Reduce, Subscript, children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.document import Claim
    from gradus.derive.index_form import Expression, Index
    from gradus.derive.rewriting import Rewriter
    from gradus.derive.tree import Tree


@dataclass(frozen=True, slots=True)
class Equation:
    """``left = right`` for every value of ``axes``.

    Attributes
    ----------
    program : evaluate both sides with ``Evaluator(program, point).entries(side, axes)``
    names : how the axes are called; empty where whole arrays are compared
    rewriter : simplifies expressions of the program, each step checked
    used : the declarations that the closed form on the left rests on
    """

    program: Program
    axes: tuple[Index, ...]
    left: Expression
    right: Expression
    names: tuple[str, ...]
    rewriter: Rewriter
    used: tuple[str, ...]

    def difference(self) -> ClosedForm:
        """Return ``left - right``, simplified: zero, or what is missing on the right."""
        definitions = [d for d in self.program.definitions.values() if not d.automatic]
        expression = neat(self.rewriter, algebra.subtract(self.left, self.right), definitions)
        return written(self.rewriter, expression, self.axes, indices=self.names)


def equation_of(program: Program, claim: Claim, text: str) -> Equation:
    """Return both sides of ``claim`` in index form; a derivative on the left is replaced by its closed form.

    Parameters
    ----------
    program : the document's variables and definitions, from ``lower_document``
    claim : one of ``document.claims``
    text : ``document.text``, for carets

    Raises
    ------
    FormulaError : the sides do not mean anything, or have different shapes
    InputError : a derivative on the left cannot be taken

    Examples
    --------
    >>> from gradus.derive.document import read_document
    >>> from gradus.derive.lowering import lower_document
    >>> from gradus.derive.text import to_text
    >>> document = read_document("x: vec(D); f = x.T @ x; claim df/dx[i] = x[i]")
    >>> equation = equation_of(lower_document(document), document.claims[0], document.text)
    >>> to_text(equation.difference().tree)
    'x[i]'
    """
    if claim.target is not None and claim.variable is not None:
        return _of_derivative(program, claim, text)
    lowering = Lowering(program, text)
    names = tuple(dict.fromkeys(free_indices(claim.left) + free_indices(claim.right)))
    with lowering.scope.binding(names, (claim.left, claim.right), claim.left) as bound:
        left, right = lowering.lower(claim.left), lowering.lower(claim.right)
    _require_same_shape(left, right, claim, text)
    axes = (*bound, *left.axes)
    rewriter = _rewriter(program)
    return Equation(program, axes, left.body, right.at(left.axes), names, rewriter, ())


def _of_derivative(program: Program, claim: Claim, text: str) -> Equation:
    assert claim.target is not None
    assert claim.variable is not None
    order = Order.JACOBIAN if program.shape(claim.target) else Order.GRADIENT
    found = differentiate(program, claim.target, [claim.variable], order)
    derivative = found.derivatives[0]
    ready = found.prepared
    expression = without_names(derivative.expression, ready.program)
    left = Shaped(derivative.axes, expression)
    lowering = Lowering(ready.program, text)
    names: tuple[str, ...] = ()
    if claim.positions is not None:
        if len(claim.positions) != len(derivative.axes):
            sentence = f"the derivative has {len(derivative.axes)} axes, {len(claim.positions)} indices were given"
            raise lowering.error(sentence, claim.left)
        for position, axis in zip(claim.positions, derivative.axes, strict=True):
            if isinstance(position, str):
                lowering.scope.refuse_taken(position, claim.left)
                lowering.scope.bound.setdefault(position, axis)
        left = lowering.scope.subscript(left, claim.positions, claim.left)
        names = tuple(dict.fromkeys(p for p in claim.positions if isinstance(p, str)))
    right = lowering.lower(claim.right)
    _require_same_shape(left, right, claim, text)
    axes = (*(lowering.scope.bound[name] for name in names), *left.axes)
    used = tuple(ready.rewriter.facts.used)
    return Equation(ready.program, axes, left.body, right.at(left.axes), names, ready.rewriter, used)


def _require_same_shape(left: Shaped, right: Shaped, claim: Claim, text: str) -> None:
    if left.shape != right.shape:
        sentence = f"the sides have different shapes: {shown_shape(left)} and {shown_shape(right)}"
        raise FormulaError(sentence, text, claim.right.span.start, claim.right.span.end)


def free_indices(tree: Tree, bound: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the index names that no sum inside ``tree`` binds, in order."""
    if isinstance(tree, Reduce):
        bound = (*bound, *tree.indices)
    own: tuple[str, ...] = ()
    if isinstance(tree, Subscript):
        own = tuple(p for p in tree.positions if isinstance(p, str) and p not in bound)
    inner = (name for child in children(tree) for name in free_indices(child, bound))
    return tuple(dict.fromkeys((*own, *inner)))


def _rewriter(program: Program) -> Rewriter:
    target = next(reversed(program.definitions), None)
    if target is None:
        scalar = Definition("nothing", (), algebra.ZERO)
        program = program.with_definitions(scalar)
        target = "nothing"
    return prepared(program, target, []).rewriter
