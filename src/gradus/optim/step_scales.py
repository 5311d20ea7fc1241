"""How long Muon's step of a matrix is, by its shape: the three conventions in use."""

from __future__ import annotations

import math


def unit_scale(rows: int, columns: int) -> float:
    """Return 1: the step has singular values of about the learning rate.

    Examples
    --------
    >>> unit_scale(64, 9)
    1.0
    """
    return 1.0


def keller_scale(rows: int, columns: int) -> float:
    """Return max(1, rows / columns)^(1/2); torch's "original".

    Jordan et al. 2024, Muon. A tall matrix, which makes many outputs of few inputs, moves further.

    Examples
    --------
    >>> keller_scale(36, 9), keller_scale(9, 36)
    (2.0, 1.0)
    """
    return math.sqrt(max(1.0, rows / columns))


def rms_scale(rows: int, columns: int) -> float:
    """Return 0.2 max(rows, columns)^(1/2); torch's "match_rms_adamw".

    Liu et al. 2025, Muon is scalable for LLM training, equation 4: entries have a root mean square of 0.2 as AdamW's
    steps tend to have, so that AdamW's learning rate and weight decay serve.

    Examples
    --------
    >>> rms_scale(25, 9)
    1.0
    """
    return 0.2 * math.sqrt(max(rows, columns))
