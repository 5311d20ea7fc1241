"""``derive``: from the text of a formula to a worked derivation, a closed form, and code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError, did_you_mean
from gradus.derive.derivative import Derivative, Differentiated, Order, differentiate
from gradus.derive.document import read_document
from gradus.derive.functions import CONVENTIONS
from gradus.derive.lowering import lower_document
from gradus.derive.naming import dependencies
from gradus.derive.steps import Line, backward_lines, forward_lines
from gradus.derive.tree import Call, Reduce, children
from gradus.derive.values import point_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradus.derive.points import Point
    from gradus.derive.program import Program
    from gradus.derive.tree import Tree


@dataclass(frozen=True)
class Derivation:
    """A worked derivation.

    Attributes
    ----------
    program : the formula as it was read
    target : what was differentiated
    derivatives : a closed form for each variable
    forward, backward : the lines from the variables to the target, and back
    used : declarations that the derivation rests on, as ``sum(y) = 1``
    conventions : what holds at kinks, as ``relu'(0) = 0``
    point : where values were asked for, or None
    """

    program: Program
    target: str
    derivatives: tuple[Derivative, ...]
    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    used: tuple[str, ...]
    conventions: tuple[str, ...]
    point: Point | None
    differentiated: Differentiated

    @property
    def closed_forms(self) -> dict[str, str]:
        """The right side of each closed form as text, by variable."""
        from gradus.derive.text import to_text

        return {derivative.variable: to_text(derivative.form.tree) for derivative in self.derivatives}

    @property
    def equations(self) -> dict[str, str]:
        """The closed forms as text, by the variable with its indices, as ``Y[i,:]``."""
        from gradus.derive.formats.plain import left_of, left_text
        from gradus.derive.text import to_text

        return {left_text(left_of(d)).partition("/d")[2]: to_text(d.form.tree) for d in self.derivatives}

    def text(self) -> str:
        """Return the derivation for a terminal."""
        from gradus.derive.formats.plain import plain

        return plain(self)

    def latex(self) -> str:
        """Return the derivation as LaTeX (amsmath)."""
        from gradus.derive.formats.latex import latex

        return latex(self)

    def markdown(self) -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        from gradus.derive.formats.markdown import markdown

        return markdown(self)

    def html(self) -> str:
        """Return the derivation as HTML with MathML, which needs no script."""
        from gradus.derive.formats.html import html

        return html(self)

    def numpy(self) -> str:
        """Return a NumPy function that computes the target and its derivatives."""
        from gradus.derive.code.writing import NUMPY, source

        return source(self, NUMPY)

    def torch(self) -> str:
        """Return a torch function that computes the target and its derivatives."""
        from gradus.derive.code.writing import TORCH, source

        return source(self, TORCH)

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        from gradus.derive.formats.data import as_data

        return as_data(self)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def derive(
    formula: str,
    wrt: str | Sequence[str] | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    order: str = "gradient",
    of: str | None = None,
) -> Derivation:
    """Derive the closed-form gradient of a formula, step by step.

    Parameters
    ----------
    formula : declarations, definitions and the formula; one a line, or separated by semicolons
    wrt : the variable or variables to differentiate in; all that the formula depends on by default
    at : values of all variables, for intermediate values; numbers or arrays
    order : gradient, jacobian, pullback (an upstream gradient times the Jacobian), hessian, or hvp (Hessian times v)
    of : the definition to differentiate; the last one by default

    Raises
    ------
    FormulaError : the formula is wrong, with a caret under the place
    InputError : another argument is wrong
    RewriteError : a check failed, which is a fault of gradus

    Examples
    --------
    >>> found = derive("x: vec(D); A: symmetric(D); f = x.T @ A @ x", "x")
    >>> print(found.closed_forms["x"])
    2*A @ x
    >>> found.used
    ('A = A.T',)
    """
    program = lower_document(read_document(formula))
    target = of if of is not None else _last(program)
    wanted = _wanted(program, target, wrt)
    found = differentiate(program, target, wanted, _order(order))
    point = None if at is None else point_from(found.prepared.program, at)
    return _Assembled(program, target, found, point).derivation()


@dataclass(frozen=True)
class _Assembled:
    program: Program
    target: str
    found: Differentiated
    point: Point | None

    def derivation(self) -> Derivation:
        names = dependencies(self.program, self.target) & set(self.program.definitions)
        forward = tuple(forward_lines(self.found, names, self.point))
        backward = tuple(backward_lines(self.found, self.point))
        return Derivation(
            program=self.program,
            target=self.target,
            derivatives=self.found.derivatives,
            forward=forward,
            backward=backward,
            used=tuple(self.found.prepared.rewriter.facts.used),
            conventions=_conventions(self.program, self.target),
            point=self.point,
            differentiated=self.found,
        )


def _last(program: Program) -> str:
    if not program.definitions:
        raise InputError("there is no formula, only claims or declarations: add one such as f = x^2")
    return list(program.definitions)[-1]


def _order(order: str) -> Order:
    try:
        return Order(order)
    except ValueError:
        known = [known.value for known in Order]
        raise InputError(
            f"the order {order!r} is not known{did_you_mean(order, known)}, expected one of {', '.join(known)}"
        ) from None


def _wanted(program: Program, target: str, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    if wrt is None:
        needed = dependencies(program, target)
        return tuple(name for name in program.variables if name in needed)
    names = wrt.split(",") if isinstance(wrt, str) else list(wrt)
    return tuple(dict.fromkeys(name.strip() for name in names))


def _conventions(program: Program, target: str) -> tuple[str, ...]:
    needed = dependencies(program, target)
    functions: set[str] = set()
    for definition in program.definitions.values():
        if definition.name in needed and definition.tree is not None:
            functions |= _functions(definition.tree)
    return tuple(text for name, text in CONVENTIONS.items() if name in functions)


def _functions(tree: Tree) -> set[str]:
    own = {tree.function} if isinstance(tree, (Call, Reduce)) else set()
    if isinstance(tree, Call) and tree.function == "max" and len(tree.arguments) == 2:
        own = {"maximum"}
    return own.union(*(_functions(child) for child in children(tree)))
