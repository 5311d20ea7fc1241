"""A derivation as HTML with MathML, which browsers and notebooks show without any script."""

from __future__ import annotations

import html as escaping
import re
from typing import TYPE_CHECKING

from gradus.derive.formats.latex import left_side
from gradus.derive.formats.plain import closing_lines, echo
from gradus.derive.formats.typesetting import Typesetter
from gradus.derive.tokens import GREEK
from gradus.derive.values import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.derivation import Derivation
    from gradus.derive.steps import Line

_SIGNS = {"!=": "≠", "<=": "≤", ">=": "≥", "-": "−"}
_FUNCTIONS = {"sigmoid": "σ", "1": "𝟏"}
_STYLE = (
    ".gradus-derivation td{padding:.35em .8em;text-align:left;vertical-align:middle}"
    ".gradus-derivation th{padding:.8em .8em .2em;text-align:left}"
    ".gradus-derivation small{color:#666}.gradus-derivation math{font-size:110%}"
)


class MathmlNotation:
    """Strings of MathML."""

    def name(self, name: str) -> str:
        """Return a name: yhat as a hat over y, what follows an underscore or a number as a subscript."""
        if name in GREEK:
            return f"<mi>{'π' if name == 'pi' else GREEK[name]}</mi>"
        base, _, below = name.partition("_")
        match = re.fullmatch(r"([A-Za-z])(hat|bar)|([A-Za-z]+)(\d+)", name)
        if below:
            return self.subscript(self.name(base), self.name(below))
        if match and match[1]:
            accent = "^" if match[2] == "hat" else "¯"
            return f'<mover accent="true"><mi>{match[1]}</mi><mo>{accent}</mo></mover>'
        if match:
            return self.subscript(self.name(match[3]), self.number(match[4]))
        return f"<mi>{escaping.escape(name)}</mi>"

    def number(self, text: str) -> str:
        """Return digits."""
        return f"<mn>{text}</mn>"

    def operator(self, sign: str) -> str:
        """Return a sign."""
        return f"<mo>{escaping.escape(_SIGNS.get(sign, sign))}</mo>"

    def function(self, name: str) -> str:
        """Return the name of a function."""
        return f"<mi>{_FUNCTIONS.get(name, name)}</mi>"

    def row(self, *pieces: str) -> str:
        """Return pieces side by side."""
        return pieces[0] if len(pieces) == 1 else f"<mrow>{''.join(pieces)}</mrow>"

    def brackets(self, inner: str) -> str:
        """Return brackets around ``inner``."""
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def fraction(self, above: str, below: str) -> str:
        """Return a fraction."""
        return f"<mfrac>{above}{below}</mfrac>"

    def superscript(self, base: str, exponent: str) -> str:
        """Return a power."""
        return f"<msup>{base}{exponent}</msup>"

    def subscript(self, base: str, index: str) -> str:
        """Return ``base`` with an index."""
        return f"<msub>{base}{index}</msub>"

    def root(self, inner: str) -> str:
        """Return a square root."""
        return f"<msqrt>{inner}</msqrt>"

    def norm(self, inner: str) -> str:
        """Return a norm."""
        return f"<mrow><mo>‖</mo>{inner}<mo>‖</mo></mrow>"

    def total(self, under: str, body: str) -> str:
        """Return a sum."""
        return f"<mrow><munder><mo>∑</mo>{under}</munder>{body}</mrow>"


def html(derivation: Derivation) -> str:
    """Return the derivation as one element with its own style."""
    setter = Typesetter(derivation.differentiated.prepared.program, MathmlNotation())
    rows = _rows(setter, "Forward", derivation.forward)
    rows += _rows(setter, "Backward", derivation.backward)
    rows += _rows(setter, "Closed form", closing_lines(derivation))
    read = escaping.escape("\n".join(echo(derivation)))
    notes = [f"used: {fact}" for fact in derivation.used] + [f"at kinks: {text}" for text in derivation.conventions]
    below = "".join(f"<p>{escaping.escape(note)}</p>" for note in notes)
    return (
        f'<div class="gradus-derivation"><style>{_STYLE}</style><pre>{read}</pre>'
        f"<table>{''.join(rows)}</table>{below}</div>"
    )


def _rows(setter: Typesetter, title: str, lines: Sequence[Line]) -> list[str]:
    rows = [f'<tr><th colspan="2">{title}</th></tr>'] if lines else []
    for line in lines:
        sides = [left_side(setter, line.left), *(setter.set(right) for right in line.rights)]
        if line.value is not None:
            sides.append(f"<mtext>{escaping.escape(shown(line.value))}</mtext>")
        equation = "<mo>=</mo>".join(sides)
        remark = f"<small>{escaping.escape(line.remark)}</small>" if line.remark else ""
        rows.append(f'<tr><td><math display="inline"><mrow>{equation}</mrow></math></td><td>{remark}</td></tr>')
    return rows
