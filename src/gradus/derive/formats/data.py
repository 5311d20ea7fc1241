"""A derivation as plain data, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.derive.formats.plain import echo, left_of, left_text, value_of
from gradus.derive.text import to_text

if TYPE_CHECKING:
    from gradus.derive.derivation import Derivation
    from gradus.derive.steps import Line


def as_data(derivation: Derivation) -> dict[str, Any]:
    """Return what the text says, as dictionaries and lists of strings and numbers."""
    return {
        "read_as": echo(derivation),
        "target": derivation.target,
        "forward": [_line(line) for line in derivation.forward],
        "backward": [_line(line) for line in derivation.backward],
        "closed_forms": [
            {
                "left": left_text(left_of(derivative)),
                "right": to_text(derivative.form.tree),
                "variable": derivative.variable,
                "order": derivative.order.value,
                "form": "matrix" if derivative.form.in_matrix_form else "index",
                "value": _value(value_of(derivation, derivative)),
            }
            for derivative in derivation.derivatives
        ],
        "used": list(derivation.used),
        "at_kinks": list(derivation.conventions),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "left": left_text(line.left),
        "rights": [to_text(right) for right in line.rights],
        "remark": line.remark,
        "value": _value(line.value),
    }


def _value(value: Any) -> Any:
    return None if value is None else np.asarray(value, dtype=np.float64).tolist()
