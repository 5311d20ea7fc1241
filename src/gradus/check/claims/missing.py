"""What a claim lacks, as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.check.claims.sides import right_side
from gradus.derive import algebra
from gradus.derive.closed_form import neat, without_names, written
from gradus.derive.derivative import Order, differentiate
from gradus.derive.formats.plain import left_of, left_text
from gradus.derive.lowering import lower_document
from gradus.derive.text import to_text

if TYPE_CHECKING:
    from gradus.derive.document import Claim, Document

# a longer formula explains nothing
LONGEST = 160


def closed_form_and_missing(document: Document, claim: Claim) -> tuple[str, str]:
    """Return the derivative's closed form, and that minus the claim's right side; "" where it is long or of parts only.

    Raises
    ------
    GradusError : if either cannot be derived
    """
    assert claim.differential is not None
    target, _, variable, inner = claim.differential
    program = lower_document(document)
    order = Order.JACOBIAN if program.shape(target) else Order.GRADIENT
    found = differentiate(program, target, [variable], order)
    derivative = found.derivatives[0]
    rewriter = found.prepared.rewriter
    # names that gradus introduced mean nothing to whoever wrote the claim
    expression = without_names(derivative.expression, rewriter.program)
    form = written(rewriter, expression, derivative.axes) if derivative.where else derivative.form
    truth = f"{left_text(left_of(derivative))} = {to_text(form.tree)}"
    names = tuple(p for p in inner or () if isinstance(p, str))
    rank = len(program.shape(variable))
    if program.shape(target) or len(names) not in (0, rank) or (inner and not names):
        return truth, ""
    right = right_side(rewriter.program, document.text, claim)
    lacking = algebra.subtract(expression, right.at(derivative.axes))
    short = written(rewriter, neat(rewriter, lacking, ()), derivative.axes, indices=names)
    text = to_text(short.tree)
    return truth, text if len(text) <= LONGEST else ""
