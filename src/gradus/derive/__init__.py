"""Formula -> worked derivation -> closed-form gradient -> code: the chain rule as a tool.

The room can be called: ``gradus.derive("x: vec(D); f = x.T @ x")`` is ``gradus.derive.derive(...)``.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from gradus.derive.arithmetic import FLOAT, FRACTIONS, Arithmetic, high_precision
from gradus.derive.blocks import formula_lines
from gradus.derive.derivation import Derivation, derive
from gradus.derive.document import Claim, Document, read_document
from gradus.derive.errors import FormulaError, RewriteError
from gradus.derive.evaluation import Evaluator
from gradus.derive.lowering import lower_document, read_program
from gradus.derive.points import Point, draw_point
from gradus.derive.text import to_text

__all__ = [
    "FLOAT",
    "FRACTIONS",
    "Arithmetic",
    "Claim",
    "Derivation",
    "Document",
    "Evaluator",
    "FormulaError",
    "Point",
    "RewriteError",
    "derive",
    "draw_point",
    "formula_lines",
    "high_precision",
    "lower_document",
    "read_document",
    "read_program",
    "to_text",
]


class _CallableRoom(types.ModuleType):
    """A package that is also the function of its name."""

    def __call__(self, *arguments: Any, **options: Any) -> Derivation:
        return derive(*arguments, **options)


sys.modules[__name__].__class__ = _CallableRoom
