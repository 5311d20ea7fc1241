"""A derivation as LaTeX; needs amsmath and amssymb."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradus.derive.formats.typesetting import Typesetter
from gradus.derive.steps import Left
from gradus.derive.tokens import GREEK
from gradus.derive.values import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.derivation import Derivation
    from gradus.derive.program import Program
    from gradus.derive.steps import Line
    from gradus.derive.tree import Tree

_LETTERS = {letter: f"\\{name}" for name, letter in GREEK.items() if len(letter) == 1}
_WORDS = {name for name in GREEK if name not in {"iota", "xi", "nu"}} | {"pi"}
_SIGNS = {
    "⊤": "\\top",
    "⊙": "\\odot",
    "⊘": "\\oslash",
    "·": "\\cdot",
    "∂": "\\partial ",
    "!=": " \\ne ",
    "<=": " \\le ",
    ">=": " \\ge ",
    "|": "|",
}
_FUNCTIONS = {"sigmoid": "\\sigma", "1": "\\mathbf{1}", "I": "I"}
_KNOWN = {"exp", "log", "sin", "cos", "tanh", "det", "max", "min"}


class LatexNotation:
    """Strings of LaTeX."""

    def name(self, name: str) -> str:
        """Return a name: yhat as a hat over y, what follows an underscore as a subscript."""
        if name in _LETTERS:
            return _LETTERS[name]
        if name in _WORDS:
            return f"\\{name}"
        base, _, below = name.partition("_")
        if below:
            return f"{self.name(base)}_{{{self.name(below)}}}"
        match = re.fullmatch(r"([A-Za-z])(hat|bar)|([A-Za-z]+)(\d+)", name)
        if match and match[1]:
            return f"\\{match[2]}{{{match[1]}}}"
        if match:
            return f"{self.name(match[3])}_{{{match[4]}}}"
        return name if len(name) == 1 else f"\\mathrm{{{name}}}"

    def number(self, text: str) -> str:
        """Return digits."""
        return text

    def operator(self, sign: str) -> str:
        """Return a sign."""
        return _SIGNS.get(sign, sign if sign in ",:" else f" {sign} ")

    def function(self, name: str) -> str:
        """Return the name of a function."""
        if name in _FUNCTIONS:
            return _FUNCTIONS[name]
        name = name.replace("_", "\\_")
        return f"\\{name}" if name in _KNOWN else f"\\operatorname{{{name}}}"

    def row(self, *pieces: str) -> str:
        """Return pieces side by side."""
        text = ""
        for piece in pieces:
            apart = text and not text.endswith(" ") and not piece.startswith((" ", ",", "\\left"))
            letters = re.search(r"\\[A-Za-z]+$", text) and piece[:1].isalpha()
            text += (" " if letters or (apart and _thin(text, piece)) else "") + piece
        return text

    def brackets(self, inner: str) -> str:
        """Return brackets around ``inner``."""
        return f"\\left({inner}\\right)"

    def fraction(self, above: str, below: str) -> str:
        """Return a fraction."""
        return f"\\frac{{{above}}}{{{below}}}"

    def superscript(self, base: str, exponent: str) -> str:
        """Return a power; one of what has an exponent already is set in braces."""
        return f"{{{base}}}^{{{exponent.strip()}}}" if "^" in base else f"{base}^{{{exponent.strip()}}}"

    def subscript(self, base: str, index: str) -> str:
        """Return ``base`` with an index."""
        return f"{{{base}}}_{{{index}}}" if "_" in base else f"{base}_{{{index}}}"

    def root(self, inner: str) -> str:
        """Return a square root."""
        return f"\\sqrt{{{inner}}}"

    def norm(self, inner: str) -> str:
        """Return a norm."""
        return f"\\left\\lVert {inner} \\right\\rVert"

    def total(self, under: str, body: str) -> str:
        """Return a sum."""
        return f"\\sum_{{{under}}} {body}"


def _thin(text: str, piece: str) -> bool:
    return text[-1:] not in "(|:" and piece[:1] not in ")|:" and bool(re.match(r"[A-Za-z\\{]", piece))


def tree_to_latex(tree: Tree, program: Program) -> str:
    """Return one tree as LaTeX."""
    return Typesetter(program, LatexNotation()).set(tree)


def left_side(setter: Typesetter, left: Left | Tree) -> str:
    """Return the left side of a line in the notation of ``setter``."""
    if not isinstance(left, Left):
        return setter.set(left)
    notation = setter.notation
    if left.variable is None:
        base = notation.name(left.name)
    else:
        base = setter.derivative(left.name, left.variable, "2" if left.order in {"hessian", "hvp"} else "")
    if left.positions:
        base = notation.subscript(
            base if left.variable is None else notation.brackets(base), setter.indices(left.positions)
        )
    return notation.row(base, notation.name("v")) if left.order == "hvp" else base


def aligned(setter: Typesetter, lines: Sequence[Line]) -> str:
    """Return ``lines`` as an align* environment."""
    rows = []
    for line in lines:
        rights = [setter.set(right) for right in line.rights]
        values = [] if line.value is None else [f"\\mathtt{{{shown(line.value)}}}"]
        remark = f" && \\text{{{_escaped(line.remark)}}}" if line.remark else ""
        rows.append(f"  {left_side(setter, line.left)} &= " + " = ".join([*rights, *values]) + remark)
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _escaped(text: str) -> str:
    for character in ("\\", "_", "^", "#", "&", "%"):
        text = text.replace(character, {"\\": "\\backslash", "^": "\\^{}"}.get(character, f"\\{character}"))
    return text


def latex(derivation: Derivation) -> str:
    """Return the derivation: steps, then closed forms, then what was used."""
    from gradus.derive.formats.plain import closing_lines

    setter = Typesetter(derivation.differentiated.prepared.program, LatexNotation())
    blocks = [aligned(setter, derivation.forward), aligned(setter, derivation.backward)]
    blocks.append(aligned(setter, closing_lines(derivation)))
    notes = [f"used: {fact}" for fact in derivation.used] + [f"at kinks: {text}" for text in derivation.conventions]
    blocks += [f"\\noindent {_escaped(note)}" for note in notes]
    return "\n".join(blocks)
