"""A derivation as Markdown, formulas between dollar signs as GitHub and notebooks read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.formats.latex import LatexNotation, left_side
from gradus.derive.formats.plain import closing_lines, echo
from gradus.derive.formats.typesetting import Typesetter
from gradus.derive.values import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.derivation import Derivation
    from gradus.derive.steps import Line


def markdown(derivation: Derivation) -> str:
    """Return the derivation with a heading for each part."""
    setter = Typesetter(derivation.differentiated.prepared.program, LatexNotation())
    parts = ["```\n" + "\n".join(echo(derivation)) + "\n```"]
    for title, lines in (
        ("Forward", derivation.forward),
        ("Backward", derivation.backward),
        ("Closed form", closing_lines(derivation)),
    ):
        parts.append(f"**{title}**")
        parts.extend(_equations(setter, lines))
    if derivation.used:
        parts.append("Used: " + ", ".join(f"`{fact}`" for fact in derivation.used))
    if derivation.conventions:
        parts.append("At kinks: " + "; ".join(derivation.conventions))
    return "\n\n".join(parts) + "\n"


def _equations(setter: Typesetter, lines: Sequence[Line]) -> list[str]:
    found = []
    for line in lines:
        rights = [setter.set(right) for right in line.rights] + ([] if line.value is None else [shown(line.value)])
        equation = " = ".join([left_side(setter, line.left), *rights])
        found.append(f"$${equation}$$" + (f"\n\n<small>{line.remark}</small>" if line.remark else ""))
    return found
