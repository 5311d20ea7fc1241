"""The closed form of a derivative: names folded in, common factors out, read back to be checked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive.contraction import NoMatrixForm
from gradus.derive.errors import RewriteError
from gradus.derive.expanding import expanded
from gradus.derive.folding import Folding, folded, folded_to_scale, unfolded
from gradus.derive.lowering import Lowering
from gradus.derive.raising import Raiser
from gradus.derive.rewriting import cost
from gradus.derive.text import to_text
from gradus.derive.tree import names as names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.index_form import Expression, Index
    from gradus.derive.program import Definition, Program
    from gradus.derive.rewriting import Rewriter
    from gradus.derive.tree import Tree

LETTERS = "ijklmnpqrstuv"
WORTH_NAMING = 3.0


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """An array of ``expression`` over ``axes`` and how it is written.

    Attributes
    ----------
    positions : what stands after the name on the left: index names, None for ``:``; empty for the whole array
    tree : the right side
    """

    expression: Expression
    axes: tuple[Index, ...]
    positions: tuple[str | None, ...]
    tree: Tree

    @property
    def in_matrix_form(self) -> bool:
        """Whether no index is written."""
        return not self.positions


def neat(rewriter: Rewriter, expression: Expression, names: Sequence[Definition]) -> Expression:
    """Return the cheapest form of ``expression`` with ``names`` in place of what they stand for."""
    knowledge = Folding(rewriter.facts.nonnegative, rewriter.simplified)
    plain = rewriter.neatest(expression)
    candidates = [plain]
    starts = {plain: None}
    if not rewriter.scalars_only:
        starts |= dict.fromkeys((rewriter.simplified(expression), rewriter.simplified(expanded(expression))))
    for start in starts:
        short = rewriter.checked("naming", start, lambda e: folded(e, names, knowledge))
        scaled = rewriter.checked("naming", short, lambda e: folded_to_scale(e, names, knowledge))
        candidates += [rewriter.neatest(form) for form in dict.fromkeys((short, scaled)) if form != plain]
    return min(candidates, key=cost)


def without_names(expression: Expression, program: Program) -> Expression:
    """Return ``expression`` with the names that gradus introduced replaced by what they stand for."""
    automatic = {name: d for name, d in program.definitions.items() if d.automatic}
    return unfolded(expression, automatic)


def written(
    rewriter: Rewriter,
    expression: Expression,
    axes: tuple[Index, ...],
    *,
    multiply_out: bool = False,
    indices: tuple[str, ...] = (),
) -> ClosedForm:
    """Write ``expression`` as a matrix where it is one, else by rows, else by entries; read it back.

    With ``multiply_out``, a product that is no matrix is tried term by term before indices are written; with
    ``indices``, every axis is written as the index of that name.
    """
    candidates = [expression]
    names = _index_names(rewriter.program, len(axes))
    if multiply_out:
        candidates.append(rewriter.simplified(rewriter.checked("multiplying out", expression, expanded)))
    ways = [(way, ones) for ones in (False, True) for way in ([tuple(range(len(axes)))] if indices else _ways(axes))]
    for (fixed, ones), candidate in itertools.product(ways, candidates):
        form = _attempt(
            rewriter, candidate, axes, {axes[p]: n for p, n in zip(fixed, indices or names, strict=False)}, ones=ones
        )
        if form is not None:
            _verify(rewriter, form)
            return form
    raise RewriteError(f"{expression} cannot be written: please report it")


def _index_names(program: Program, count: int) -> list[str]:
    taken = {*program.variables, *program.definitions, *program.sizes}
    letters = [letter for letter in LETTERS if letter not in taken]
    return [*letters, *(f"i{n}" for n in range(1, count + 1))][:count]


def _ways(axes: tuple[Index, ...]) -> list[tuple[int, ...]]:
    """Return which axes are written as indices, in the order of preference."""
    every = tuple(range(len(axes)))
    ways: list[tuple[int, ...]] = [()] if len(axes) <= 2 else []
    ways += [every[:-1]] if len(axes) > 1 else []
    return [*ways, every] if axes else [(), ()]


def _attempt(
    rewriter: Rewriter, expression: Expression, axes: tuple[Index, ...], fixed: dict[Index, str], *, ones: bool
) -> ClosedForm | None:
    """Write ``expression`` with the axes in ``fixed`` as indices of these names."""
    free = tuple(axis for axis in axes if axis not in fixed)
    indexed = bool(fixed) or not axes
    try:
        tree = Raiser(rewriter.facts, fixed, indexed=indexed, ones=ones).tree(expression, free)
    except NoMatrixForm:
        return None
    positions = tuple(fixed.get(axis) for axis in axes) if fixed else ()
    return ClosedForm(expression, axes, positions, tree)


def _verify(rewriter: Rewriter, form: ClosedForm) -> None:
    """Read the text back and compare values."""
    from gradus.derive.cursor import Cursor
    from gradus.derive.grammar import ExpressionParser

    program = rewriter.program
    text = to_text(form.tree)
    declared = frozenset(program.variables) | frozenset(program.definitions) | frozenset(program.sizes)
    derivatives = any("/" in name for name in names_in(form.tree))  # dL/dz is a name here, and a quotient when read
    tree = form.tree if derivatives else ExpressionParser(Cursor(text), declared).expression()
    lowering = Lowering(program, text)
    kept = [axis for axis, p in zip(form.axes, form.positions or [None] * len(form.axes), strict=True) if p is None]
    for axis, position in zip(form.axes, form.positions or (), strict=False):
        if position is not None:
            lowering.scope.bound[position] = axis
    shaped = lowering.lower(tree)
    if shaped.shape != tuple(axis.size for axis in kept):
        raise RewriteError(f"{text} has the shape {shaped.shape}, expected {[a.size for a in kept]}: please report it")
    rewriter.verify("writing down", form.expression, shaped.at(kept))
