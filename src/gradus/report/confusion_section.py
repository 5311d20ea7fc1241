"""The confusion matrix as a heat map, and the pairs most confused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.report.formatting import percent, plain, short
from gradus.report.outcomes import confused_pairs, confusion_matrix
from gradus.report.pictures import thumbnail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.report.content import ReportContent

_MOST_CLASSES = 50
_MOST_PAIRS = 12
_EXAMPLES = 5
_LONGEST_NAME = 16


@dataclass(frozen=True)
class Cell:
    """A cell of the matrix that holds rows: where, how many, how strongly coloured (0 to 1)."""

    row: int
    column: int
    rows: int
    strength: float
    title: str


def confusion_section(content: ReportContent) -> dict[str, Any] | None:
    """Return the matrix (None beyond 50 classes) and the pairs most confused, or None without labels or predictions."""
    dataset, predictions = content.dataset, content.predictions
    if dataset.labels is None or predictions is None or not predictions.is_test.any():
        return None
    names = dataset.class_names
    counts = np.bincount(dataset.labels[predictions.is_test], minlength=len(names))
    pairs = [
        {
            "label": names[pair.label],
            "predicted": names[pair.predicted],
            "count": len(pair.rows),
            "of": int(counts[pair.label]),
            "share": len(pair.rows) / int(counts[pair.label]),
            "examples": [
                {"row_id": str(dataset.row_ids[position]), "picture": thumbnail(dataset.images[position])}
                for position in pair.rows[:_EXAMPLES]
            ]
            if dataset.images is not None
            else [],
        }
        for pair in confused_pairs(dataset.labels, predictions, _MOST_PAIRS)
    ]
    small = dataset.images is not None and max(dataset.images.shape[1:3]) <= 40
    matrix = confusion_matrix(dataset.labels, predictions, len(names)) if len(names) <= _MOST_CLASSES else None
    return {"pairs": pairs, "matrix": None if matrix is None else matrix_chart(matrix, names), "pixelated": small}


def matrix_chart(matrix: NDArray[np.int64], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the heat map's cells and sizes; numbers stand in the cells of up to 20 classes."""
    numbers = len(names) <= 20
    side = 40 if len(names) <= 12 else 30 if numbers else 15
    longest = max(len(short(name, _LONGEST_NAME)) for name in names)
    return {
        "cells": _cells(matrix, names),
        "names": [short(name, _LONGEST_NAME) for name in names],
        "titles": [plain(name) for name in names],
        "side": side,
        "margin": 30 + 7 * longest,
        "size": 30 + 7 * longest + side * len(names),
        "numbers": numbers,
        "upright": longest <= 3,
    }


def _cells(matrix: NDArray[np.int64], names: tuple[str, ...]) -> list[Cell]:
    totals = matrix.sum(1)
    cells = []
    for row, column in zip(*np.nonzero(matrix), strict=True):
        share = float(matrix[row, column] / totals[row])
        # Errors are rare: their square root keeps the small ones in sight.
        strength = 0.12 + 0.6 * share if row == column else min(1.0, 0.12 + 1.6 * math.sqrt(share))
        title = (
            f"{plain(names[row])} called {plain(names[column])}: {matrix[row, column]:,} of {totals[row]:,} rows "
            f"({percent(share)})"
        )
        cells.append(Cell(int(row), int(column), int(matrix[row, column]), round(strength, 3), title))
    return cells
